// Workspace: the little that changes during a run of a program: its memory and the counters of its steps.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "weft/graph/compile/program.h"
#include "weft/graph/runtime/pages.h"

namespace weft {

class Workspace {
 public:
  // In the memory of another run, if that is given and large enough.
  explicit Workspace(const Program& program, const std::shared_ptr<Pages>& memory = nullptr);

  const std::shared_ptr<Pages>& memory() const { return arena_; }

  std::span<std::byte* const> buffers() const { return addresses_; }
  std::byte* buffer(BufferId id) const { return addresses_[id]; }
  // Variables live in a store: their addresses are given before the first run.
  void Bind(BufferId variable, std::byte* address) { addresses_[variable] = address; }

  std::atomic<uint32_t>& pending(StepId id) { return pending_[id]; }
  void Reset(const Program& program);  // counters for a new run, and not stopped

  // Steps that start after this do nothing. Set by a guard.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<Pages> arena_;
  std::vector<std::byte*> addresses_;
  std::unique_ptr<std::atomic<uint32_t>[]> pending_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace weft
