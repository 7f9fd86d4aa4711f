// The op matrix: what must hold for every op, over its own samples, without a line written for it. Gradients are in
// all_op_gradients_test.cpp.
#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "weft/graph/compile/passes.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/gradient_graph.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/op_matrix.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

TEST(AllOps, HaveNamesOfTheirOwnAndAreFoundByThem) {
  std::set<std::string_view> names;
  for (const OpDef* op : AllOps()) {
    EXPECT_TRUE(names.insert(*op->name).second) << *op->name;
    EXPECT_EQ(FindOp(*op->name), op);
    EXPECT_FALSE(op->samples().samples.empty()) << *op->name;
  }
  EXPECT_EQ(FindOp("Softminus"), nullptr);
}

TEST(AllOps, AreTestedOnAllTargets) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(HWY_COMPILE_ONLY_STATIC)
  const size_t expected = __builtin_cpu_supports("avx512bw") ? 5 : __builtin_cpu_supports("avx2") ? 4 : 1;
  EXPECT_GE(SimdTargets().size(), expected);
#endif
  EXPECT_FALSE(SimdTargets().empty());
}

class EveryOp : public testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }
};

std::string NameOf(const testing::TestParamInfo<const OpDef*>& tested) { return std::string(*tested.param->name); }

INSTANTIATE_TEST_SUITE_P(AllOps, EveryOp, testing::ValuesIn(AllOps().begin(), AllOps().end()), NameOf);

// ---- Types ---------------------------------------------------------------------------------------------------------

void ExpectNames(const std::string& text, const OpDef& op, std::string_view node, std::span<const Node> operands) {
  EXPECT_EQ(text.find(std::string(*op.name) + " '" + std::string(node) + "': "), 0u) << text;
  for (const Node& operand : operands) {
    EXPECT_NE(text.find("'" + operand.name().str() + "'  " + ToString(operand.type())), std::string::npos) << text;
  }
}

TEST_P(EveryOp, ResultHasTheShapeOfTheFormula) {
  for (const auto& graph : AllOpGraphs(op())) {
    SCOPED_TRACE(graph->label);
    EXPECT_EQ(FormulaOf(*graph).shape(), graph->y().shape());
  }
}

TEST_P(EveryOp, RefusesAnotherNumberOfOperands) {
  if (*op().arity == kVariadic) return;
  for (const auto& graph : OpGraphs(op(), DType::kFloat32)) {
    SCOPED_TRACE(graph->label);
    std::vector<Node> more = graph->operands;
    more.push_back(Placeholder(graph->graph, "More", {}));
    std::vector<std::vector<Node>> wrong = {more};
    if (!graph->operands.empty()) wrong.emplace_back(graph->operands.begin(), graph->operands.end() - 1);
    for (const std::vector<Node>& operands : wrong) {
      const std::string text = Thrown([&] { graph->graph.AddNamed("Wrong", op(), operands, graph->y().attributes()); });
      ExpectNames(text, op(), "Wrong", operands);
      EXPECT_NE(text.find("expected " + std::to_string(*op().arity)), std::string::npos) << text;
    }
  }
}

