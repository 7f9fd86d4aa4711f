// What the op matrix is made of: every op over every sample of its own, in every element type that its type rule takes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/graph/op.h"
#include "weft/graph/tensor.h"

namespace weft {

// One op over one sample in a graph of its own: placeholders X0, X1 … (or the RandomState), the node Y, and their
// values.
struct OpGraph {
  Graph graph;
  std::vector<Node> operands;
  std::vector<Node> result;        // Y; a vector, as a node without a graph cannot be
  std::map<NodeId, Tensor> feeds;  // operands, and Y itself if it is a source that must be given
  std::string label;               // "Exp f32 [3, 5] alpha=1.0", for SCOPED_TRACE

  Node y() const { return result[0]; }
};

// Throws GraphError if the type rule refuses.
std::unique_ptr<OpGraph> BuildOpGraph(const OpDef& op, const Sample& sample, DType dtype);

// Every sample in f32 and f64, which an op must take, and in i64 and bool where it does. Sources: every sample once.
std::vector<std::unique_ptr<OpGraph>> AllOpGraphs(const OpDef& op);
// The same, in one element type.
std::vector<std::unique_ptr<OpGraph>> OpGraphs(const OpDef& op, DType dtype);

// The sample stretched to some `elements` elements: every length but 1 multiplied, in operands and attributes alike.
// Nothing where that is no sample any more.
std::unique_ptr<OpGraph> BuildStretched(const OpDef& op, const Sample& sample, DType dtype, int64_t elements);

// Values drawn from the domain, away from its kinks; the same for the same arguments. Integers are rounded, a bool is
// drawn from its sign around the middle.
Tensor DrawValues(const Domain& domain, const Shape& shape, DType dtype, uint64_t seed);

// The formula over the feeds, in f64.
Tensor FormulaOf(const OpGraph& graph);

// How far an element of the result may be from the formula: see reliability.md 2.2. Elementwise: the op's own bound in
// units of the last place; others: γ · (the formula over absolute values), γ = (⌈k/16⌉ + 8)·ε, k the elements of an
// operand.
std::vector<double> Bounds(const OpGraph& graph, const Tensor& formula);

}  // namespace weft
