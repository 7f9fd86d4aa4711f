// The floating-point environment that the library computes in, whatever its host has set.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace weft {

// Default rounding, no flushing of small numbers, all exceptions masked, on this thread and for as long as the object
// lives; then the host's environment again, its sticky flags too.
class DefaultFloatingPoint {
 public:
#if defined(__SSE2__)
  DefaultFloatingPoint() : saved_(_mm_getcsr()) { _mm_setcsr(kDefault); }
  ~DefaultFloatingPoint() { _mm_setcsr(saved_); }
#else
  DefaultFloatingPoint() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatingPoint() { std::fesetenv(&saved_); }
#endif
  DefaultFloatingPoint(const DefaultFloatingPoint&) = delete;
  DefaultFloatingPoint& operator=(const DefaultFloatingPoint&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr unsigned kDefault = 0x1F80;  // what a process begins with
  unsigned saved_;
#else
  std::fenv_t saved_;
#endif
};

}  // namespace weft
