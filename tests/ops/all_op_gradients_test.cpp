// The op matrix, calculus: the gradient of every op, and the gradient of that, over its own samples: beside difference
// quotients, complex steps, and f64 beside f32. What PyTorch says is in golden_gradients_test.cpp.
#include <algorithm>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/gradient_graph.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

class EveryOpGradient : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }

  // Calls `check` with the gradients of the first and of the second order over each sample.
  template <class Check>
  void OfBothOrders(DType dtype, const Check& check) const {
    if (!op().gradient->differentiable()) return;
    for (const auto& graph : OpGraphs(op(), dtype)) {
      SCOPED_TRACE(graph->label);
      if (!IsFloating(graph->y().dtype())) continue;
      GradientGraph gradients(*graph);
      if (!gradients.has_variables()) continue;
      check(*graph, gradients.First(), gradients.feeds());
      SCOPED_TRACE("of the gradient");
      check(*graph, gradients.Second(), gradients.feeds());
    }
  }

  // Of the kernels on every SIMD target from the formulas in f64, in units of epsilon.
  void CompareKernels(DType dtype, double epsilon) const {
    Distance worst;
    OfBothOrders(dtype, [&](OpGraph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds) {
      if (graph.y().dtype() != dtype) return;  // a cast, which rounds to another type
      const FormulaGradients formulas(graph.graph, check, feeds);
      for (const int64_t target : SimdTargets()) {
        const OnSimdTarget on(target);
        const Distance distance = formulas.To(CompiledGraph(graph.graph, check.gradients).Run(feeds));
        EXPECT_LE(distance.terms, kKernelUnits * epsilon) << SimdTargetName(target) << ": " << distance.where;
        if (distance.terms > worst.terms) worst = distance;
      }
    });
    RecordProperty("worst", std::to_string(worst.terms / epsilon) + " units of the terms, " + worst.where);
  }
};

std::string NameOf(const testing::TestParamInfo<const OpDef*>& tested) { return std::string(*tested.param->name); }

INSTANTIATE_TEST_SUITE_P(AllOps, EveryOpGradient, testing::ValuesIn(AllOps().begin(), AllOps().end()), NameOf);

// The formulas show that the calculus is right, the compiled program that the kernels are.
TEST_P(EveryOpGradient, IsTheDifferenceQuotient) {
  if (op().samples().times_differentiable < 2) return;  // StopGradient, whose slope is not its gradient
  OfBothOrders(DType::kFloat64, [&](OpGraph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds) {
    if (graph.y().dtype() != DType::kFloat64) return;  // rounded to another type it is no smooth function
    const std::vector<Node> fetches = check.fetches();
    const auto interpret = [&](const auto& moved) { return InterpretReference(graph.graph, fetches, moved); };
    EXPECT_EQ(Disagreement(check, feeds, interpret), "") << "by formulas";
    for (const int64_t target : SimdTargets()) {
      const OnSimdTarget on(target);
      CompiledGraph compiled(graph.graph, fetches);
      const auto compute = [&](const auto& moved) { return compiled.Run(moved); };
      EXPECT_EQ(Disagreement(check, feeds, compute), "") << "by kernels on " << SimdTargetName(target);
    }
  });
}

TEST_P(EveryOpGradient, IsTheComplexStep) {
  Distance worst;
  OfBothOrders(DType::kFloat64, [&](OpGraph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds) {
    const Distance distance = FromSlopes(graph.graph, check, feeds);
    EXPECT_LE(distance.terms, kSlopeError) << distance.where;
    if (distance.terms > worst.terms) worst = distance;
  });
  RecordProperty("worst", std::to_string(worst.terms / 1e-16) + "e-16 of the terms, " + worst.where);
}

TEST_P(EveryOpGradient, OfKernelsInDoublePrecisionIsThatOfTheFormulas) { CompareKernels(DType::kFloat64, 0x1p-53); }

TEST_P(EveryOpGradient, OfKernelsInSinglePrecisionIsThatOfTheFormulas) { CompareKernels(DType::kFloat32, 0x1p-24); }

TEST_P(EveryOpGradient, HasASymmetricGradient) {
  double worst = 0;
  OfBothOrders(DType::kFloat64, [&](OpGraph& graph, const GradientCheck& check, const std::map<NodeId, Tensor>& feeds) {
    if (check.results[0] == graph.y() || graph.y().dtype() != DType::kFloat64) return;  // second order only
    CompiledGraph compiled(graph.graph, check.gradients);
    worst = std::max(worst, Asymmetry(check, feeds, [&](const auto& moved) { return compiled.Run(moved); }));
  });
  EXPECT_LE(worst, 1e-10);
  RecordProperty("worst", std::to_string(worst / 1e-16) + "e-16");
}

TEST_P(EveryOpGradient, IsRefusedWithTheReason) {
  if (op().gradient->differentiable()) return;
  for (const auto& graph : OpGraphs(op(), DType::kFloat64)) {
    const Node target = ReduceSum(graph->y());
    const std::string text = Thrown([&] { Gradients(target, graph->operands, {.unconnected = Unconnected::kZero}); });
    EXPECT_NE(text.find(std::string(op().gradient->reason())), std::string::npos) << text;
    EXPECT_NE(text.find("'Y'"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace weft
