// Moving values, running the target, and comparing slopes.
#include "weft/autodiff/check/check_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <cstring>
#include <optional>
#include <random>

#include <fmt/format.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

[[noreturn]] void Fail(const Node& node, std::string_view reason) {
  throw GraphError(fmt::format("CheckGradients: '{}': {}", Escaped(node.name().str()), reason));
}

const Tensor* FindFeed(std::span<const Feed> feeds, const Path& name) {
  const auto found = std::ranges::find_if(feeds, [&name](const Feed& feed) { return feed.node.name() == name; });
  return found == feeds.end() ? nullptr : &found->value;
}

// The value of N that the feeds show; −1 if no placeholder has it.
int64_t BatchOf(std::span<const Feed> feeds) {
  for (const Feed& feed : feeds) {
    const Shape& shape = feed.node.shape();
    if (feed.value.shape().rank() != shape.rank())
      Fail(feed.node, fmt::format("got {}, expected {}", ToString(feed.value.shape()), ToString(shape)));
    for (size_t axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis].is_batch()) return feed.value.shape()[axis].length();
    }
  }
  return -1;
}

PrepareOptions Prepared(const CheckOptions& options) {
  PrepareOptions result = {.mode = options.mode, .batch = BatchOf(options.feeds)};
  for (const Feed& feed : options.feeds) {
    if (!feed.node.op().is_source(SourceKind::kPlaceholder)) result.fed.push_back(feed.node);
  }
  return result;
}

// A program with its feeds.
class FedRun {
 public:
  FedRun(Session& session, std::span<const Node> fetches, const CheckOptions& options)
      : run_(session.Prepare(fetches, Prepared(options))) {
    const Program& program = run_.program();
    for (const ProgramInput& input : program.inputs) {
      const Node node = session.graph().Find(program.graph.name(input.node));
      const Tensor* value = FindFeed(options.feeds, node.name());
      if (value == nullptr && input.has_default) continue;
      if (value == nullptr) Fail(node, "got no value, expected one among the feeds");
      const TensorType& type = program.graph.type(input.node);
      if (value->dtype() != type.dtype || value->shape() != type.shape)
        Fail(node, fmt::format("got {}, expected {}", ToString(value->type()), ToString(type)));
      std::ranges::copy(value->bytes(), run_.Input(node).begin());
      read_.push_back(node);
    }
  }

  bool Reads(Node node) const { return std::ranges::count(read_, node) > 0; }
  std::span<double> Input(Node node) { return run_.Input<double>(node); }
  // The values of a variable of the store, to be changed between runs.
  std::span<double> Values(VariableStore::Entry& entry) {
    changed_.push_back(&entry);
    return entry.value().values<double>();
  }
  void Run() {
    for (VariableStore::Entry* entry : changed_) entry->value();  // tells it that they may have been
    run_.Run();
  }
  std::span<const double> Output(size_t i) const { return run_.Output<double>(i); }

 private:
  PreparedRun run_;
  std::vector<VariableStore::Entry*> changed_;
  std::vector<Node> read_;
};

// A point in the space of one or several variables, moved along a direction and put back in the end.
class Position {
 public:
  explicit Position(std::vector<std::span<double>> values) : values_(std::move(values)) {
    for (const auto& value : values_) origin_.emplace_back(value.begin(), value.end());
  }
  ~Position() { MoveTo(0, {}); }
  Position(const Position&) = delete;
  Position& operator=(const Position&) = delete;

  using Direction = std::vector<std::vector<double>>;  // like the values; empty: none

  void MoveTo(double distance, const Direction& direction) {
    for (size_t k = 0; k < values_.size(); ++k) {
      for (size_t i = 0; i < values_[k].size(); ++i) {
        values_[k][i] =
            origin_[k][i] + (k < direction.size() && !direction[k].empty() ? distance * direction[k][i] : 0);
      }
    }
  }
  const Direction& origin() const { return origin_; }

 private:
  std::vector<std::span<double>> values_;
  Direction origin_;
};

