// What cannot be exported is refused, with a reason.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/exporters/exported_ops.h"
#include "weft/exporters/javascript.h"
#include "weft/exporters/onnx.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/op_matrix.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Exports, HaveARowForEachOpInOrder) {
  const auto rows = ExportedOps();
  ASSERT_EQ(rows.size(), AllOps().size());
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].op, AllOps()[i]) << *AllOps()[i]->name;
}

// The rest is exported by export_cases.cpp, all of it.
TEST(Exports, RefuseWhatIsRandomByTheNameOfTheNode) {
  for (const OpDef* op : AllOps()) {
    if (!op->traits.is_random && !op->is_source(SourceKind::kRandomState)) continue;
    const std::unique_ptr<OpGraph> sample = BuildOpGraph(*op, op->samples().samples[0], DType::kFloat32);
    const VariableStore variables;
    const InferencePart part = InferencePartOf(sample->graph, {}, {sample->y()});
    const auto is_reason = AllOf(HasSubstr(std::string(*op->name) + " 'Y': cannot be exported: "), HasSubstr("inputs"));
    EXPECT_THAT(Thrown<ExportError>([&] { ToOnnx(part, variables); }), is_reason);
    EXPECT_THAT(Thrown<ExportError>([&] { ToJavaScript(part, variables, "run"); }), is_reason);
  }
}

TEST(Exports, RefuseWhatInferencePartOfTakesAway) {
  InferencePart part;
  const Node x = Placeholder(part.graph, "X", {2});
  part.inputs = {x.id()};
  part.outputs = {ByMode(x, StopGradient(x)).id()};
  EXPECT_THAT(Thrown<ExportError>([&] { ToOnnx(part, {}); }), HasSubstr("ByMode 'ByMode': cannot be exported"));
}

TEST(Exports, RefuseAnOpThatTheyDoNotKnow) {
  OpDef unknown = kExp;
  unknown.name = "Unknown";
  InferencePart part;
  part.outputs = {part.graph.AddNamed("Y", unknown, {Constant(part.graph, 1)}).id()};
  EXPECT_THAT(Thrown<ExportError>([&] { ToJavaScript(part, {}, "run"); }),
              HasSubstr("Unknown 'Y': cannot be exported"));
}

// A graph of one variable: Y = 2·W.
struct Doubled {
  Graph graph;
  VariableStore variables;
  InferencePart part;

  explicit Doubled(std::string_view name = "W") {
    const Node w = Variable(name, Constant(graph, Tensor::Of<float>({2}, {1, 2})));
    part = InferencePartOf(graph, {}, {2 * w});
  }
};

TEST(Exports, RefuseAVariableWithoutAValue) {
  Doubled doubled;
  doubled.variables.Declare(doubled.graph);
  EXPECT_THAT(Thrown([&] { ToOnnx(doubled.part, doubled.variables); }), HasSubstr("'W'"));
}

TEST(Exports, RefuseAVariableOfAnotherShape) {
  Doubled doubled;
  doubled.variables.Set("W", Tensor::Of<float>({3}, {1, 2, 3}));
  const auto is_sentence = HasSubstr("variable 'W': got f32[3], expected f32[2]");
  EXPECT_THAT(Thrown<ExportError>([&] { ToOnnx(doubled.part, doubled.variables); }), is_sentence);
  EXPECT_THAT(Thrown<ExportError>([&] { ToJavaScript(doubled.part, doubled.variables, "run"); }), is_sentence);
}

TEST(Exports, RefuseNamesThatAreNoUtf8) {
  Doubled doubled("W\xff");
  doubled.variables.Set("W\xff", Tensor::Of<float>({2}, {1, 2}));
  const auto is_sentence = HasSubstr("name of a node: got 'W\\xff', expected UTF-8");
  EXPECT_THAT(Thrown<ExportError>([&] { ToOnnx(doubled.part, doubled.variables); }), is_sentence);
  EXPECT_THAT(Thrown<ExportError>([&] { ToJavaScript(doubled.part, doubled.variables, "run"); }), is_sentence);
}

TEST(ToJavaScript, RefusesANameThatIsNoIdentifier) {
  const InferencePart part;
  for (const char* name : {"", "1st", "a b", "x;alert(1)", "ä"})
    EXPECT_THAT(Thrown<ExportError>([&] { ToJavaScript(part, {}, name); }), HasSubstr("name of the function")) << name;
}

TEST(ToOnnx, RefusesABatchSizeThatNoInputHas) {
  Graph graph;
  const Node y = BroadcastTo(Constant(graph, 1), {kBatch, 2});
  EXPECT_THAT(Thrown<ExportError>([&] { ToOnnx(InferencePartOf(graph, {}, {y}), {}); }), HasSubstr("batch size N"));
}

TEST(ToOnnx, RefusesADescriptionThatIsNoUtf8) {
  const InferencePart part;
  EXPECT_THAT(Thrown<ExportError>([&] { ToOnnx(part, {}, {.description = "\xff"}); }), HasSubstr("description"));
}

}  // namespace
}  // namespace weft
