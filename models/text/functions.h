// What a model file can call: layers, distributions, and the builders of ops.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/models/text/words.h"
#include "weft/ops/ops.h"

namespace weft {

struct ModelList;
struct BatchSize {};  // N
// What an expression is.
using ModelValue = std::variant<double, bool, std::string, BatchSize, Node, ModelList>;
struct ModelList {
  std::vector<ModelValue> values;
};
// "a number", "a node": for messages.
std::string_view KindOf(const ModelValue& value);

// The arguments of a call, by the places of the signature. What does not fit throws GraphError with its place and name.
class ModelArguments {
 public:
  struct Argument {
    ModelValue value;
    size_t at;
  };

  ModelArguments(Graph& graph, const ModelSource& source, std::vector<std::string_view> inputs,
                 std::vector<std::optional<Argument>> arguments, std::optional<std::string_view> name)
      : graph_(graph), source_(source), inputs_(std::move(inputs)), arguments_(std::move(arguments)), name_(name) {}

  Graph& graph() const { return graph_; }
  std::optional<std::string_view> name() const { return name_; }  // of the statement that the call is all of
  size_t size() const { return arguments_.size(); }
  bool Has(size_t i) const { return arguments_[i].has_value(); }

  // A number is a constant of the type of the first node beside it.
  Node NodeAt(size_t i) const;
  std::vector<Node> NodesAt(size_t i) const;
  double NumberAt(size_t i) const;
  double NumberAt(size_t i, double otherwise) const { return Has(i) ? NumberAt(i) : otherwise; }
  int64_t WholeAt(size_t i) const;
  bool FlagAt(size_t i, bool otherwise) const;
  Shape ShapeAt(size_t i) const;
  Axes AxesAt(size_t i) const;  // a list, or one number
  DType DTypeAt(size_t i, DType otherwise) const;
  // The place of the string in `of`.
  size_t ChoiceAt(size_t i, std::span<const std::string_view> of) const;

 private:
  template <class T>
  const T& Get(size_t i, std::string_view expected) const;
  [[noreturn]] void Fail(size_t i, std::string_view got, std::string_view expected) const;
  int64_t Whole(size_t i, const ModelValue& value) const;

  Graph& graph_;
  const ModelSource& source_;
  std::vector<std::string_view> inputs_;
  std::vector<std::optional<Argument>> arguments_;
  std::optional<std::string_view> name_;
};

struct ModelFunction {
  // Some keep something under their name, a variable or a random stream: they are a statement of their own, or may be.
  enum class Naming : uint8_t { kAfterwards, kPerhaps, kAlways };

  std::string_view name;
  std::string signature;  // "x, units, initializer?": what may be left out has a ?
  Naming naming;
  std::function<Node(const ModelArguments&)> build;
};

// The function of that name; without a name where there is none. Layers and what has options are in a table; any other
// op that takes nodes alone is called by its own name.
std::optional<ModelFunction> FindModelFunction(std::string_view name);
std::vector<std::string_view> ModelFunctionNames();

}  // namespace weft