class Checker {
 public:
  Checker(FedRun& run, Position& position, const Position::Direction& gradients, std::span<const Node> variables,
          const CheckOptions& options)
      : run_(run),
        position_(position),
        gradients_(gradients),
        variables_(variables),
        options_(options),
        random_(options.seed) {
    target_ = TargetAt(0, {});
    scale_ = std::max(1.0, std::abs(target_));
  }

  GradientReport Check() {
    for (size_t k = 0; k < gradients_.size(); ++k) {
      if (static_cast<int64_t>(gradients_[k].size()) <= options_.max_elements) CheckElements(k);
      else CheckDirections({&k, 1});
    }
    std::vector<size_t> all(gradients_.size());
    for (size_t k = 0; k < all.size(); ++k) all[k] = k;
    CheckDirections(all);
    return report_;
  }

 private:
  double TargetAt(double distance, const Position::Direction& direction) {
    position_.MoveTo(distance, direction);
    run_.Run();
    return run_.Output(0)[0];
  }

  // D(h) = (f(x + h) − f(x − h)) / 2h, and how far the slopes on both sides are from each other.
  struct Central {
    double slope, bend;
  };
  Central CentralAt(double h, const Position::Direction& direction) {
    const double above = TargetAt(h, direction), below = TargetAt(-h, direction);
    return {.slope = (above - below) / (2 * h), .bend = ((above - target_) - (target_ - below)) / h};
  }

  // (4·D(h/2) − D(h)) / 3, whose error falls with h⁴.
  std::optional<double> Quotient(const Position::Direction& direction, double tolerance) {
    for (double h = options_.step; h >= options_.step / 256; h /= 16) {
      const Central wide = CentralAt(h, direction), narrow = CentralAt(h / 2, direction);
      // A smooth target's two quotients differ by h²·f‴/8; across a kink they differ by about the slopes themselves. At
      // the point itself a kink leaves D as it is, but its bend does not shrink with h as that of h·f″ does.
      const double allowed = 100 * Allowed(tolerance, wide.slope, narrow.slope);
      if (std::abs(wide.slope - narrow.slope) <= allowed && std::abs(2 * narrow.bend - wide.bend) <= allowed) {
        return (4 * narrow.slope - wide.slope) / 3;
      }
    }
    return std::nullopt;
  }

  double Allowed(double tolerance, double a, double b) const {
    return tolerance * std::max(std::abs(a), std::abs(b)) + options_.absolute_tolerance * scale_;
  }

  void Compare(const Position::Direction& direction, double tolerance, const Path& variable, int64_t element) {
    const std::optional<double> quotient = Quotient(direction, tolerance);
    if (!quotient) {
      ++report_.unsettled;
      return;
    }
    double gradient = 0;
    for (size_t k = 0; k < direction.size(); ++k) {
      for (size_t i = 0; i < direction[k].size(); ++i) {
        if (direction[k][i] != 0) gradient += gradients_[k][i] * direction[k][i];
      }
    }
    const double error = std::abs(gradient - *quotient);
    const bool finite = std::isfinite(gradient);
    ++report_.slopes;
    report_.worst = std::max(report_.worst, finite ? error / std::max({1.0, std::abs(gradient), std::abs(*quotient)})
                                                   : std::numeric_limits<double>::infinity());
    if (finite && error <= Allowed(tolerance, gradient, *quotient)) return;
    report_.mismatches.push_back(
        {.variable = variable, .element = element, .gradient = gradient, .quotient = *quotient});
  }

  void CheckElements(size_t k) {
    Position::Direction direction(gradients_.size());
    direction[k].resize(gradients_[k].size());
    for (size_t i = 0; i < direction[k].size(); ++i) {
      const double length = std::max(1.0, std::abs(position_.origin()[k][i]));
      direction[k][i] = length;
      const size_t before = report_.mismatches.size();
      Compare(direction, options_.relative_tolerance, variables_[k].name(), static_cast<int64_t>(i));
      if (report_.mismatches.size() > before) {  // told per unit of x, not per step
        report_.mismatches.back().gradient /= length;
        report_.mismatches.back().quotient /= length;
      }
      direction[k][i] = 0;
    }
  }

