// Random graphs, differentiated and compared.
#include "weft/tests/support/random_gradients.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "weft/autodiff/check/check_gradients.h"
#include "weft/graph/algorithms.h"
#include "weft/graph/compile/passes.h"
#include "weft/ops/all_ops.h"
#include "weft/tests/support/compiled_graph.h"
#include "weft/tests/support/gradient_graph.h"
#include "weft/tests/support/random_graph.h"
#include "weft/tests/support/reference_interpreter.h"

namespace weft {
namespace {

struct Figures {
  Distance slopes, second_slopes, kernels;
  double asymmetry = 0;
  size_t quotients = 0, unsettled = 0;  // a kink, or a jump, within the step
};

void KeepWorse(Distance& worst, const Distance& distance) {
  if (distance.terms > worst.terms) worst = distance;
}

std::vector<NodeId> Ids(const std::vector<Node>& nodes) {
  std::vector<NodeId> ids;
  for (const Node& node : nodes) ids.push_back(node.id());
  return ids;
}

class RandomCase {
 public:
  explicit RandomCase(uint64_t seed) : random_(seed) {
    const RandomGraph made =
        AddRandomGraph(graph_, random_, {.nodes = 9 + random_() % 38, .updates = false, .for_gradients = true});
    std::map<NodeId, Tensor> feeds;
    std::vector<Node> variables;
    for (const std::vector<Node>* sources : {&made.placeholders, &made.variables}) {
      for (const Node& node : *sources) {
        feeds[node.id()] = RandomTensor(node.dtype(), node.shape(), random_);
        variables.push_back(node);
      }
    }
    const std::vector<bool> needed = Ancestors(graph_, Ids(made.fetches));
    std::erase_if(variables, [&](const Node& node) { return !needed[Index(node.id())]; });
    gradients_.emplace(made.fetches, variables, feeds);
  }

  void Expect(Figures& figures) {
    const GradientCheck first = gradients_->First(), second = gradients_->Second();
    if (first.variables.empty()) return;
    const auto& feeds = gradients_->feeds();
    KeepWorse(figures.slopes, FromSlopes(graph_, first, feeds));
    KeepWorse(figures.second_slopes, FromSlopes(graph_, second, feeds));
    std::vector<Node> fetches = first.gradients;
    fetches.insert(fetches.end(), second.gradients.begin(), second.gradients.end());
    CompiledGraph compiled(graph_, fetches);
    const std::vector<Tensor> bits = compiled.Run(feeds);
    KeepWorse(figures.kernels, FormulaGradients(graph_, first, feeds).To(bits));
    figures.asymmetry = std::max(figures.asymmetry, Asymmetry(second, feeds, [&](const auto& moved) {
                                   std::vector<Tensor> all = compiled.Run(moved);
                                   all.erase(all.begin(), all.begin() + std::ssize(first.gradients));
                                   return all;
                                 }));
    ExpectSameBits(fetches, bits);
    ExpectQuotients(first, figures);
  }

 private:
  void ExpectQuotients(const GradientCheck& first, Figures& figures) {
    VariableStore store(graph_);
    CheckOptions options = {.session = {.threads = 1}};
    for (const auto& [id, value] : gradients_->feeds()) {
      const Node node = graph_.node(id);
      if (node.op().is_source(SourceKind::kVariable)) store.Set(node.name(), value);
      else options.feeds.push_back({node, value});
    }
    // What is stopped is a constant: its value is fed.
    std::vector<Node> stopped;
    for (uint32_t i = 0; i < Index(gradients_->target().id()); ++i) {
      if (&graph_.op(NodeId{i}) == &kStopGradient) stopped.push_back(graph_.node(NodeId{i}));
    }
    const std::vector<Tensor> constants = InterpretReference(graph_, stopped, gradients_->feeds());
    for (size_t i = 0; i < stopped.size(); ++i) options.feeds.push_back({stopped[i], constants[i]});
    const GradientReport report = CheckGradients(gradients_->target(), first.variables, store, options);
    EXPECT_TRUE(report.ok()) << ToString(report);
    figures.quotients += report.slopes;
    figures.unsettled += report.unsettled;
  }

