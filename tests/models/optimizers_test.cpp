// Optimisers: beside PyTorch and beside loops written by hand; clipping, freezing, names.
#include "weft/models/training/optimizers.h"

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/golden_file.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

// Σ ½ c (w − t)² over f64[3, 4], of the golden file.
struct Bowl {
  explicit Bowl(DType dtype = DType::kFloat64) {
    const Node w = Variable("W", Constant(graph, golden["optimizers/w"].Cast(dtype)));
    const Node c = Constant(graph, golden["optimizers/c"].Cast(dtype)),
               t = Constant(graph, golden["optimizers/t"].Cast(dtype));
    loss = ReduceSum(0.5 * c * Square(w - t));
  }

  // W after so many steps of what Minimize added.
  Tensor Train(int steps, std::initializer_list<Feed> feeds = {}) {
    VariableStore store(graph);
    Initialize(graph, store);
    Session session(graph, store, {.threads = 1});
    for (int i = 0; i < steps; ++i) session.Step(feeds, {*loss});
    return store.Get("W");
  }

  GoldenFile golden;
  Graph graph;
  std::optional<Node> loss;
};

// ---- Beside PyTorch -----------------------------------------------------------------------------------------------

struct GoldenCase {
  std::string name;
  Optimizer optimizer;
};

TEST(Optimizers, AgreeWithPyTorch) {
  const GoldenCase cases[] = {{"SGD", SGD{}},
                              {"Momentum", Momentum{}},
                              {"Nesterov", Nesterov{}},
                              {"RMSProp", RMSProp{}},
                              {"AdaGrad", AdaGrad{}},
                              {"Adam", Adam{.epsilon = 1e-3}},
                              {"AdamW", AdamW{.weight_decay = 0.1}}};
  for (const auto& [name, optimizer] : cases) {
    Bowl bowl;
    Minimize(*bowl.loss, optimizer);
    EXPECT_LE(RelativeError(bowl.Train(50), bowl.golden["optimizers/" + name]), 1e-13) << name;
  }
}

// ---- Beside loops written by hand: the formulas of the header, element by element ---------------------------------

// What moves one element: its gradient and t → its step, with slots in the closure.
using HandRule = std::function<double(double w, double g, int t)>;

struct HandCase {
  std::string name;
  Optimizer optimizer;
  std::function<HandRule()> rule;
};

std::vector<HandCase> HandCases() {
  return {
      {"SGD", SGD{.learning_rate = 0.1}, [] { return [](double, double g, int) { return 0.1 * g; }; }},
      {"Momentum", Momentum{.learning_rate = 0.1, .momentum = 0.5},
       [] {
         return [velocity = 0.0](double, double g, int) mutable { return 0.1 * (velocity = 0.5 * velocity + g); };
       }},
      {"Nesterov", Nesterov{.learning_rate = 0.1, .momentum = 0.5},
       [] {
         return [velocity = 0.0](double, double g, int) mutable {
           velocity = 0.5 * velocity + g;
           return 0.1 * (g + 0.5 * velocity);
         };
       }},
      {"RMSProp", RMSProp{.learning_rate = 0.1, .decay = 0.8, .epsilon = 0.01},
       [] {
         return [square = 0.0](double, double g, int) mutable {
           square = 0.8 * square + 0.2 * g * g;
           return 0.1 * g / (std::sqrt(square) + 0.01);
         };
       }},
      {"AdaGrad", AdaGrad{.learning_rate = 0.1, .epsilon = 0.01},
       [] {
         return [square = 0.0](double, double g, int) mutable {
           square += g * g;
           return 0.1 * g / (std::sqrt(square) + 0.01);
         };
       }},
      {"Adam, PyTorch's ε",
       Adam{.learning_rate = 0.1, .beta1 = 0.7, .beta2 = 0.9, .epsilon = 0.01, .form = AdamEpsilon::kPyTorch},
       [] {
         return [m = 0.0, v = 0.0](double, double g, int t) mutable {
           m = 0.7 * m + 0.3 * g;
           v = 0.9 * v + 0.1 * g * g;
           return 0.1 * m / (1 - std::pow(0.7, t)) / (std::sqrt(v / (1 - std::pow(0.9, t))) + 0.01);
         };
       }},
      {"Adam, TensorFlow's ε",
       Adam{.learning_rate = 0.1, .beta1 = 0.7, .beta2 = 0.9, .epsilon = 0.01, .form = AdamEpsilon::kTensorFlow},
       [] {
         return [m = 0.0, v = 0.0](double, double g, int t) mutable {
           m = 0.7 * m + 0.3 * g;
           v = 0.9 * v + 0.1 * g * g;
           return 0.1 * std::sqrt(1 - std::pow(0.9, t)) / (1 - std::pow(0.7, t)) * m / (std::sqrt(v) + 0.01);
         };
       }},
      {"AdamW", AdamW{.learning_rate = 0.1, .beta1 = 0.7, .beta2 = 0.9, .epsilon = 0.01, .weight_decay = 0.2},
       [] {
         return [m = 0.0, v = 0.0](double w, double g, int t) mutable {
           m = 0.7 * m + 0.3 * g;
           v = 0.9 * v + 0.1 * g * g;
           return 0.1 * 0.2 * w + 0.1 * m / (1 - std::pow(0.7, t)) / (std::sqrt(v / (1 - std::pow(0.9, t))) + 0.01);
         };
       }},
  };
}

