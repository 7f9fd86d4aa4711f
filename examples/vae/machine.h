// The machine: how many threads there are for TBB, and which SIMD target Highway takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "weft/examples/vae/options.h"

namespace weft {

// Names of the targets that this build and this processor have, the best first: "AVX3", "AVX2", …
std::vector<std::string> SimdTargets();

// The threads and instructions that the options ask for, as long as the object lives. The library takes what TBB
// allows; that there may be more threads than cores is for a program to say. Throws UsageError for an unknown target.
class Machine {
 public:
  explicit Machine(const MachineOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  int threads() const { return threads_; }
  const std::string& target() const { return target_; }

 private:
  struct ThreadLimit;
  int threads_;
  std::string target_;
  std::unique_ptr<ThreadLimit> limit_;
};

}  // namespace weft