  void ExpectSameBits(const std::vector<Node>& fetches, const std::vector<Tensor>& bits) {
    const auto& feeds = gradients_->feeds();
    for (const bool fuse : {true, false}) {
      for (const bool reuse_memory : {true, false}) {
        const SessionOptions options = {.threads = 1, .fuse = fuse, .reuse_memory = reuse_memory};
        EXPECT_EQ(CompiledGraph(graph_, fetches, options).Run(feeds), bits) << fuse << reuse_memory;
      }
    }
    ExpectSameBitsUnfolded(fetches, bits);
    // The others by the interpreter, each on its own.
    const std::vector<Tensor> expected = InterpretReference(graph_, fetches, feeds);
    for (const auto pass : {Prune, Deduplicate, Simplify}) {
      CompileGraph after = pass(Bind(graph_, Ids(fetches), {}, -1, Mode::kInference));
      std::map<NodeId, Tensor> kept;
      for (const auto& [id, value] : feeds) {
        if (const NodeId now = after.graph.FindId(graph_.name(id)); now != kNoNode) kept.emplace(now, value);
      }
      std::vector<Node> nodes;
      for (const NodeId id : after.fetches) nodes.push_back(after.graph.node(id));
      EXPECT_EQ(InterpretReference(after.graph, nodes, kept), expected);
    }
  }

  // A constant that is fed cannot be folded.
  void ExpectSameBitsUnfolded(const std::vector<Node>& fetches, const std::vector<Tensor>& bits) {
    PrepareOptions options;
    const std::vector<bool> needed = Ancestors(graph_, Ids(fetches));
    for (uint32_t i = 0; i < needed.size(); ++i) {
      if (needed[i] && graph_.op(NodeId{i}).is_source(SourceKind::kConstant))
        options.fed.push_back(graph_.node(NodeId{i}));
    }
    VariableStore store(graph_);
    Session session(graph_, store, {.threads = 1});
    for (const auto& [id, value] : gradients_->feeds()) {
      if (graph_.op(id).is_source(SourceKind::kVariable)) store.Set(graph_.name(id), value);
    }
    PreparedRun run = session.Prepare(fetches, options);
    const auto feed = [&](const Node& node, const Tensor& value) {
      if (run.Reads(node)) std::ranges::copy(value.bytes(), run.Input(node).begin());
    };
    for (const auto& [id, value] : gradients_->feeds()) {
      if (!graph_.op(id).is_source(SourceKind::kVariable)) feed(graph_.node(id), value);
    }
    for (const Node& constant : options.fed) {
      feed(constant, *constant.attributes().Get<std::shared_ptr<const Tensor>>("value"));
    }
    run.Run();
    for (size_t i = 0; i < fetches.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(run.Output(i), bits[i].bytes())) << "unfolded, fetch " << i;
    }
  }

  std::mt19937_64 random_;
  Graph graph_;
  std::optional<GradientGraph> gradients_;
};

}  // namespace

void ExpectGradientsOfRandomGraphs(uint64_t first, uint64_t count) {
  Figures figures;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Figures own;
    RandomCase(seed).Expect(own);
    EXPECT_LE(own.slopes.terms, kSlopeError) << own.slopes.where;
    EXPECT_LE(own.second_slopes.terms, kSlopeError) << own.second_slopes.where;
    EXPECT_LE(own.kernels.terms, kKernelUnits * 0x1p-53) << own.kernels.where;
    EXPECT_LE(own.asymmetry, 1e-10);
    KeepWorse(figures.slopes, own.slopes);
    KeepWorse(figures.second_slopes, own.second_slopes);
    KeepWorse(figures.kernels, own.kernels);
    figures.asymmetry = std::max(figures.asymmetry, own.asymmetry);
    figures.quotients += own.quotients;
    figures.unsettled += own.unsettled;
  }
  EXPECT_LE(figures.unsettled, figures.quotients / 10);
  const auto record = [](const std::string& key, double value) {
    testing::Test::RecordProperty(key, std::to_string(value));
  };
  record("slopes_1e_16_of_terms", figures.slopes.terms / 1e-16);
  record("second_slopes_1e_16_of_terms", figures.second_slopes.terms / 1e-16);
  record("kernels_1e_16_of_terms", figures.kernels.terms / 1e-16);
  record("asymmetry_1e_16", figures.asymmetry / 1e-16);
  record("quotients", static_cast<double>(figures.quotients));
  record("unsettled", static_cast<double>(figures.unsettled));
}

}  // namespace weft
