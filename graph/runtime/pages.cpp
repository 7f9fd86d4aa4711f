// Mapped memory.
#include "weft/graph/runtime/pages.h"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace weft {
namespace {

// As malloc: below it a call of the system and the rest of a page are too much.
constexpr size_t kMappedBytes = size_t{128} * 1024;

}  // namespace

Pages::Pages(size_t bytes) {
  if (bytes < kMappedBytes) {
    small_ = Tensor(DType::kFloat64, {static_cast<int64_t>((bytes + 7) / 8)});
    bytes_ = small_.bytes().first(bytes);
    return;
  }
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  // The first use of 2 MiB at once takes a third of the time of that of 512 small pages. Neighbours share large pages,
  // so that matrices of less gain by it, too. A system that has none says no, which is as well.
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  bytes_ = {static_cast<std::byte*>(memory), bytes};
}

Pages::~Pages() {
  if (bytes_.size() >= kMappedBytes) munmap(bytes_.data(), bytes_.size());
}

}  // namespace weft
