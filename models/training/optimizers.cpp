// Gradients, clipping, and one rule an optimiser. What is the same for all elements is computed once, on scalars.
#include "weft/models/training/optimizers.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"

namespace weft {
namespace {

[[noreturn]] void Fail(Node loss, std::string_view reason) {
  throw GraphError(fmt::format("Minimize '{}': {}", Escaped(loss.name().str()), reason));
}

// ---- What is trained ----------------------------------------------------------------------------------------------

std::vector<Node> ChosenVariables(Node loss, const MinimizeOptions& options) {
  Graph& graph = loss.graph();
  std::vector<Node> variables;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    if (const Node node = graph.node(NodeId{i}); IsTrainable(node)) variables.push_back(node);
  }
  std::ranges::sort(variables, {}, &Node::name);

  const auto matches = [](const std::string& glob, const Node& variable) {
    return MatchesGlob(glob, variable.name().str());
  };
  const auto is_in = [&](const std::vector<std::string>& globs, const Node& variable) {
    return std::ranges::any_of(globs, [&](const std::string& glob) { return matches(glob, variable); });
  };
  for (const auto* globs : {&options.variables, &options.freeze}) {
    for (const std::string& glob : *globs) {
      const bool known = std::ranges::any_of(variables, [&](const Node& variable) { return matches(glob, variable); });
      if (!known) Fail(loss, fmt::format("no trainable variable is called '{}'", Escaped(glob)));
    }
  }
  std::erase_if(variables, [&](const Node& variable) {
    return (!options.variables.empty() && !is_in(options.variables, variable)) || is_in(options.freeze, variable);
  });
  if (variables.empty()) Fail(loss, "got no variable, expected at least one to be trained");
  return variables;
}

// ---- Clipping -----------------------------------------------------------------------------------------------------

// Columns first: a matrix in panels is folded as it lies.
Node SumOfSquares(Node gradient) {
  const Node square = Square(gradient);
  return gradient.shape().rank() < 2 ? ReduceSum(square) : ReduceSum(ReduceSum(square, {0}));
}

Node GlobalNorm(std::span<const Node> gradients) {
  Graph& graph = gradients[0].graph();
  const Path path = "Gradients/GlobalNorm";
  const Scope scope = Scope::Absolute(graph, path);
  Node sum = SumOfSquares(gradients[0]);
  for (const Node& gradient : gradients.subspan(1)) sum = sum + SumOfSquares(gradient);
  const Node norm = Sqrt(sum);
  graph.Rename(norm, path);
  return norm;
}

// clip / max(norm, clip): exactly 1 where nothing is to be clipped.
Node ClipFactor(Node norm, double clip) {
  const Scope scope = Scope::Absolute(norm.graph(), "Gradients");
  const Node most = Named("Clip", Constant(norm.graph(), clip, norm.dtype()));
  return Named("ClipFactor", most / Maximum(norm, most));
}

// ---- Rules --------------------------------------------------------------------------------------------------------

// One variable's part of a step. The nodes of its rule are named below Training/Update/<path of w>.
struct Update {
  Node w;
  Node g;
  Path slots;  // Training/<optimiser>

  // A slot, zeros at first.
  Node Slot(std::string_view name) const {
    const Node zeros = BroadcastTo(Constant(w.graph(), 0, w.dtype()), w.shape());
    const Scope scope = Scope::Absolute(w.graph(), slots / Path(name));
    return Variable(w.name().str(), zeros, {.trainable = false});
  }
  // The slot's next value, of the slot's name.
  Node Next(std::string_view name, Node slot, Node next) const {
    w.graph().AddUpdate(slot, next);
    return Named(name, next);
  }
};

// What is the same for all variables.
struct Scalars {
  Node rate;
  Node t;