TEST(Optimizers, AgreeWithLoopsWrittenByHand) {
  constexpr int kSteps = 20;
  for (const HandCase& c : HandCases()) {
    for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
      SCOPED_TRACE(c.name + " " + std::string(Name(dtype)));
      Bowl bowl(dtype);
      Minimize(*bowl.loss, c.optimizer);
      const Tensor got = bowl.Train(kSteps);
      Tensor expected = bowl.golden["optimizers/w"];
      const auto curvature = bowl.golden["optimizers/c"].values<double>(),
                 target = bowl.golden["optimizers/t"].values<double>();
      for (size_t i = 0; i < 12; ++i) {
        double& w = expected.values<double>()[i];
        HandRule rule = c.rule();
        for (int t = 1; t <= kSteps; ++t) w -= rule(w, curvature[i] * (w - target[i]), t);
      }
      EXPECT_LE(RelativeError(got, expected), dtype == DType::kFloat64 ? 1e-13 : 1e-5);
    }
  }
}

// 1 − βᵗ of a long run: pow would give the same, but in f32 it would be rounded before it is subtracted.
TEST(Adam, CorrectsItsBiasAtAnyStep) {
  for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
    Bowl bowl(dtype);
    Minimize(*bowl.loss, Adam{.learning_rate = 1});
    VariableStore store(bowl.graph);
    Initialize(bowl.graph, store);
    Session session(bowl.graph, store, {.threads = 1});
    for (const double t : {1.0, 2.0, 10.0, 1000.0, 1e5, 1e7}) {
      store.Set("Training/Step", Tensor::Scalar(t - 1).Cast(dtype));
      const double rate =
          session.Run({}, bowl.graph.Find("Training/Adam/Rate")).Cast(DType::kFloat64).values<double>()[0];
      const double expected = std::sqrt(-std::expm1(t * std::log(0.999))) / -std::expm1(t * std::log(0.9));
      EXPECT_NEAR(rate, expected, expected * (dtype == DType::kFloat64 ? 1e-14 : 1e-6)) << t;
    }
  }
}

// ---- Rates, clipping, freezing ------------------------------------------------------------------------------------

TEST(Minimize, TakesTheRateThatIsFed) {
  Bowl fed, stated;
  const Minimization training = Minimize(*fed.loss, SGD{.learning_rate = 0.5});
  Minimize(*stated.loss, SGD{.learning_rate = 0.02});
  const Tensor rate = Tensor::Scalar(0.02);
  EXPECT_EQ(fed.Train(3, {{training.learning_rate, rate}}), stated.Train(3));
}

// Two variables with gradients (3, 4) and (12): norm 13.
struct TwoSlopes {
  TwoSlopes() {
    const Node a = Variable("A", BroadcastTo(Constant(graph, 0, DType::kFloat64), {2})),
               b = Variable("B", Constant(graph, 0, DType::kFloat64));
    loss = ReduceSum(a * Constant(graph, Tensor::Of<double>({2}, {3, 4}))) + 12 * b;
  }
  Graph graph;
  std::optional<Node> loss;
};

TEST(Minimize, ClipsByTheGlobalNorm) {
  struct Case {
    std::optional<double> clip;
    double factor;
  };
  for (const auto& [clip, factor] : {Case{std::nullopt, 1}, Case{6.5, 0.5}, Case{13, 1}, Case{100, 1}}) {
    TwoSlopes slopes;
    const Minimization training = Minimize(*slopes.loss, SGD{.learning_rate = 1}, {.clip_global_norm = clip});
    EXPECT_EQ(training.global_norm.name(), Path("Gradients/GlobalNorm"));
    VariableStore store(slopes.graph);
    Initialize(slopes.graph, store);
    Session session(slopes.graph, store, {.threads = 1});
    EXPECT_EQ(session.Step({}, {training.global_norm})[0], Tensor::Scalar(13.0));
    EXPECT_EQ(store.Get("A"), Tensor::Of<double>({2}, {-3 * factor, -4 * factor}));
    EXPECT_EQ(store.Get("B"), Tensor::Scalar(-12 * factor));
  }
}

TEST(Minimize, GivesTheGradientsBeforeClipping) {
  TwoSlopes slopes;
  const Minimization training = Minimize(*slopes.loss, SGD{}, {.clip_global_norm = 1});
  ASSERT_EQ(training.variables.size(), 2u);
  EXPECT_EQ(training.variables[0].name(), Path("A"));
  EXPECT_EQ(training.gradients[0].name(), Path("Gradients/A"));
  VariableStore store(slopes.graph);
  Session session(slopes.graph, store, {.threads = 1});
  EXPECT_EQ(session.Run({}, training.gradients[0]), Tensor::Of<double>({2}, {3, 4}));
}