  // ± max(1, |x|) for every element, of length 1 where |x| ≤ 1.
  void CheckDirections(std::span<const size_t> chosen) {
    size_t elements = 0;
    for (size_t k : chosen) elements += gradients_[k].size();
    if (elements == 0) return;
    for (int d = 0; d < options_.directions; ++d) {
      Position::Direction direction(gradients_.size());
      for (size_t k : chosen) {
        for (double x : position_.origin()[k]) {
          const double sign = random_() >> 63 != 0 ? 1 : -1;
          direction[k].push_back(sign * std::max(1.0, std::abs(x)) / std::sqrt(static_cast<double>(elements)));
        }
      }
      Compare(direction, options_.direction_tolerance, chosen.size() == 1 ? variables_[chosen[0]].name() : Path(), -1);
    }
  }

  FedRun& run_;
  Position& position_;
  const Position::Direction& gradients_;
  std::span<const Node> variables_;
  const CheckOptions& options_;
  std::mt19937_64 random_;
  double target_ = 0, scale_ = 1;
  GradientReport report_;
};

void RequireMovable(const Node& node, const CheckOptions& options) {
  if (node.dtype() != DType::kFloat64)
    Fail(node,
         fmt::format("got {}, expected f64: in f32 a difference quotient is not good enough", ToString(node.type())));
  if (FindFeed(options.feeds, node.name()) == nullptr && !node.op().is_source(SourceKind::kVariable)) {
    Fail(node, fmt::format("got a {}, expected a variable or a node among the feeds", *node.op().name));
  }
}

}  // namespace

GradientReport CheckGradients(Node target, std::span<const Node> variables, VariableStore& store,
                              const CheckOptions& options) {
  if (target.dtype() != DType::kFloat64)
    Fail(target, fmt::format("got {}, expected a scalar of f64", ToString(target.type())));
  for (const Node& variable : variables) {
    RequireMovable(variable, options);
    if (std::ranges::count(variables, variable) > 1) Fail(variable, "is given twice");
  }
  std::vector<Node> fetches = {target};
  for (const Node& gradient : Gradients(target, variables)) fetches.push_back(gradient);
  Session session(target.graph(), store, options.session);

  FedRun gradient_run(session, fetches, options);
  gradient_run.Run();
  const double value = gradient_run.Output(0)[0];
  if (!std::isfinite(value))
    throw NumericError(
        fmt::format("CheckGradients: '{}': got {}, expected a finite number", Escaped(target.name().str()), value));
  Position::Direction gradients;
  for (size_t k = 1; k < fetches.size(); ++k)
    gradients.emplace_back(gradient_run.Output(k).begin(), gradient_run.Output(k).end());

  FedRun target_run(session, std::span(&target, 1), options);
  std::vector<Tensor> own;  // of what the target's program does not even read
  own.reserve(variables.size());
  const auto values_of = [&](const Node& variable) {
    if (target_run.Reads(variable)) return target_run.Input(variable);
    if (const Tensor* fed = FindFeed(options.feeds, variable.name())) return own.emplace_back(*fed).values<double>();
    return target_run.Values(*store.Find(variable.name()));
  };
  std::vector<std::span<double>> values;
  for (const Node& variable : variables) values.push_back(values_of(variable));
  Position position(std::move(values));
  return Checker(target_run, position, gradients, variables, options).Check();
}

std::string ToString(const GradientReport& report) {
  constexpr size_t kShown = 5;
  std::string text =
      fmt::format("{} slopes, {} unsettled, worst {:.1e}", report.slopes, report.unsettled, report.worst);
  for (size_t i = 0; i < std::min(kShown, report.mismatches.size()); ++i) {
    const SlopeMismatch& wrong = report.mismatches[i];
    const std::string where =
        wrong.variable.is_root() ? "all variables" : fmt::format("'{}'", Escaped(wrong.variable.str()));
    const std::string along =
        wrong.element < 0 ? std::string("along a direction") : fmt::format("element {}", wrong.element);
    text += fmt::format("\n  {}, {}: gradient {}, quotient {}", where, along, wrong.gradient, wrong.quotient);
  }
  if (report.mismatches.size() > kShown) text += fmt::format("\n  … and {} more", report.mismatches.size() - kShown);
  return text;
}

}  // namespace weft
