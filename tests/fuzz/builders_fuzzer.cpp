// The builders: any sequence of calls gives a GraphError or a legal graph, whose gradients can be built and are legal,
// and which computes the same bits fused and unfused, and what the naive interpreter computes.
//
// An input is a byte that says what is compared, and a list of calls, a byte each with those of their arguments behind.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weft/autodiff/gradients.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/verify.h"
#include "weft/ops/operators.h"
#include "weft/tests/fuzz/oracle.h"
#include "weft/tests/fuzz/small_graph.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/serial_runner.h"

namespace weft {
namespace {

constexpr size_t kMostCalls = 12;
constexpr int64_t kMostElements = 4096;  // of all nodes together: larger graphs are built, not run
constexpr int64_t kBatchSize = 3;

// How far a value may be compared with that of the naive interpreter, which computes in another order of rounding.
enum class Nature : uint8_t {
  kSmooth,  // the value and its gradient
  kKinked,  // the value: its gradient jumps where two ways of rounding part
  kWild,    // neither: a jump, or a pole
};

// What a program is compared with: one thing an input, as most of the time goes into compiling.
enum class Compare : uint8_t { kNothing, kUnfused, kReference };

// Of what libFuzzer makes, one input of eight is compared: so it tries three times as many calls. A replay compares
// all.
bool IsCompared([[maybe_unused]] std::string_view bytes) {
#ifdef WEFT_LIBFUZZER
  return std::hash<std::string_view>{}(bytes) % 8 == 0;
#else
  return true;
#endif
}

class Calls {
 public:
  explicit Calls(std::string_view bytes) : bytes_(bytes) {
    const uint8_t first = Next();
    dtype_ = first % 4 == 1 ? DType::kFloat32 : DType::kFloat64;
    compare_ = IsCompared(bytes) ? Compare{static_cast<uint8_t>(first / 4 % 3)} : Compare::kNothing;
    for (const char* name : {"A", "B"}) nodes_.push_back(Placeholder(graph_, name, NextShape(), {.dtype = dtype_}));
    nodes_.push_back(Variable("V", BroadcastTo(Constant(graph_, 0.5, dtype_), {2, 3})));
  }

  void Make();
  Graph& graph() { return graph_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  Nature nature() const { return nature_; }
  Compare compare() const { return compare_; }

  // Arguments, in the order of the bytes.
  uint8_t Next() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return byte;
  }
  Node Pick() { return nodes_[nodes_.size() - 1 - Next() % nodes_.size()]; }
  int64_t Number() { return static_cast<int8_t>(Next()) % 8; }  // −7 … 7
  double Real() { return static_cast<double>(Number()) / 4; }
  bool Flag() { return (Next() & 1) != 0; }
  DType NextDType() { return std::array{dtype_, DType::kFloat64, DType::kFloat32, DType::kInt64}[Next() % 4]; }
  Shape NextShape() {
    std::vector<Dim> dims(Next() % 4, Dim(1));
    for (Dim& dim : dims) {
      const uint8_t byte = Next() % 16;
      dim = byte == 15 ? kBatch : byte < 6 ? Dim(byte) : Dim(byte % 3 + 1);
    }
    return Shape(dims);
  }
  Axes NextAxes() {
    Axes axes(Next() % 4);
    for (int64_t& axis : axes) axis = Number() / 2;
    return axes;
  }
  std::string NextName() { return std::string(1, static_cast<char>('a' + Next() % 16)); }

  Node One(Node (*build)(Node)) { return build(Pick()); }
  Node Two(Node (*build)(Node, Node)) {
    const Node a = Pick();
    return build(a, Pick());
  }

