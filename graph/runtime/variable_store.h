// VariableStore: the weights. A sorted map path → Tensor, initialised or not, outside of any graph: programs of several
// graphs with equal paths share their variables through it.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/graph/kernel.h"
#include "weft/graph/tensor.h"

namespace weft {

class VariableStore {
 public:
  // A variable: row-major for its users; for programs, where they want it so, in panels, too. What was written in one
  // layout is copied to the other when it is next asked for.
  class Entry {
   public:
    Entry(DType dtype, const Shape& shape) : value_(dtype, shape) {}

    bool initialised = false;
    TensorType type() const { return value_.type(); }
    // Its memory stays where it is as long as the store lives.
    const Tensor& value() const;
    Tensor& value();  // to be written: whatever lies in panels is out of date
    // The same for panels: their memory stays where it is, too.
    std::byte* Bytes(Layout layout);
    // Before a program reads `layout`, and perhaps writes it.
    void Prepare(Layout layout, bool is_written);

   private:
    enum class Fresh : uint8_t { kBoth, kRowMajor, kPanels };
    void Refresh(Layout layout) const;

    mutable std::mutex mutex_;  // of refreshing, by several readers at once
    mutable Tensor value_, panels_;
    mutable std::atomic<Fresh> fresh_ = Fresh::kRowMajor;
  };

  VariableStore() = default;
  explicit VariableStore(const Graph& graph) { Declare(graph); }
  VariableStore(const VariableStore&) = delete;
  VariableStore& operator=(const VariableStore&) = delete;

  // Adds the graph's variables, uninitialised, where they are not known yet. Throws GraphError naming the variable if
  // one is known with another type.
  void Declare(const Graph& graph);
  void Declare(const Path& path, DType dtype, const Shape& shape);

  // Copies the value in and marks it initialised; declares it if it is new. Throws GraphError for another type.
  void Set(const Path& path, const Tensor& value);
  const Tensor& Get(const Path& path) const;  // throws GraphError, suggests the nearest name; refuses uninitialised
  Entry* Find(const Path& path);              // nullptr if it is not declared
  const Entry* Find(const Path& path) const;
  std::vector<Path> Paths(const Path& scope = {}) const;  // within the sub-tree, sorted
  size_t size() const { return entries_.size(); }

  // Held by a program with updates alone, by others together; by Save shared, by Restore alone. The members above do
  // not lock.
  std::shared_mutex& mutex() const { return mutex_; }

 private:
  std::map<Path, Entry> entries_;
  mutable std::shared_mutex mutex_;
};

}  // namespace weft
