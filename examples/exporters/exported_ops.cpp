// One row an op.
#include "weft/exporters/exported_ops.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/exporters/inference_part.h"
#include "weft/exporters/onnx_rules.h"
#include "weft/exporters/script_rules.h"
#include "weft/ops/all_ops.h"

namespace weft {
namespace {

constexpr std::string_view kDrawn =
    "other runtimes do not draw weft's numbers; make it, or a node behind it, one of the inputs";
constexpr std::string_view kChosen = "it is gone from an inference part";

constexpr ExportedOp kTable[] = {
    {.op = &kConstant},
    {.op = &kPlaceholder},
    {.op = &kVariable},
    {.op = &kRandomState, .refusal = kDrawn},
    {.op = &kElementCount, .onnx = OnnxElementCount, .script = ScriptElementCount},
    {.op = &kAdd, .onnx = "Add", .script = "a + b"},
    {.op = &kSubtract, .onnx = "Sub", .script = "a - b"},
    {.op = &kMultiply, .onnx = "Mul", .script = "a * b"},
    {.op = &kDivide, .onnx = "Div", .script = "a / b"},
    {.op = &kMinimum, .onnx = "Min", .script = "Math.min(a, b)"},
    {.op = &kMaximum, .onnx = "Max", .script = "Math.max(a, b)"},
    {.op = &kNegate, .onnx = "Neg", .script = "-a"},
    {.op = &kAbs, .onnx = "Abs", .script = "Math.abs(a)"},
    {.op = &kSquare, .onnx = OnnxSquare, .script = "a * a"},
    {.op = &kSqrt, .onnx = "Sqrt", .script = "Math.sqrt(a)"},
    {.op = &kExp, .onnx = "Exp", .script = "Math.exp(a)"},
    {.op = &kLog, .onnx = "Log", .script = "Math.log(a)"},
    {.op = &kExpm1, .onnx = OnnxExpm1, .script = "Math.expm1(a)"},
    {.op = &kLog1p, .onnx = OnnxLog1p, .script = "Math.log1p(a)"},
    {.op = &kSigmoid, .onnx = "Sigmoid", .script = "1 / (1 + Math.exp(-a))"},
    {.op = &kTanh, .onnx = "Tanh", .script = "Math.tanh(a)"},
    {.op = &kErf, .onnx = "Erf", .script = "erf(a)"},
    {.op = &kRelu, .onnx = "Relu", .script = "a < 0 ? 0 : a"},
    {.op = &kLeakyRelu, .onnx = OnnxLeakyRelu, .script = "a > 0 ? a : slope * a"},
    {.op = &kElu, .onnx = OnnxElu, .script = "a > 0 ? a : alpha * Math.expm1(a)"},
    {.op = &kSoftplus, .onnx = "Softplus", .script = "Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))"},
    {.op = &kCompare, .onnx = OnnxCompare, .script = ScriptCompare},
    {.op = &kSelect, .onnx = OnnxSelect, .script = "a !== 0 ? b : c"},
    {.op = &kCast, .onnx = OnnxCast, .script = ScriptCast},
    {.op = &kReduceSum, .onnx = OnnxReduceSum, .script = ScriptReduceSum},
    {.op = &kReduceMax, .onnx = OnnxReduceMax, .script = ScriptReduceMax},
    {.op = &kBroadcastTo, .onnx = OnnxBroadcastTo, .script = ScriptBroadcastTo},
    {.op = &kReshape, .onnx = OnnxReshape, .script = ScriptReshape},
    {.op = &kTranspose, .onnx = OnnxTranspose, .script = ScriptTranspose},
    {.op = &kSlice, .onnx = OnnxSlice, .script = ScriptSlice},
    {.op = &kConcatenate, .onnx = OnnxConcatenate, .script = ScriptConcatenate},
    {.op = &kMatMul, .onnx = OnnxMatMul, .script = ScriptMatMul},
    {.op = &kRandomUniform, .refusal = kDrawn},
    {.op = &kRandomNormal, .refusal = kDrawn},
    {.op = &kTruncatedNormal, .refusal = kDrawn},
    {.op = &kStopGradient, .refusal = kChosen},
    {.op = &kByMode, .refusal = kChosen},
    {.op = &kSigmoidCrossEntropy,
     .onnx = OnnxSigmoidCrossEntropy,
     .script = "Math.abs(a) * (a > 0 ? 1 - b : b) + Math.log1p(Math.exp(-Math.abs(a)))"},
};

const ExportedOp& RowOf(const Graph& graph, NodeId id) {
  const OpDef& op = graph.op(id);
  const auto* const row = std::ranges::find(kTable, &op, &ExportedOp::op);
  const bool known = row != std::end(kTable);
  if (known && row->refusal.empty()) return *row;
  throw ExportError(fmt::format("{} '{}': cannot be exported: {}", *op.name, Escaped(graph.name(id).str()),
                                known ? row->refusal : "no other language is known to have the op"));
}

}  // namespace

std::span<const ExportedOp> ExportedOps() { return kTable; }

std::vector<const ExportedOp*> RowsOf(const Graph& graph) {
  std::vector<const ExportedOp*> rows(graph.size());
  for (auto i = static_cast<uint32_t>(rows.size()); i-- > 0;) rows[i] = &RowOf(graph, NodeId{i});
  return rows;
}

}  // namespace weft
