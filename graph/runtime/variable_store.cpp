// Declaring variables, and their values.
#include "weft/graph/runtime/variable_store.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/panels.h"

namespace weft {
namespace {

void RequireType(const Path& path, const VariableStore::Entry& known, DType dtype, const Shape& shape) {
  if (known.type().dtype == dtype && known.type().shape == shape) return;
  throw GraphError(fmt::format("variable '{}': got {}, expected {} as it is declared", Escaped(path.str()),
                               ToString(TensorType{.dtype = dtype, .shape = shape}), ToString(known.type())));
}

}  // namespace

// ---- Entries --------------------------------------------------------------------------------------------------------

VariableStore::Entry::Entry(DType dtype, const Shape& shape) : type_({.dtype = dtype, .shape = shape}) {
  PaddedByteSize(dtype, shape);  // throws now what memory of this size would throw
}

const Tensor& VariableStore::Entry::value() const {
  const std::lock_guard lock(mutex_);
  Refresh(Layout::kRowMajor);
  if (!std::exchange(is_known_, true)) ++rows_holders_;
  return rows_;
}

Tensor& VariableStore::Entry::value() {
  std::as_const(*this).value();
  const std::lock_guard lock(mutex_);
  fresh_ = Fresh::kRowMajor;
  return rows_;
}

void VariableStore::Entry::Set(Tensor value) {
  const std::lock_guard lock(mutex_);
  if (rows_holders_ > 0) {
    std::ranges::copy(std::as_const(value).bytes(), rows_.bytes().begin());
  } else if (panels_holders_ > 0) {
    Convert(value.bytes().data(), panels_.bytes().data(), Layout::kPanels);
    fresh_ = Fresh::kPanels;
    return DropIfStale(Layout::kRowMajor);
  } else {
    rows_ = std::move(value);
  }
  fresh_ = Fresh::kRowMajor;
  DropIfStale(Layout::kPanels);
}

void VariableStore::Entry::SetZeros() {
  const std::lock_guard lock(mutex_);
  fresh_ = Fresh::kNeither;
  for (const Layout layout : {Layout::kRowMajor, Layout::kPanels}) {
    DropIfStale(layout);
    if (Holders(layout) == 0) continue;
    if (layout == Layout::kPanels) std::ranges::fill(panels_.bytes(), std::byte{0});
    else std::ranges::fill(rows_.bytes(), std::byte{0});
    fresh_ = fresh_ == Fresh::kNeither ? Only(layout) : Fresh::kBoth;
  }
}

VariableStore::Entry::Reading::Reading(const Entry& entry) {
  const std::lock_guard lock(entry.mutex_);
  if (entry.fresh_ == Fresh::kPanels) {
    copy_ = Tensor(entry.type_.dtype, entry.type_.shape);
    entry.Convert(entry.panels_.bytes().data(), copy_.bytes().data(), Layout::kRowMajor);
    bytes_ = copy_.bytes();
  } else if (entry.fresh_ == Fresh::kNeither) {
    copy_ = Tensor(entry.type_.dtype, entry.type_.shape);
    bytes_ = copy_.bytes();
  } else {
    held_ = &entry;
    ++entry.rows_holders_;
    bytes_ = std::as_const(entry.rows_).bytes();
  }
}

VariableStore::Entry::Reading::~Reading() {
  if (held_ == nullptr) return;
  const std::lock_guard lock(held_->mutex_);
  --held_->rows_holders_;
  held_->DropIfStale(Layout::kRowMajor);
}

std::byte* VariableStore::Entry::Hold(Layout layout) {
  const std::lock_guard lock(mutex_);
  std::byte* const memory = Allocate(layout);
  ++Holders(layout);
  if (fresh_ == Fresh::kNeither) fresh_ = Only(layout);
  return memory;
}

void VariableStore::Entry::Release(Layout layout) {
  const std::lock_guard lock(mutex_);
  --Holders(layout);
  DropIfStale(layout);
}

void VariableStore::Entry::Prepare(Layout layout, bool is_written) {
  if (const Fresh fresh = fresh_.load(std::memory_order_acquire); fresh != Only(layout) && fresh != Fresh::kBoth) {
    const std::lock_guard lock(mutex_);
    Refresh(layout);
  }
  if (is_written) fresh_ = Only(layout);
}

// To `layout`, from the other one.
void VariableStore::Entry::Convert(const std::byte* from, std::byte* to, Layout layout) const {
  const int64_t rows = type_.shape[0].length(), columns = type_.shape[1].length();
  (layout == Layout::kPanels ? ToPanels : FromPanels)(from, rows, columns, static_cast<int64_t>(SizeOf(type_.dtype)), 0,
                                                      rows, to);
}

bool VariableStore::Entry::Has(Layout layout) const { return fresh_ == Only(layout) || fresh_ == Fresh::kBoth; }

std::byte* VariableStore::Entry::Allocate(Layout layout) const {
  if (Holders(layout) == 0 && !Has(layout)) {
    if (layout == Layout::kRowMajor) {
      rows_ = Tensor(type_.dtype, type_.shape);
    } else {
      const int64_t width = PanelWidth(type_.dtype), panels = (type_.shape[1].length() + width - 1) / width;
      panels_ = Pages(static_cast<size_t>(PaddedByteSize(type_.dtype, {panels * width, type_.shape[0]})));
    }
  }
  return Memory(layout);
}

void VariableStore::Entry::Refresh(Layout layout) const {
  if (Has(layout)) return;
  std::byte* const to = Allocate(layout);
  if (fresh_ == Fresh::kNeither) {
    fresh_ = Only(layout);
    return;
  }
  const Layout other = layout == Layout::kPanels ? Layout::kRowMajor : Layout::kPanels;
  Convert(Memory(other), to, layout);
  fresh_.store(Fresh::kBoth, std::memory_order_release);
  DropIfStale(other);
}

// Memory that nobody holds goes unless it alone has the value.
void VariableStore::Entry::DropIfStale(Layout layout) const {
  if (Holders(layout) > 0 || fresh_ == Only(layout)) return;
  if (fresh_ == Fresh::kBoth) fresh_ = Only(layout == Layout::kPanels ? Layout::kRowMajor : Layout::kPanels);
  if (layout == Layout::kPanels) panels_ = Pages();
  else rows_ = Tensor();
}

// ---- The store ------------------------------------------------------------------------------------------------------

void VariableStore::Declare(const Graph& graph) {
  std::vector<NodeId> fresh;  // all are checked before the first is added
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    if (!graph.op(id).is_source(SourceKind::kVariable)) continue;
    if (const Entry* known = Find(graph.name(id))) {
      RequireType(graph.name(id), *known, graph.type(id).dtype, graph.type(id).shape);
    } else {
      fresh.push_back(id);
    }
  }
  for (NodeId id : fresh) Declare(graph.name(id), graph.type(id).dtype, graph.type(id).shape);
}

