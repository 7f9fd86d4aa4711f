// Calls of the functions in script_functions.h.
#include "weft/exporters/script_rules.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/exporters/script_node.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

std::span<const Dim> DimsOf(const Shape& shape) { return {shape.begin(), shape.rank()}; }

std::string List(const std::vector<std::string>& texts) { return fmt::format("[{}]", fmt::join(texts, ", ")); }

// Elements from one element of an axis to the next.
std::vector<std::string> Strides(const Shape& shape) {
  std::vector<std::string> strides;
  for (size_t axis = 0; axis < shape.rank(); ++axis) strides.push_back(CountText(DimsOf(shape).subspan(axis + 1)));
  return strides;
}

// The operand, read with these strides along the axes of the result.
void Read(ScriptNode& node, const std::vector<std::string>& strides, const std::string& offset = "0") {
  std::vector<std::string> lengths;
  for (const Dim& dim : node.type().shape) lengths.push_back(CountText({&dim, 1}));
  node.Array(fmt::format("read({{}}, {}, {}, {}, {})", node.operand(0), List(lengths), List(strides), offset));
}

void Fold(ScriptNode& node, std::string_view start, std::string_view join) {
  const std::span<const Dim> dims = DimsOf(node.operand_type(0).shape);
  const auto axis = static_cast<size_t>(node.attributes().Get<int64_t>("axis")),
             count = static_cast<size_t>(node.attributes().Get<int64_t>("count"));
  node.Array(fmt::format("fold({{}}, {}, {}, {}, {}, {})", node.operand(0), CountText(dims.subspan(axis, count)),
                         CountText(dims.subspan(axis + count)), start, join));
}

}  // namespace

void ScriptElementCount(ScriptNode& node) {
  std::vector<Dim> dims;
  for (int64_t axis : node.attributes().Get<Axes>("axes"))
    dims.push_back(node.operand_type(0).shape[static_cast<size_t>(axis)]);
  node.Array(fmt::format("{{}}.fill({})", CountText(dims)));
}

void ScriptCompare(ScriptNode& node) {
  const std::string& relation = node.attributes().Get<std::string>("relation");
  node.Elements(fmt::format("a {}{} b ? 1 : 0", relation, relation.ends_with("==") || relation == "!=" ? "=" : ""));
}

void ScriptCast(ScriptNode& node) {
  const DType from = node.operand_type(0).dtype, to = node.type().dtype;
  if (to == DType::kBool) return node.Elements("a != 0 ? 1 : 0");
  if (to == DType::kInt64) return node.Elements(from == DType::kInt64 ? "a" : "whole(a)");
  node.Elements("Number(a)");
}

void ScriptReduceSum(ScriptNode& node) { Fold(node, "0", "(a, b) => a + b"); }
void ScriptReduceMax(ScriptNode& node) { Fold(node, "-Infinity", "Math.max"); }

void ScriptBroadcastTo(ScriptNode& node) {
  const Shape& x = node.operand_type(0).shape;
  std::vector<std::string> strides = Strides(x);
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    if (x[axis] == Dim(1)) strides[axis] = "0";
  }
  strides.insert(strides.begin(), node.type().shape.rank() - x.rank(), "0");
  Read(node, strides);
}

void ScriptReshape(ScriptNode& node) { node.Array(node.operand(0)); }

void ScriptTranspose(ScriptNode& node) {
  const std::vector<std::string> strides = Strides(node.operand_type(0).shape);
  std::vector<std::string> permuted;
  for (int64_t axis : node.attributes().Get<Axes>("permutation"))
    permuted.push_back(strides[static_cast<size_t>(axis)]);
  Read(node, permuted);
}

void ScriptSlice(ScriptNode& node) {
  const std::vector<std::string> strides = Strides(node.operand_type(0).shape);
  const auto axis = static_cast<size_t>(node.attributes().Get<int64_t>("axis"));
  Read(node, strides, fmt::format("{} * {}", node.attributes().Get<int64_t>("begin"), strides[axis]));
}

void ScriptConcatenate(ScriptNode& node) {
  const auto axis = static_cast<size_t>(node.attributes().Get<int64_t>("axis"));
  std::vector<std::string> parts, widths;
  for (size_t i = 0; i < node.operand_count(); ++i) {
    parts.push_back(node.operand(i));
    widths.push_back(CountText(DimsOf(node.operand_type(i).shape).subspan(axis)));
  }
  node.Array(fmt::format("concatenate({{}}, {}, {})", List(parts), List(widths)));
}

void ScriptMatMul(ScriptNode& node) {
  const auto text = [](const Dim& dim) { return CountText({&dim, 1}); };
  const Shape &left = node.operand_type(0).shape, &right = node.operand_type(1).shape;
  const bool transpose_left = node.attributes().Get<bool>("transpose_left"),
             transpose_right = node.attributes().Get<bool>("transpose_right");
  const std::string left_width = text(left[1]), right_width = text(right[1]);
  node.Array(fmt::format("multiply({{}}, {}, {}, {}, {}, {}, {}, {})", node.operand(0), node.operand(1),
                         text(left[transpose_left ? 0 : 1]), text(node.type().shape[1]),
                         transpose_left ? "1, " + left_width : left_width + ", 1",
                         transpose_right ? "1, " + right_width : right_width + ", 1", text(node.type().shape[0])));
}

}  // namespace weft
