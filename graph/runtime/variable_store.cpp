// Declaring variables, and their values.
#include "weft/graph/runtime/variable_store.h"

#include <algorithm>
#include <string_view>

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

const Tensor& VariableStore::Entry::value() const {
  Refresh(Layout::kRowMajor);
  return value_;
}

Tensor& VariableStore::Entry::value() {
  Refresh(Layout::kRowMajor);
  fresh_ = Fresh::kRowMajor;
  return value_;
}

std::byte* VariableStore::Entry::Bytes(Layout layout) {
  if (layout == Layout::kRowMajor) return value_.bytes().data();
  const std::lock_guard lock(mutex_);
  if (panels_.size() == 0) {
    const int64_t width = PanelWidth(value_.dtype()), columns = value_.shape()[1].length();
    panels_ = Tensor(value_.dtype(), {value_.shape()[0], (columns + width - 1) / width * width});
  }
  return panels_.bytes().data();
}

void VariableStore::Entry::Prepare(Layout layout, bool is_written) {
  Refresh(layout);
  if (is_written) fresh_ = layout == Layout::kPanels ? Fresh::kPanels : Fresh::kRowMajor;
}

void VariableStore::Entry::Refresh(Layout layout) const {
  const Fresh stale = layout == Layout::kPanels ? Fresh::kRowMajor : Fresh::kPanels;
  if (fresh_.load(std::memory_order_acquire) != stale) return;
  const std::lock_guard lock(mutex_);
  if (fresh_.load(std::memory_order_acquire) != stale) return;
  const int64_t rows = value_.shape()[0].length(), columns = value_.shape()[1].length();
  const auto size = static_cast<int64_t>(SizeOf(value_.dtype()));
  if (layout == Layout::kPanels) ToPanels(value_.bytes().data(), rows, columns, size, 0, rows, panels_.bytes().data());
  else FromPanels(panels_.bytes().data(), rows, columns, size, 0, rows, value_.bytes().data());
  fresh_.store(Fresh::kBoth, std::memory_order_release);
}

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
  std::ranges::copy(value.bytes(), entry.value().bytes().begin());  // into the old memory: programs point to it
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