void VariableStore::Declare(const Path& path, DType dtype, const Shape& shape) {
  if (path.is_root()) throw GraphError("variable: got no name, expected a path");
  if (const Entry* known = Find(path)) return RequireType(path, *known, dtype, shape);
  if (!shape.is_bound()) {
    throw GraphError(
        fmt::format("variable '{}': got {}, expected a shape without N", Escaped(path.str()), ToString(shape)));
  }
  entries_.try_emplace(path, dtype, shape);
}

void VariableStore::Set(const Path& path, const Tensor& value) {
  Declare(path, value.dtype(), value.shape());
  Entry& entry = entries_.at(path);
  entry.Set(value);
  entry.initialised = true;
}

const Tensor& VariableStore::Get(const Path& path) const {
  const Entry* entry = Find(path);
  if (entry == nullptr) {
    std::vector<std::string_view> known;
    for (const auto& [name, unused] : entries_) known.push_back(name.str());
    throw GraphError(fmt::format("No variable '{}'{}", Escaped(path.str()), DidYouMean(path.str(), known)));
  }
  if (!entry->initialised) throw GraphError(fmt::format("variable '{}': has no value yet", Escaped(path.str())));
  return entry->value();
}

VariableStore::Entry* VariableStore::Find(const Path& path) {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : &found->second;
}

const VariableStore::Entry* VariableStore::Find(const Path& path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<Path> VariableStore::Paths(const Path& scope) const {
  std::vector<Path> paths;
  for (const auto& [path, unused] : entries_) {
    if (path.IsWithin(scope)) paths.push_back(path);
  }
  return paths;
}

}  // namespace weft