// Any operand under another shape or type is refused in words, or is right: then the formula has the type's shape.
TEST_P(EveryOp, RefusesOtherOperandsInWords) {
  for (const auto& graph : OpGraphs(op(), DType::kFloat32)) {
    SCOPED_TRACE(graph->label);
    for (size_t i = 0; i < graph->operands.size(); ++i) {
      const TensorType type = graph->operands[i].type();
      std::vector<Dim> longer(type.shape.begin(), type.shape.end()), deeper = longer;
      if (!longer.empty()) longer.back() = longer.back().length() + 1;
      deeper.insert(deeper.begin(), 3);
      const TensorType others[] = {{.dtype = type.dtype, .shape = Shape(longer)},
                                   {.dtype = type.dtype, .shape = Shape(deeper)},
                                   {.dtype = type.dtype, .shape = {}},
                                   {.dtype = DType::kBool, .shape = type.shape},
                                   {.dtype = DType::kFloat64, .shape = type.shape}};
      for (const TensorType& other : others) {
        std::vector<Node> operands = graph->operands;
        operands[i] = graph->graph.Add(kPlaceholder, {}, {{"dtype", other.dtype}, {"shape", other.shape}});
        const size_t before = graph->graph.size();
        const std::string name = "Other" + std::to_string(before);
        const std::string text = Thrown([&] { graph->graph.AddNamed(name, op(), operands, graph->y().attributes()); });
        if (graph->graph.size() == before) {
          ExpectNames(text, op(), name, operands);
          continue;
        }
        const Node node = graph->graph.node(NodeId{static_cast<uint32_t>(before)});
        std::vector<Tensor> values;
        for (const Node& operand : operands) values.push_back(DrawValues({}, operand.shape(), DType::kFloat64, 1));
        EXPECT_EQ(EvaluateReference(op(), values, node.attributes(), node.type()).shape(), node.shape())
            << ToString(other);
        const bool is_binary = op().is_elementwise() && operands.size() > 1;
        EXPECT_FALSE(is_binary && other != type) << "took " << ToString(other) << " for " << ToString(type);
      }
    }
  }
}

// ---- Attributes ----------------------------------------------------------------------------------------------------

// The same attributes but for one field, for each field that can be another.
std::vector<Attributes> Neighbours(const Attributes& attributes) {
  std::vector<Attributes> neighbours;
  for (const auto& [key, value] : attributes) {
    struct Other {
      AttributeValue operator()(bool v) const { return !v; }
      AttributeValue operator()(int64_t v) const { return v + 1; }
      AttributeValue operator()(double v) const { return v + 0.5; }
      AttributeValue operator()(const std::string& v) const { return v == ">" ? std::string(">=") : v + "x"; }
      AttributeValue operator()(DType v) const { return v == DType::kFloat32 ? DType::kFloat64 : DType::kFloat32; }
      AttributeValue operator()(const Shape& v) const { return Shape(std::vector<Dim>(v.rank(), 7)); }
      AttributeValue operator()(const std::vector<int64_t>& v) const {
        return std::vector<int64_t>(v.rbegin(), v.rend());
      }
      AttributeValue operator()(const std::shared_ptr<const Tensor>& v) const {
        auto other = std::make_shared<Tensor>(*v);
        if (!other->bytes().empty()) other->bytes()[0] ^= std::byte{1};
        return std::shared_ptr<const Tensor>(other);
      }
    };
    Attributes neighbour = attributes;
    neighbour.Set(key, std::visit(Other{}, value));
    if (neighbour != attributes) neighbours.push_back(neighbour);
  }
  return neighbours;
}

TEST_P(EveryOp, AttributesReadBackFromTheirText) {
  for (const Sample& sample : op().samples().samples) {
    for (const auto& [key, value] : sample.attributes) {
      const std::string text = ToString(value);
      std::string_view rest = text;
      EXPECT_EQ((Attributes{{key, ParseAttributeValue(rest)}}), (Attributes{{key, value}})) << text;
      EXPECT_EQ(rest, "");
    }
  }
}

TEST_P(EveryOp, IsOneNodeWithItsLikeAndNoOther) {
  if (op().is_source() && !op().is_source(SourceKind::kConstant)) return;  // every source is itself
  for (const auto& graph : OpGraphs(op(), DType::kFloat32)) {
    SCOPED_TRACE(graph->label);
    const auto merged = [&](const Attributes& attributes) -> std::optional<bool> {
      std::vector<NodeId> fetches = {graph->y().id()};
      try {
        fetches.push_back(graph->graph.Add(op(), graph->operands, attributes).id());
      } catch (const GraphError&) {
        return std::nullopt;
      }
      const CompileGraph result = Deduplicate(Bind(graph->graph, fetches, {}, -1, Mode::kTraining));
      return result.fetches[0] == result.fetches[1];
    };
    EXPECT_EQ(merged(graph->y().attributes()), true);
    if (op().traits.chooses_by_mode) continue;
    for (const Attributes& neighbour : Neighbours(graph->y().attributes())) {
      EXPECT_NE(merged(neighbour), true) << ToString(neighbour);
    }
  }
}

