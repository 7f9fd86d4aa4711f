// Builders: each appends nodes to the graph of its operands and returns the last one.
//
//   Node h = Relu(MatMul(x, w) + b);
//   Node loss = ReduceMean(ReduceSum(SigmoidCrossEntropy({.logits = h, .target = x}), kLastAxis));
//
// Binary elementwise builders stretch their operands by NumPy's rule. All throw GraphError for operands that do not
// fit.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "weft/graph/graph.h"

namespace weft {

using Axes = std::vector<int64_t>;  // negative ones count from the last axis
// No Axes, which a program and a shared library would each make and free.
inline constexpr std::initializer_list<int64_t> kLastAxis = {-1};

// ---- Sources -------------------------------------------------------------------------------------------------------

Node Constant(Graph& graph, double value, DType dtype = DType::kFloat32);  // a scalar
Node Constant(Graph& graph, Tensor value);                                 // of the tensor's type, which it keeps
// What each run is given, of this type; nodes that need it cannot be computed without.
struct PlaceholderOptions {
  DType dtype = DType::kFloat32;
  std::optional<double> default_value = std::nullopt;  // every element, where nothing is fed
};
Node Placeholder(Graph& graph, std::string_view name, const Shape& shape, const PlaceholderOptions& options = {});

struct VariableOptions {
  bool trainable = true;
};
// State that lives in a VariableStore under the node's name; `initial_value` gives type and first value.
Node Variable(std::string_view name, Node initial_value, const VariableOptions& options = {});
bool IsTrainable(Node variable);

// (seed, run number), i64[2]: the operand of all random ops, fed by the session. One a graph.
Node RandomState(Graph& graph);
// The number of elements along `axes` as a scalar of x's dtype: depends on the type of x only.
Node ElementCount(Node x, const Axes& axes);

// ---- Elementwise ---------------------------------------------------------------------------------------------------

Node Add(Node a, Node b);       // a + b: f32 or f64 both, shapes broadcast; throws GraphError otherwise, as all below
Node Subtract(Node a, Node b);  // a − b
Node Multiply(Node a, Node b);  // a·b
Node Divide(Node a, Node b);    // a / b
Node Minimum(Node a, Node b);   // NaN if one is NaN; the gradient of a tie goes to a
Node Maximum(Node a, Node b);   // as Minimum
Node Negate(Node x);            // −x
Node Abs(Node x);               // |x|; gradient 0 at 0
Node Square(Node x);            // x²
Node Sqrt(Node x);              // √x; NaN below 0
Node Exp(Node x);               // eˣ
Node Log(Node x);               // natural; −∞ at 0, NaN below
Node Expm1(Node x);             // eˣ − 1, exact near 0
Node Log1p(Node x);             // log(1 + x), exact near 0
Node Sigmoid(Node x);           // 1 / (1 + e⁻ˣ), a probability; refuses one
Node Tanh(Node x);              // in −1 … 1
Node Erf(Node x);               // 2/√π ∫₀ˣ exp(−t²) dt
Node Relu(Node x);              // gradient 0 at 0
Node LeakyRelu(Node x, double slope = 0.01);  // x, or slope·x below 0
Node Elu(Node x, double alpha = 1.0);         // x, or alpha·(eˣ − 1) below 0
Node Gelu(Node x);                            // x·Φ(x), exact
Node Softplus(Node x);                        // log(1 + eˣ), without overflow
Node Clamp(Node x, double low, double high);  // gradient 1 inside, ends included

// Comparisons give 1 or 0 in the dtype of their operands; their gradient is zero.
Node Greater(Node a, Node b);
Node GreaterEqual(Node a, Node b);
Node Less(Node a, Node b);
Node LessEqual(Node a, Node b);
Node Equal(Node a, Node b);
Node NotEqual(Node a, Node b);
Node Select(Node condition, Node if_true, Node if_false);  // condition ≠ 0
Node Cast(Node x, DType dtype);

// ---- Reductions: the axes are removed; without axes, all of them ----------------------------------------------------

Node ReduceSum(Node x);                     // a scalar
Node ReduceSum(Node x, const Axes& axes);   // [N, 784] over {1}: [N]; throws for an axis outside or twice
Node ReduceMean(Node x);                    // Σ / number of elements, also where it depends on N
Node ReduceMean(Node x, const Axes& axes);  // as ReduceSum
Node ReduceMax(Node x);                     // NaN if one is NaN
Node ReduceMax(Node x, const Axes& axes);   // the gradient is shared evenly by ties
Node LogSoftmax(Node x);                    // over the last axis

// ---- Layout --------------------------------------------------------------------------------------------------------

Node BroadcastTo(Node x, const Shape& shape);                    // by the rule of Broadcast, which must give `shape`
Node Reshape(Node x, const Shape& shape);                        // row-major; as many elements
Node Transpose(Node x, const Axes& permutation);                 // axis i of the result is permutation[i] of x
Node Slice(Node x, int64_t axis, int64_t begin, int64_t end);    // begin … end − 1 of the axis
Node Concatenate(const std::vector<Node>& parts, int64_t axis);  // their other axes are equal

// ---- Linear algebra ------------------------------------------------------------------------------------------------

struct MatMulOptions {
  bool transpose_left = false;
  bool transpose_right = false;
};
Node MatMul(Node left, Node right, const MatMulOptions& options = {});  // [M, K] · [K, N]

// ---- Random: the stream is the node's whole name; same name, seed, run and element: same number ---------------------

Node RandomUniform(Graph& graph, std::string_view name, const Shape& shape, DType dtype = DType::kFloat32);  // [0, 1)
Node RandomNormal(Graph& graph, std::string_view name, const Shape& shape, DType dtype = DType::kFloat32);   // N(0, 1)
Node RandomNormalLike(std::string_view name, Node x);  // of the type of x
// N(0, 1) redrawn outside ±2: standard deviation 0.8796
Node TruncatedNormal(Graph& graph, std::string_view name, const Shape& shape, DType dtype = DType::kFloat32);

// ---- Control -------------------------------------------------------------------------------------------------------

Node StopGradient(Node x);                   // x; its gradient is zero
Node ByMode(Node training, Node inference);  // Bind keeps one of them

// ---- Losses on logits ----------------------------------------------------------------------------------------------

struct CrossEntropyOperands {
  Node logits;
  Node target;
};
// max(x, 0) − x·t + log1p(e^−|x|), element by element. Throws GraphError if the logits are probabilities.
Node SigmoidCrossEntropy(const CrossEntropyOperands& operands);

}  // namespace weft
