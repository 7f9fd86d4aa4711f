// What the reductions share.
#include "weft/ops/reduction/reduction.h"

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

struct Run {
  size_t axis, count;
};

Run RunOf(const Attributes& attributes) {
  return {static_cast<size_t>(attributes.Get<int64_t>("axis")), static_cast<size_t>(attributes.Get<int64_t>("count"))};
}

}  // namespace

TensorType ReductionType(const TypeContext& context) {
  const TensorType& x = context.operand(0);
  const Run run = RunOf(context.attributes());
  context.Require(IsFloating(x.dtype), "expected a floating-point operand");
  context.Require(run.count >= 1 && run.axis <= x.shape.rank() && run.count <= x.shape.rank() - run.axis,
                  "the axes are outside the operand's shape");
  std::vector<Dim> dims(x.shape.begin(), x.shape.end());
  const auto first = dims.begin() + static_cast<std::ptrdiff_t>(run.axis);
  dims.erase(first, first + static_cast<std::ptrdiff_t>(run.count));
  return {.dtype = x.dtype, .shape = Shape(dims)};
}

template <class Number>
Values<Number> ReduceInOrder(const Values<Number>& x, const Attributes& attributes, double identity,
                             std::type_identity_t<Number (*)(Number, Number)> join) {
  const Run run = RunOf(attributes);
  const std::span<const Dim> dims(x.shape.begin(), x.shape.rank());
  const auto outer = static_cast<size_t>(ElementCount(dims.first(run.axis)));
  const auto length = static_cast<size_t>(ElementCount(dims.subspan(run.axis, run.count)));
  const auto inner = static_cast<size_t>(ElementCount(dims.subspan(run.axis + run.count)));
  std::vector<Dim> kept(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(run.axis));
  kept.insert(kept.end(), dims.begin() + static_cast<std::ptrdiff_t>(run.axis + run.count), dims.end());
  Values<Number> result{Shape(kept)};
  for (size_t o = 0; o < outer; ++o) {
    for (size_t i = 0; i < inner; ++i) {
      Number sum = identity;
      for (size_t k = 0; k < length; ++k) sum = join(sum, x.elements[(o * length + k) * inner + i]);
      result.elements[o * inner + i] = sum;
    }
  }
  return result;
}

template Values<double> ReduceInOrder(const Values<double>&, const Attributes&, double, double (*)(double, double));
template Values<Complex> ReduceInOrder(const Values<Complex>&, const Attributes&, double,
                                       Complex (*)(Complex, Complex));

Node Reduce(const OpDef& op, Node x, const Axes& axes) {
  std::vector<size_t> sorted;
  for (int64_t axis : axes) sorted.push_back(NormalizedAxis(axis, x.shape().rank()));
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  while (!sorted.empty()) {
    const size_t end = sorted.back() + 1;
    size_t begin = end;
    while (!sorted.empty() && sorted.back() + 1 == begin) {
      begin = sorted.back();
      sorted.pop_back();
    }
    x = x.graph().Add(op, {x}, {{"axis", static_cast<int64_t>(begin)}, {"count", static_cast<int64_t>(end - begin)}});
  }
  return x;
}

Node BroadcastOver(Node reduced, Node x, const Attributes& attributes) {
  const Run run = RunOf(attributes);
  std::vector<Dim> dims(x.shape().begin(), x.shape().end());
  for (size_t axis = run.axis; axis < run.axis + run.count; ++axis) dims[axis] = 1;
  return BroadcastTo(Reshape(reduced, Shape(dims)), x.shape());
}

Axes AllAxes(Node x) {
  Axes axes(x.shape().rank());
  std::iota(axes.begin(), axes.end(), int64_t{0});
  return axes;
}

SampleSet ReductionSamples() {
  SampleSet set;
  const auto add = [&set](const Shape& shape, int64_t axis, int64_t count) {
    set.samples.push_back(
        {.operands = {shape}, .attributes = {{"axis", axis}, {"count", count}}, .domains = {{-3, 3}}});
  };
  add({7}, 0, 1);
  add({5, 37}, 1, 1);
  add({37, 5}, 0, 1);
  add({3, 4, 5}, 1, 1);
  add({3, 4, 5}, 0, 3);
  add({2, 3, 4, 5}, 1, 2);
  add({1, 1}, 0, 2);
  return set;
}

}  // namespace weft
