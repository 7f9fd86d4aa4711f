// VariableStore: the weights. A sorted map path → Tensor, initialised or not, outside of any graph: programs of several
// graphs with equal paths share their variables through it.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/graph/kernel.h"
#include "weft/graph/runtime/pages.h"
#include "weft/graph/tensor.h"

namespace weft {

class VariableStore {
 public:
  // A variable: row-major for its users; for programs, where they want it so, in panels. What was written in one layout
  // is copied to the other when it is next asked for.
  //
  // Memory of a layout is there while somebody holds it, who may know its address, and while it alone has the value:
  // what programs read in panels alone has no second copy in rows. Zeros that nobody holds have no memory at all.
  class Entry {
   public:
    Entry(DType dtype, const Shape& shape);  // not initialised; its memory comes later

    bool initialised = false;
    const TensorType& type() const { return type_; }
    // Held from the first call on: its memory stays where it is as long as the store lives.
    const Tensor& value() const;
    Tensor& value();  // to be written: whatever lies in panels is out of date
    // Becomes the value, of the same type, without being copied where nobody holds rows.
    void Set(Tensor value);
    void SetZeros();

    // The elements in row-major order for as long as it lives. The store must not be written meanwhile.
    class Reading {
     public:
      explicit Reading(const Entry& entry);  // copies what lies in panels
      ~Reading();
      Reading(const Reading&) = delete;
      Reading& operator=(const Reading&) = delete;
      std::span<const std::byte> bytes() const { return bytes_; }

     private:
      const Entry* held_ = nullptr;
      Tensor copy_;  // of panels
      std::span<const std::byte> bytes_;
    };

    // For a program: holds memory of this layout, which stays where it is until it is released as often.
    std::byte* Hold(Layout layout);
    void Release(Layout layout);
    // Before the program reads `layout`, which it holds, and perhaps writes it.
    void Prepare(Layout layout, bool is_written);

   private:
    enum class Fresh : uint8_t { kNeither, kRowMajor, kPanels, kBoth };  // kNeither: zeros
    static Fresh Only(Layout layout) { return layout == Layout::kPanels ? Fresh::kPanels : Fresh::kRowMajor; }
    size_t& Holders(Layout layout) const { return layout == Layout::kPanels ? panels_holders_ : rows_holders_; }
    std::byte* Memory(Layout layout) const {
      return layout == Layout::kPanels ? panels_.bytes().data() : rows_.bytes().data();
    }
    void Convert(const std::byte* from, std::byte* to, Layout layout) const;
    // These are called with the mutex locked.
    bool Has(Layout layout) const;
    std::byte* Allocate(Layout layout) const;
    void Refresh(Layout layout) const;
    void DropIfStale(Layout layout) const;

    TensorType type_;
    mutable std::mutex mutex_;
    mutable Tensor rows_;
    mutable Pages panels_;
    mutable size_t rows_holders_ = 0, panels_holders_ = 0;
    mutable std::atomic<Fresh> fresh_ = Fresh::kNeither;
    mutable bool is_known_ = false;  // its rows are held for whoever called value()
  };

  VariableStore() = default;
  explicit VariableStore(const Graph& graph) { Declare(graph); }  // throws as Declare
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