TEST(Minimize, MovesOnlyWhatIsChosen) {
  struct Case {
    MinimizeOptions options;
    bool moves_a, moves_b;
  };
  for (const auto& [options, moves_a, moves_b] :
       {Case{{}, true, true}, Case{{.variables = {"A"}}, true, false}, Case{{.freeze = {"A*"}}, false, true}}) {
    TwoSlopes slopes;
    Minimize(*slopes.loss, Adam{}, options);
    VariableStore store(slopes.graph);
    Initialize(slopes.graph, store);
    Session session(slopes.graph, store, {.threads = 1});
    session.Step({}, {*slopes.loss});
    EXPECT_EQ(store.Get("A").values<double>()[0] != 0, moves_a);
    EXPECT_EQ(store.Get("B").values<double>()[0] != 0, moves_b);
  }
}

TEST(Minimize, NamesItsVariablesByOptimiserSlotAndPath) {
  struct Case {
    Optimizer optimizer;
    std::vector<std::string> slots;
  };
  const Case cases[] = {{SGD{}, {}},
                        {Momentum{}, {"Momentum/velocity"}},
                        {Nesterov{}, {"Nesterov/velocity"}},
                        {RMSProp{}, {"RMSProp/square"}},
                        {AdaGrad{}, {"AdaGrad/square"}},
                        {Adam{}, {"Adam/m", "Adam/v"}},
                        {AdamW{}, {"AdamW/m", "AdamW/v"}}};
  for (const auto& [optimizer, slots] : cases) {
    TwoSlopes slopes;
    const Minimization training = Minimize(*slopes.loss, optimizer);
    EXPECT_EQ(training.learning_rate.name(), Path("Training/LearningRate"));
    EXPECT_EQ(training.step.name(), Path("Training/Step"));
    std::vector<std::string> expected, got;
    for (const std::string& slot : slots) {
      for (const char* variable : {"A", "B"}) expected.push_back("Training/" + slot + "/" + variable);
    }
    expected.push_back("Training/Step");
    for (const Path& path : VariableStore(slopes.graph).Paths("Training")) {
      got.push_back(path.str());
      EXPECT_FALSE(IsTrainable(slopes.graph.Find(path)));
    }
    EXPECT_EQ(got, expected);
    EXPECT_EQ(slopes.graph.updates().size(), expected.size() + 2);
  }
}

TEST(Minimize, CountsItsSteps) {
  TwoSlopes slopes;
  const Minimization training = Minimize(*slopes.loss, SGD{});
  VariableStore store(slopes.graph);
  Initialize(slopes.graph, store);
  Session session(slopes.graph, store, {.threads = 1});
  for (int i = 0; i < 5; ++i) session.Step({}, {*slopes.loss});
  EXPECT_EQ(store.Get(training.step.name()), Tensor::Scalar(5.0));
}

// What is the same for all elements costs nothing per element: of a step over w, only these ops are of its shape.
TEST(Adam, KeepsScalarWorkOnScalars) {
  Bowl bowl;
  Minimize(*bowl.loss, Adam{}, {.clip_global_norm = 5});
  size_t full = 0;
  for (uint32_t i = 0; i < bowl.graph.size(); ++i) {
    const NodeId id{i};
    if (bowl.graph.name(id).IsWithin("Training/Update") && bowl.graph.op(id).is_elementwise()) {
      ++full;
      EXPECT_EQ(bowl.graph.type(id).shape, (Shape{3, 4})) << bowl.graph.name(id).str();
    }
  }
  // clip·g; β₁m, (1 − β₁)g, +; g², β₂v, (1 − β₂)g², +; √v, + ε; rate·m, /, w −
  EXPECT_EQ(full, 13u);
}

TEST(Minimize, RefusesNonsense) {
  const auto message = [](const MinimizeOptions& options) {
    TwoSlopes slopes;
    return Thrown([&] { Minimize(*slopes.loss, SGD{}, options); });
  };
  EXPECT_NE(message({.clip_global_norm = 0}).find("clip_global_norm: got 0, expected a positive number"),
            std::string::npos);
  EXPECT_NE(message({.variables = {"C"}}).find("no trainable variable is called 'C'"), std::string::npos);
  EXPECT_NE(message({.freeze = {"Encoder/**"}}).find("no trainable variable is called 'Encoder/**'"),
            std::string::npos);
  EXPECT_NE(message({.freeze = {"*"}}).find("got no variable"), std::string::npos);
  TwoSlopes slopes;
  Minimize(*slopes.loss, SGD{});
  EXPECT_NE(Thrown([&] { Minimize(*slopes.loss, SGD{}); }).find("already"), std::string::npos);
}

TEST(Minimize, RefusesALossThatAVariableDoesNotReach) {
  TwoSlopes slopes;
  Variable("C", Constant(slopes.graph, 0, DType::kFloat64));
  EXPECT_NE(Thrown([&] { Minimize(*slopes.loss, SGD{}); }).find("'C'"), std::string::npos);
}

}  // namespace
}  // namespace weft
