// The memory of a run.
#include "weft/graph/runtime/workspace.h"

#include <utility>

#include "weft/graph/error.h"

namespace weft {

Workspace::Workspace(const Program& program, const std::shared_ptr<Pages>& memory)
    : addresses_(program.buffers.size()), pending_(std::make_unique<std::atomic<uint32_t>[]>(program.steps.size())) {
  const bool fits = memory != nullptr && std::cmp_greater_equal(memory->bytes().size(), program.arena_bytes);
  arena_ = fits ? memory : std::make_shared<Pages>(static_cast<size_t>(program.arena_bytes));
  for (BufferId id = 0; id < addresses_.size(); ++id) {
    const Buffer& buffer = program.buffers[id];
    if (buffer.kind == BufferKind::kArena) addresses_[id] = arena_->bytes().data() + buffer.offset;
    // Constants are only read: no step lists them among its writes.
    if (buffer.kind == BufferKind::kInProgram)
      addresses_[id] = const_cast<std::byte*>(program.constants[static_cast<size_t>(buffer.offset)]->bytes().data());
  }
}

void Workspace::Reset(const Program& program) {
  for (StepId id = 0; id < program.steps.size(); ++id)
    pending_[id].store(program.predecessor_counts[id], std::memory_order_relaxed);
  stopped_.store(false, std::memory_order_relaxed);
}

}  // namespace weft
