// Random graphs.
#include "weft/tests/support/random_graph.h"

#include <algorithm>

#include "weft/ops/operators.h"

namespace weft {
namespace {

class Maker {
 public:
  Maker(Graph& graph, std::mt19937_64& random, const RandomGraphOptions& options)
      : graph_(graph), random_(random), options_(options) {}

  RandomGraph Make() {
    RandomGraph made;
    for (const char* name : {"A", "B", "C"}) {
      made.placeholders.push_back(Placeholder(graph_, name, RandomShape(), {.dtype = options_.dtype}));
      made.variables.push_back(
          Variable(std::string("V") + name, BroadcastTo(Constant(graph_, 0.5, options_.dtype), RandomShape())));
    }
    nodes_ = made.placeholders;
    nodes_.insert(nodes_.end(), made.variables.begin(), made.variables.end());
    while (nodes_.size() < options_.nodes) nodes_.push_back(Next());
    for (int i = 0; i < 3; ++i) made.fetches.push_back(Pick());
    made.fetches.push_back(nodes_.back());
    if (options_.updates) AddUpdates(made);
    return made;
  }

 private:
  int64_t Number(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }
  Node Pick() { return nodes_[static_cast<size_t>(Number(0, static_cast<int64_t>(nodes_.size()) - 1))]; }

  Shape RandomShape() {
    std::vector<Dim> dims;
    for (int64_t rank = Number(0, 3); rank > 0; --rank)
      dims.push_back(Number(1, 3) == 1 ? 1 : (Number(1, 4) + 1) * options_.scale);
    return Shape(dims);
  }

  Node Next() {
    switch (Number(0, options_.for_gradients ? 20 : 15)) {
      case 0:
      case 1:
      case 2:
      case 3: return Binary();
      case 4:
      case 5: return Tanh(Pick());
      case 6: return Relu(Pick());
      case 7: return Sigmoid(Pick());
      case 8: return Reduced(Pick());
      case 9: return Reduced(Tanh(Pick()) * 0.25);
      case 10: return Square(Tanh(Pick()));
      case 11: return Flat(Pick());
      case 12: return Product();
      case 13: return Turned(Pick());
      case 14: return Part(Pick());
      case 16: return StopGradient(Pick());
      case 17: return Shifted(Pick());
      case 18: return Twice(Tanh(Pick()));
      case 19:
      case 20: return Smooth(Pick());
      default:
        return Select(Greater(Tanh(Pick()), Constant(graph_, 0.1, options_.dtype)),
                      Constant(graph_, 0.5, options_.dtype), Constant(graph_, -1.0, options_.dtype));
    }
  }

  Node Binary() {
    Node a = Pick(), b = Pick();
    for (int i = 0; i < 10 && !Broadcast(a.shape(), b.shape()); ++i) b = Pick();
    if (!Broadcast(a.shape(), b.shape())) return Tanh(a);
    switch (Number(0, 4)) {
      case 0: return Tanh(a + b);
      case 1: return Tanh(a - b);
      case 2: return Tanh(a) * Tanh(b);
      case 3: return Maximum(a, b);
      default: return Minimum(a, b * 0.5);
    }
  }

  Node Reduced(Node x) {
    if (x.shape().rank() == 0) return Tanh(x);
    const auto axis = Number(0, static_cast<int64_t>(x.shape().rank()) - 1);
    if (Number(0, 3) == 0) return ReduceMean(x);
    return Number(0, 1) == 0 ? ReduceMean(x, {axis}) : ReduceMax(x, {axis});
  }

  Node Shifted(Node x) { return Tanh(x + Constant(graph_, RandomTensor(options_.dtype, x.shape(), random_))); }

  static Node Twice(Node x) { return x * (x - x * x); }

  Node Smooth(Node x) {
    switch (Number(0, 7)) {
      case 0: return Softplus(x);
      case 1: return Exp(Tanh(x));
      case 2: return Erf(x);
      case 3: return x / (Square(x) + 1.0);
      case 4: return Sqrt(Square(x) + 0.5);
      case 5: return Log1p(Square(x));
      case 6: return SigmoidCrossEntropy({.logits = Tanh(x), .target = Sigmoid(Square(x))});
      default: return Elu(x, 0.5);
    }
  }

  Node Flat(Node x) { return Reshape(x, {ElementCount(x.shape())}); }

  Node Product() {
    const Node x = Pick();
    const Node column = Reshape(x, {ElementCount(x.shape()), 1});
    if (Number(0, 1) == 0) return Tanh(MatMul(column, column, {.transpose_left = true}) + 0.5);
    const Node y = Pick();
    const Node row = Reshape(y, {1, ElementCount(y.shape())});
    return ElementCount(x.shape()) * ElementCount(y.shape()) < 2000 ? Tanh(MatMul(column, row) + row * 0.5) : Tanh(row);
  }

  Node Turned(Node x) {
    if (x.shape().rank() < 2) return Negate(x);
    std::vector<int64_t> axes(x.shape().rank());
    for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
    std::swap(axes.front(), axes.back());
    return Transpose(x, axes);
  }

  Node Part(Node x) {
    if (x.shape().rank() == 0) return Abs(x);
    const int64_t length = x.shape()[0].length();
    const Node part = Slice(x, 0, length / 2, length);
    return Number(0, 1) == 0 ? part : Concatenate({part, x}, 0);
  }

  void AddUpdates(RandomGraph& made) {
    for (Node variable : made.variables) {
      Node next = variable * 0.9 + 0.01;
      for (int i = 0; i < 10; ++i) {
        const Node other = Pick();
        const auto common = Broadcast(variable.shape(), other.shape());
        if (!common || *common != variable.shape()) continue;
        next = Number(0, 4) == 0 && other.shape() == variable.shape() ? other : Tanh(next + other);
        break;
      }
      graph_.AddUpdate(variable, next);
    }
  }

  Graph& graph_;
  std::mt19937_64& random_;
  const RandomGraphOptions& options_;
  std::vector<Node> nodes_;
};

}  // namespace

RandomGraph AddRandomGraph(Graph& graph, std::mt19937_64& random, const RandomGraphOptions& options) {
  return Maker(graph, random, options).Make();
}

Tensor RandomTensor(DType dtype, const Shape& shape, std::mt19937_64& random) {
  Tensor tensor(DType::kFloat64, shape);
  for (double& value : tensor.values<double>()) value = static_cast<double>(random() >> 11) * 0x1p-51 - 2;  // [−2, 2)
  return tensor.Cast(dtype);
}

}  // namespace weft
