// Operators of opset 13.
#include "weft/exporters/onnx_rules.h"

#include <algorithm>
#include <numeric>

#include "weft/exporters/onnx_node.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

int64_t TypeOf(DType dtype) { return OnnxType(dtype); }

std::vector<int64_t> ReducedAxes(const OnnxNode& node) {
  std::vector<int64_t> axes(static_cast<size_t>(node.attributes().Get<int64_t>("count")));
  std::iota(axes.begin(), axes.end(), node.attributes().Get<int64_t>("axis"));
  return axes;
}

float RealOf(const OnnxNode& node, std::string_view key) {
  return static_cast<float>(node.attributes().Get<double>(key));
}

int64_t FlagOf(const OnnxNode& node, std::string_view key) { return node.attributes().Get<bool>(key) ? 1 : 0; }

}  // namespace

void OnnxElementCount(OnnxNode& node) {
  const Axes& axes = node.attributes().Get<Axes>("axes");
  const std::string lengths = node.Inner("Gather", {node.Inner("Shape", {node.operand(0)}), node.Integers(axes)});
  node.Result("Cast", {node.Inner("ReduceProd", {lengths}, {{"keepdims", int64_t{0}}})},
              {{"to", TypeOf(node.type().dtype)}});
}

void OnnxSquare(OnnxNode& node) { node.Result("Mul", {node.operand(0), node.operand(0)}); }
// Near 0 both are off by a rounding of 1: an absolute error of 6e-8 in f32.
void OnnxExpm1(OnnxNode& node) { node.Result("Sub", {node.Inner("Exp", {node.operand(0)}), node.Number(1)}); }
void OnnxLog1p(OnnxNode& node) { node.Result("Log", {node.Inner("Add", {node.operand(0), node.Number(1)})}); }

void OnnxLeakyRelu(OnnxNode& node) { node.Result("LeakyRelu", node.operands(), {{"alpha", RealOf(node, "slope")}}); }
void OnnxElu(OnnxNode& node) { node.Result("Elu", node.operands(), {{"alpha", RealOf(node, "alpha")}}); }

void OnnxCompare(OnnxNode& node) {
  const std::string& relation = node.attributes().Get<std::string>("relation");
  const std::string_view op = relation == ">" ? "Greater" : relation == ">=" ? "GreaterOrEqual" : "Equal";
  std::string holds = node.Inner(op, {node.operand(0), node.operand(1)});
  if (relation == "!=") holds = node.Inner("Not", {holds});
  node.Result("Cast", {holds}, {{"to", TypeOf(node.type().dtype)}});
}

void OnnxSelect(OnnxNode& node) {
  const std::string condition = node.Inner("Cast", {node.operand(0)}, {{"to", TypeOf(DType::kBool)}});
  node.Result("Where", {condition, node.operand(1), node.operand(2)});
}

void OnnxCast(OnnxNode& node) { node.Result("Cast", node.operands(), {{"to", TypeOf(node.type().dtype)}}); }

void OnnxReduceSum(OnnxNode& node) {
  node.Result("ReduceSum", {node.operand(0), node.Integers(ReducedAxes(node))}, {{"keepdims", int64_t{0}}});
}
void OnnxReduceMax(OnnxNode& node) {
  node.Result("ReduceMax", node.operands(), {{"axes", ReducedAxes(node)}, {"keepdims", int64_t{0}}});
}

void OnnxBroadcastTo(OnnxNode& node) { node.Result("Expand", {node.operand(0), node.Lengths(node.type().shape)}); }

void OnnxReshape(OnnxNode& node) { node.Result("Reshape", {node.operand(0), node.Lengths(node.type().shape)}); }

void OnnxTranspose(OnnxNode& node) {
  const Axes& permutation = node.attributes().Get<Axes>("permutation");
  if (permutation.empty()) node.Result("Identity", node.operands());  // an empty list is no attribute
  else node.Result("Transpose", node.operands(), {{"perm", permutation}});
}

void OnnxSlice(OnnxNode& node) {
  const auto one = [&](std::string_view key) {
    const int64_t value = node.attributes().Get<int64_t>(key);
    return node.Integers({&value, 1});
  };
  node.Result("Slice", {node.operand(0), one("begin"), one("end"), one("axis")});
}

void OnnxConcatenate(OnnxNode& node) {
  node.Result("Concat", node.operands(), {{"axis", node.attributes().Get<int64_t>("axis")}});
}

void OnnxMatMul(OnnxNode& node) {
  const int64_t left = FlagOf(node, "transpose_left"), right = FlagOf(node, "transpose_right");
  if (left == 0 && right == 0) node.Result("MatMul", node.operands());
  else node.Result("Gemm", node.operands(), {{"transA", left}, {"transB", right}});
}

// |x|·(1 − t) for x > 0 and |x|·t else, and log(1 + e^−|x|): as the kernel has it, right for infinite x, too.
void OnnxSigmoidCrossEntropy(OnnxNode& node) {
  const std::string &x = node.operand(0), &target = node.operand(1);
  const std::string magnitude = node.Inner("Abs", {x}), is_positive = node.Inner("Greater", {x, node.Number(0)});
  const std::string missed = node.Inner("Where", {is_positive, node.Inner("Sub", {node.Number(1), target}), target});
  node.Result("Add",
              {node.Inner("Mul", {magnitude, missed}), node.Inner("Softplus", {node.Inner("Neg", {magnitude})})});
}

}  // namespace weft