  Node Number(std::string_view name, double value) const { return Named(name, Constant(t.graph(), value, t.dtype())); }
};

// A rule is a function Update → the next w.
auto Rule(const SGD&, const Scalars& s) {
  return [s](const Update& u) { return u.w - s.rate * u.g; };
}

Node NextVelocity(const Update& u, Node momentum) {
  const Node velocity = u.Slot("velocity");
  return u.Next("velocity", velocity, momentum * velocity + u.g);
}

auto Rule(const Momentum& o, const Scalars& s) {
  const Node momentum = s.Number("momentum", o.momentum);
  return [=](const Update& u) { return u.w - s.rate * NextVelocity(u, momentum); };
}

auto Rule(const Nesterov& o, const Scalars& s) {
  const Node momentum = s.Number("momentum", o.momentum);
  return [=](const Update& u) { return u.w - s.rate * (u.g + momentum * NextVelocity(u, momentum)); };
}

auto Rule(const RMSProp& o, const Scalars& s) {
  const Node decay = s.Number("decay", o.decay), rest = s.Number("rest", 1 - o.decay),
             epsilon = s.Number("epsilon", o.epsilon);
  return [=](const Update& u) {
    const Node square = u.Slot("square");
    const Node next = u.Next("square", square, decay * square + rest * Square(u.g));
    return u.w - s.rate * u.g / (Sqrt(next) + epsilon);
  };
}

auto Rule(const AdaGrad& o, const Scalars& s) {
  const Node epsilon = s.Number("epsilon", o.epsilon);
  return [=](const Update& u) {
    const Node square = u.Slot("square");
    const Node next = u.Next("square", square, square + Square(u.g));
    return u.w - s.rate * u.g / (Sqrt(next) + epsilon);
  };
}

// rate·m̂ / (√v̂ + ε) = rate_t·m / (√v + ε_t), rate_t = rate·√(1 − β₂ᵗ)/(1 − β₁ᵗ), ε_t = ε·√(1 − β₂ᵗ): what depends on t
// alone is one scalar each, and TensorFlow's form is that of a constant ε_t.
auto Rule(const Adam& o, const Scalars& s) {
  const auto bias = [&](double beta) { return -Expm1(s.t * std::log(beta)); };  // 1 − βᵗ, without cancellation
  const Node root = Named("RootOfBias", Sqrt(bias(o.beta2)));
  const Node rate = Named("Rate", s.rate * root / bias(o.beta1));
  Node epsilon = s.Number("epsilon", o.epsilon);
  if (o.form == AdamEpsilon::kPyTorch) epsilon = Named("ScaledEpsilon", epsilon * root);
  const Node beta1 = s.Number("beta1", o.beta1), rest1 = s.Number("rest1", 1 - o.beta1);
  const Node beta2 = s.Number("beta2", o.beta2), rest2 = s.Number("rest2", 1 - o.beta2);
  return [=](const Update& u) {
    const Node m = u.Slot("m"), v = u.Slot("v");
    const Node next_m = u.Next("m", m, beta1 * m + rest1 * u.g);
    const Node next_v = u.Next("v", v, beta2 * v + rest2 * Square(u.g));
    return u.w - rate * next_m / (Sqrt(next_v) + epsilon);
  };
}

auto Rule(const AdamW& o, const Scalars& s) {
  const Node decay = Named("Decay", s.rate * o.weight_decay);
  const auto adam = Rule(
      Adam{.learning_rate = o.learning_rate, .beta1 = o.beta1, .beta2 = o.beta2, .epsilon = o.epsilon, .form = o.form},
      s);
  return [=](const Update& u) { return adam(u) - decay * u.w; };
}

constexpr std::string_view NameOf(const SGD&) { return "SGD"; }
constexpr std::string_view NameOf(const Momentum&) { return "Momentum"; }
constexpr std::string_view NameOf(const Nesterov&) { return "Nesterov"; }
constexpr std::string_view NameOf(const RMSProp&) { return "RMSProp"; }
constexpr std::string_view NameOf(const AdaGrad&) { return "AdaGrad"; }
constexpr std::string_view NameOf(const Adam&) { return "Adam"; }
constexpr std::string_view NameOf(const AdamW&) { return "AdamW"; }

// Adds the rule's update of every variable; `factor`, if there is one, clips the gradients.
void AddUpdates(const auto& optimizer, const Scalars& scalars, const Minimization& training,
                const std::optional<Node>& factor) {
  Graph& graph = scalars.t.graph();
  const Path root = "Training", own = root / Path(NameOf(optimizer));
  const Scope scope = Scope::Absolute(graph, own);
  const auto rule = Rule(optimizer, scalars);
  for (size_t i = 0; i < training.variables.size(); ++i) {
    const Node w = training.variables[i];
    const Path path = root / Path("Update") / w.name();
    const Scope of_variable = Scope::Absolute(graph, path);
    const Node g = factor ? Named("Clipped", *factor * training.gradients[i]) : training.gradients[i];
    const Node next = rule({.w = w, .g = g, .slots = own});
    graph.Rename(next, path);
    graph.AddUpdate(w, next);
  }
}

}  // namespace

Minimization Minimize(Node loss, const Optimizer& optimizer, const MinimizeOptions& options) {
  Graph& graph = loss.graph();
  if (graph.FindId("Training/Step") != kNoNode) Fail(loss, "something is minimised in this graph already");
  if (options.clip_global_norm && !(*options.clip_global_norm > 0)) {
    Fail(loss, fmt::format("clip_global_norm: got {}, expected a positive number", *options.clip_global_norm));
  }
  const std::vector<Node> variables = ChosenVariables(loss, options);
  const std::vector<Node> gradients = Gradients(loss, variables);
  const Node norm = GlobalNorm(gradients);
  std::optional<Node> factor;
  if (options.clip_global_norm) factor = ClipFactor(norm, *options.clip_global_norm);

  const Scope scope = Scope::Absolute(graph, "Training");
  const double rate = std::visit([](const auto& o) { return o.learning_rate; }, optimizer);
  const Node learning_rate = Placeholder(graph, "LearningRate", {}, {.dtype = loss.dtype(), .default_value = rate});
  const Node step = Variable("Step", Named("FirstStep", Constant(graph, 0, loss.dtype())), {.trainable = false});
  const Node t = Named("NextStep", step + 1);
  graph.AddUpdate(step, t);

  Minimization training = {.learning_rate = learning_rate,
                           .step = step,
                           .global_norm = norm,
                           .variables = variables,
                           .gradients = gradients};
  std::visit([&](const auto& o) { AddUpdates(o, {.rate = learning_rate, .t = t}, training, factor); }, optimizer);
  return training;
}

}  // namespace weft
