// The op matrix, calculus: the gradient of every op, and the gradient of that, over its own samples in f64.
#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/gradient_graph.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

// The formulas show that the calculus is right, the compiled program that the kernels are.
void ExpectAgreement(const GradientCheck& check, const std::map<NodeId, Tensor>& feeds, Graph& graph) {
  const std::vector<Node> fetches = check.fetches();
  const auto interpret = [&](const auto& moved) { return InterpretReference(graph, fetches, moved); };
  EXPECT_EQ(Disagreement(check, feeds, interpret), "") << "by formulas";
  CompiledGraph compiled(graph, fetches);
  const auto compute = [&](const auto& moved) { return compiled.Run(moved); };
  EXPECT_EQ(Disagreement(check, feeds, compute), "") << "by kernels";
}

class EveryOpGradient : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }

  // Of the first order, or of the second.
  void Check(int order) const {
    if (!op().gradient->differentiable() || op().samples().times_differentiable < order) return;
    for (const auto& graph : OpGraphs(op(), DType::kFloat64)) {
      SCOPED_TRACE(graph->label);
      if (graph->y().dtype() != DType::kFloat64) continue;  // rounded to another type it is no smooth function
      const GradientGraph gradients(*graph);
      if (!gradients.has_variables()) continue;
      ExpectAgreement(order == 1 ? gradients.First() : gradients.Second(), gradients.feeds(), graph->graph);
    }
  }
};

std::string NameOf(const testing::TestParamInfo<const OpDef*>& tested) { return std::string(*tested.param->name); }

INSTANTIATE_TEST_SUITE_P(AllOps, EveryOpGradient, testing::ValuesIn(AllOps().begin(), AllOps().end()), NameOf);

TEST_P(EveryOpGradient, IsTheDifferenceQuotient) { Check(1); }

TEST_P(EveryOpGradient, HasAGradientThatIsTheDifferenceQuotient) { Check(2); }

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