// ---- Values --------------------------------------------------------------------------------------------------------

TEST_P(EveryOp, FollowsItsFormulaOnEveryTarget) {
  for (const auto& graph : AllOpGraphs(op())) {
    SCOPED_TRACE(graph->label);
    const Node y = graph->y();
    // A choice by mode is its operand 0 in the formula, and in inference its operand 1.
    Tensor expected = FormulaOf(*graph);
    if (op().traits.chooses_by_mode) expected = graph->feeds.at(graph->operands[1].id()).Cast(DType::kFloat64);
    const std::vector<double> bounds = Bounds(*graph, expected);
    std::map<bool, Tensor> of_class;
    for (int64_t target : SimdTargets()) {
      SCOPED_TRACE(SimdTargetName(target));
      const OnSimdTarget on(target);
      const Tensor got = CompiledGraph(graph->graph, {y}).Run(graph->feeds)[0];
      ASSERT_EQ(got.type(), (TensorType{.dtype = y.dtype(), .shape = y.shape()}));
      const Tensor rounded = expected.Cast(y.dtype()).Cast(DType::kFloat64), wide = got.Cast(DType::kFloat64);
      for (size_t i = 0; i < bounds.size(); ++i) {
        const double e = rounded.values<double>()[i], g = wide.values<double>()[i];
        ASSERT_LE(std::abs(g - e), bounds[i]) << "element " << i << ": got " << g << ", expected " << e;
      }
      const auto [first, is_new] = of_class.emplace(HasFusedMultiplyAdd(target), got);
      EXPECT_TRUE(is_new || first->second == got) << "other bits than on another target of its class";
    }
  }
}

// ---- Bits ----------------------------------------------------------------------------------------------------------

// y and its gradients over a hundred thousand elements: one set of bits, whatever the plan and whoever runs it.
TEST_P(EveryOp, BitsDoNotDependOnPlansOrThreads) {
  constexpr int64_t kElements = 100'000;
  for (const Sample& sample : op().samples().samples) {
    const std::unique_ptr<OpGraph> graph = BuildStretched(op(), sample, DType::kFloat32, kElements);
    if (graph == nullptr) continue;
    SCOPED_TRACE(graph->label);
    std::vector<Node> fetches = {graph->y()};
    std::map<NodeId, Tensor> values = graph->feeds;
    if (IsFloating(graph->y().dtype()) && op().gradient->differentiable() && !graph->operands.empty()) {
      const GradientGraph gradients(*graph);
      fetches.insert(fetches.end(), gradients.gradients().begin(), gradients.gradients().end());
      values = gradients.feeds();
    }
    const std::vector<Tensor> expected = CompiledGraph(graph->graph, fetches).Run(values);
    for (const bool fuse : {true, false}) {
      for (const bool reuse_memory : {true, false}) {
        const SessionOptions options = {.threads = 1, .fuse = fuse, .reuse_memory = reuse_memory};
        EXPECT_EQ(CompiledGraph(graph->graph, fetches, options).Run(values), expected) << fuse << reuse_memory;
      }
    }
    for (const int threads : {2, 3, 7}) {
      ManyThreads many(threads);
      CompiledGraph compiled(graph->graph, fetches, {.runner = &many.runner()});
      EXPECT_EQ(compiled.Run(values), expected) << threads;
    }
  }
}

TEST(ManyThreads, AreAsManyAsAskedFor) {
  for (const int threads : {1, 2, 3, 7}) EXPECT_EQ(ManyThreads(threads).CountMeeting(threads), threads);
}

}  // namespace
}  // namespace weft