 private:
  std::string_view bytes_;
  DType dtype_;
  Compare compare_;
  Graph graph_;
  std::vector<Node> nodes_;
  Nature nature_ = Nature::kSmooth;
};

struct Call {
  Node (*make)(Calls&);
  Nature nature = Nature::kSmooth;
};

constexpr Call kCalls[] = {
    {[](Calls& c) { return c.Two(Add); }},
    {[](Calls& c) { return c.Two(Subtract); }},
    {[](Calls& c) { return c.Two(Multiply); }},
    {[](Calls& c) { return c.Two(Divide); }, Nature::kWild},
    {[](Calls& c) { return c.Two(Minimum); }, Nature::kKinked},
    {[](Calls& c) { return c.Two(Maximum); }, Nature::kKinked},
    {[](Calls& c) { return c.One(Negate); }},
    {[](Calls& c) { return c.One(Abs); }, Nature::kKinked},
    {[](Calls& c) { return c.One(Square); }},
    {[](Calls& c) { return c.One(Sqrt); }, Nature::kWild},
    {[](Calls& c) { return Sqrt(c.One(Square) + 0.5); }},
    {[](Calls& c) { return c.One(Exp); }},
    {[](Calls& c) { return c.One(Log); }, Nature::kWild},
    {[](Calls& c) { return Log(c.One(Square) + 0.5); }},
    {[](Calls& c) { return c.One(Expm1); }},
    {[](Calls& c) { return c.One(Log1p); }, Nature::kWild},
    {[](Calls& c) { return c.One(Sigmoid); }},
    {[](Calls& c) { return c.One(Tanh); }},
    {[](Calls& c) { return c.One(Erf); }},
    {[](Calls& c) { return c.One(Relu); }, Nature::kKinked},
    {[](Calls& c) { return LeakyRelu(c.Pick(), c.Real()); }, Nature::kKinked},
    {[](Calls& c) { return Elu(c.Pick(), c.Real()); }, Nature::kKinked},
    {[](Calls& c) { return c.One(Gelu); }},
    {[](Calls& c) { return c.One(Softplus); }},
    {[](Calls& c) {
       const Node x = c.Pick();
       const double low = c.Real();
       return Clamp(x, low, c.Real());
     },
     Nature::kKinked},
    {[](Calls& c) { return c.Two(Greater); }, Nature::kWild},
    {[](Calls& c) { return c.Two(LessEqual); }, Nature::kWild},
    {[](Calls& c) { return c.Two(Equal); }, Nature::kWild},
    {[](Calls& c) {
       const Node condition = c.Pick();
       const Node if_true = c.Pick();
       return Select(condition, if_true, c.Pick());
     },
     Nature::kWild},
    {[](Calls& c) {
       const Node x = c.Pick();
       return Cast(x, c.NextDType());
     },
     Nature::kWild},
    {[](Calls& c) { return ReduceSum(c.Pick()); }},
    {[](Calls& c) {
      const Node x = c.Pick();
      return ReduceSum(x, c.NextAxes());
    }},
    {[](Calls& c) {
      const Node x = c.Pick();
      return ReduceMean(x, c.NextAxes());
    }},
    {[](Calls& c) {
       const Node x = c.Pick();
       return ReduceMax(x, c.NextAxes());
     },
     Nature::kKinked},
    {[](Calls& c) { return c.One(LogSoftmax); }},
    {[](Calls& c) {
      const Node x = c.Pick();
      return BroadcastTo(x, c.NextShape());
    }},
    {[](Calls& c) {
      const Node x = c.Pick();
      return Reshape(x, c.NextShape());
    }},
    {[](Calls& c) {
      const Node x = c.Pick();
      return Transpose(x, c.NextAxes());
    }},
    {[](Calls& c) {
      const Node x = c.Pick();
      const int64_t axis = c.Number(), begin = c.Number();
      return Slice(x, axis, begin, c.Number());
    }},
    {[](Calls& c) {
      std::vector<Node> parts;
      for (int count = c.Next() % 4; count > 0; --count) parts.push_back(c.Pick());
      return Concatenate(parts, c.Number());
    }},
    {[](Calls& c) {
      const Node left = c.Pick(), right = c.Pick();
      const bool transposed = c.Flag();
      return MatMul(left, right, {.transpose_left = transposed, .transpose_right = c.Flag()});
    }},
    {[](Calls& c) {
      const Node x = c.Pick();
      return ElementCount(x, c.NextAxes());
    }},
    {[](Calls& c) {
      const std::string name = c.NextName();
      return RandomUniform(c.graph(), name, c.NextShape(), DType::kFloat64);
    }},
    {[](Calls& c) {
      const std::string name = c.NextName();
      return RandomNormalLike(name, c.Pick());
    }},
    {[](Calls& c) {
      const std::string name = c.NextName();
      return TruncatedNormal(c.graph(), name, c.NextShape(), DType::kFloat64);
    }},
    {[](Calls& c) { return c.One(StopGradient); }},
    {[](Calls& c) { return c.Two(ByMode); }},
    {[](Calls& c) {
      const Node logits = c.Pick();
      return SigmoidCrossEntropy({.logits = logits, .target = c.Pick()});
    }},
    {[](Calls& c) {
      const Node variable = c.Pick();
      c.graph().AddUpdate(variable, c.Pick());
      return variable;
    }},
    {[](Calls& c) {
      const Node node = c.Pick();
      c.graph().Rename(node, c.NextName());
      return node;
    }},
    {[](Calls& c) {
      const std::string name = c.NextName();
      return Variable(name, c.Pick());
    }},
    {[](Calls& c) { return c.Pick() * c.Real() + 0.25; }},
};

void Calls::Make() {
  for (size_t i = 0; i < kMostCalls && !bytes_.empty(); ++i) {
    const Call& call = kCalls[Next() % std::size(kCalls)];
    try {
      nodes_.push_back(call.make(*this));
      nature_ = std::max(nature_, call.nature);
    } catch (const GraphError&) {  // refused: the graph goes on as it was
    } catch (const ResourceError&) {}
  }
}

bool IsReal(Node node) { return node.dtype() == DType::kFloat32 || node.dtype() == DType::kFloat64; }

std::vector<Node> GradientsOf(Calls& calls) {
  const auto last = std::find_if(calls.nodes().rbegin(), calls.nodes().rend(), IsReal);
  try {
    const std::vector<Node> variables(calls.nodes().begin(), calls.nodes().begin() + 3);
    return Gradients(ReduceSum(*last), variables, {.unconnected = Unconnected::kZero});
  } catch (const GraphError&) {  // an op without a gradient on the way
    return {};
  }
}

std::map<NodeId, Tensor> Values(const std::vector<Node>& placeholders) {
  std::map<NodeId, Tensor> values;
  int count = 0;
  for (const Node& node : placeholders) {
    Tensor value(DType::kFloat64, node.shape().Bound(kBatchSize));
    for (double& element : value.values<double>()) {
      ++count;
      element = (count * 7 % 13 - 6) / 8.0 + count * 0x1p-9;
    }
    values.emplace(node.id(), value.Cast(node.dtype()));
  }
  return values;
}

std::vector<Tensor> Compiled(Graph& graph, const std::vector<Node>& fetches, const std::map<NodeId, Tensor>& values,
                             bool fuse) {
  static SerialRunner runner;
  VariableStore variables(graph);
  for (const Path& path : variables.Paths()) {
    auto& entry = *variables.Find(path);
    Tensor value(DType::kFloat64, entry.type().shape);
    std::ranges::fill(value.values<double>(), 0.5);
    entry.Set(value.Cast(entry.type().dtype));
    entry.initialised = true;
  }
  std::vector<Feed> feeds;
  for (const auto& [id, value] : values) feeds.push_back({graph.node(id), value});
  Session session(graph, variables, {.runner = &runner, .fuse = fuse, .reuse_memory = fuse});
  return session.Run(feeds, fetches);
}

bool IsSameBits(const Tensor& a, const Tensor& b) {
  const auto bytes = a.bytes(), others = b.bytes();
  if (bytes.empty() || std::memcmp(bytes.data(), others.data(), bytes.size()) == 0) return true;
  // The sign and the payload of a NaN are not defined.
  const Tensor x = a.Cast(DType::kFloat64), y = b.Cast(DType::kFloat64);
  for (size_t i = 0; i < x.values<double>().size(); ++i) {
    const double u = x.values<double>()[i], v = y.values<double>()[i];
    if (std::memcmp(&u, &v, sizeof u) != 0 && !(std::isnan(u) && std::isnan(v))) return false;
  }
  return true;
}

// Within bounds in which rounding stays small.
bool IsTame(const std::vector<Tensor>& values) {
  for (const Tensor& value : values) {
    for (double element : value.values<double>()) {
      if (!(std::abs(element) < 1e3)) return false;
    }
  }
  return true;
}

void CompareWithReference(Graph& graph, const std::vector<Node>& fetches, const std::map<NodeId, Tensor>& values,
                          const std::vector<Tensor>& results) {
  std::vector<Node> all;
  for (uint32_t i = 0; i < graph.size(); ++i) all.push_back(graph.node(NodeId{i}));
  std::map<NodeId, Tensor> given = values;
  for (const Node& node : all) {
    if (!node.op().is_source(SourceKind::kVariable)) continue;
    Tensor half(DType::kFloat64, node.shape());
    std::ranges::fill(half.values<double>(), 0.5);
    given.emplace(node.id(), half);
  }
  const std::vector<Tensor> expected = InterpretReference(graph, all, given, {.batch = kBatchSize});
  if (!IsTame(expected)) return;
  for (size_t i = 0; i < fetches.size(); ++i) {
    const Tensor got = results[i].Cast(DType::kFloat64);
    const auto wanted = expected[Index(fetches[i].id())].values<double>();
    for (size_t e = 0; e < wanted.size(); ++e) {
      const double difference = std::abs(got.values<double>()[e] - wanted[e]);
      Require(difference <= 1e-6 * std::max(1.0, std::abs(wanted[e])), "programs compute what formulas say");
    }
  }
}

void CompareResults(Calls& calls, std::vector<Node> fetches, const std::map<NodeId, Tensor>& values) {
  const std::vector<Tensor> results = Compiled(calls.graph(), fetches, values, true);
  if (calls.compare() == Compare::kUnfused) {
    const std::vector<Tensor> unfused = Compiled(calls.graph(), fetches, values, false);
    for (size_t i = 0; i < fetches.size(); ++i)
      Require(IsSameBits(results[i], unfused[i]), "fusion does not change bits");
    return;
  }
  if (calls.nature() == Nature::kWild || calls.nodes()[0].dtype() != DType::kFloat64) return;
  if (calls.nature() == Nature::kKinked) fetches.erase(fetches.begin() + 1, fetches.end());
  CompareWithReference(calls.graph(), fetches, values, results);
}

void Check(std::string_view bytes) {
  Calls calls(bytes);
  calls.Make();
  Graph& graph = calls.graph();
  if (!IsSmall(graph, kBatchSize, kMostElements)) return Verify(graph);
  std::vector<Node> fetches = {calls.nodes().back()};
  const std::vector<Node> gradients = GradientsOf(calls);
  Verify(graph);
  fetches.insert(fetches.end(), gradients.begin(), gradients.end());
  if (calls.compare() == Compare::kNothing || !IsSmall(graph, kBatchSize, kMostElements)) return;

  const std::map<NodeId, Tensor> values = Values({calls.nodes()[0], calls.nodes()[1]});
  try {
    CompareResults(calls, fetches, values);
  } catch (const GraphError&) {
    if (!MayBeRefusedWhenBound(graph)) throw;
  }
}

}  // namespace
}  // namespace weft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
