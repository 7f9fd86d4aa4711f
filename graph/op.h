// OpDef: the contract between all rooms. An op is its name, shape rule, formula, kernel, gradient rule and test
// samples.
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weft/graph/formula.h"
#include "weft/graph/graph.h"
#include "weft/graph/kernel.h"

namespace weft {

struct OpDef;

// A field that cannot be forgotten: no default constructor.
template <class T>
class Mandatory {
 public:
  template <std::convertible_to<T> From>
  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): a copy through it is a copy, too
  constexpr Mandatory(From&& from) : value_(std::forward<From>(from)) {}
  constexpr operator const T&() const { return value_; }
  constexpr const T* operator->() const { return &value_; }
  constexpr const T& operator*() const { return value_; }

 private:
  T value_;
};

// ---- Shape rule ----------------------------------------------------------------------------------------------------

// What a type rule sees of the node that is about to exist; `Fail` makes the sentence that names it.
class TypeContext {
 public:
  TypeContext(const OpDef& op, const Path& name, std::span<const Node> operands, const Attributes& attributes)
      : op_(op), name_(name), operands_(operands), attributes_(attributes) {}

  size_t operand_count() const { return operands_.size(); }
  const TensorType& operand(size_t i) const { return operands_[i].type(); }  // i < operand_count()
  const Attributes& attributes() const { return attributes_; }
  // Throws GraphError: "MatMul 'Encoder/Mean/MatMul': REASON", then one line an operand with its name and type.
  [[noreturn]] void Fail(std::string_view reason) const;
  void Require(bool condition, std::string_view reason) const {
    if (!condition) Fail(reason);
  }

 private:
  const OpDef& op_;
  const Path& name_;
  std::span<const Node> operands_;
  const Attributes& attributes_;
};

using TypeRule = TensorType (*)(const TypeContext&);

// ---- Gradient rule -------------------------------------------------------------------------------------------------

// One entry an operand: its share of the gradient, or nothing. A rule never thinks about broadcasting or accumulation.
using Contributions = std::vector<std::optional<Node>>;

class GradientContext {
 public:
  GradientContext(Node node, Node output_gradient, std::vector<bool> needs)
      : node_(node), output_gradient_(output_gradient), needs_(std::move(needs)) {}

  Node operand(size_t i) const { return node_.operand(i); }  // of the forward node
  Node output() const { return node_; }
  Node output_gradient() const { return output_gradient_; }
  const Attributes& attributes() const { return node_.attributes(); }
  bool Needs(size_t i) const { return needs_[i]; }  // false: nobody asks for the gradient of operand i

 private:
  Node node_;
  Node output_gradient_;
  std::vector<bool> needs_;
};

// A function, or the reason why there is none. A zero gradient (a comparison) is a rule that returns nothing.
class GradientRule {
 public:
  using Function = Contributions (*)(const GradientContext&);
  template <std::convertible_to<Function> F>
  constexpr GradientRule(F function) : function_(function) {}  // differentiable

  constexpr bool differentiable() const { return function_ != nullptr; }
  constexpr std::string_view reason() const { return reason_; }
  Contributions operator()(const GradientContext& context) const { return function_(context); }  // if differentiable()

 private:
  friend constexpr GradientRule NotDifferentiable(std::string_view reason);
  constexpr GradientRule(std::nullptr_t, std::string_view reason) : reason_(reason) {}
  Function function_ = nullptr;
  std::string_view reason_;
};
// There is none, and this is why: a literal, which is not copied.
constexpr GradientRule NotDifferentiable(std::string_view reason) { return GradientRule(nullptr, reason); }

// ---- Lowering: node → steps ----------------------------------------------------------------------------------------

// The same function of each element: may be fused with its neighbours.
struct PerBlock {
  BlockKernel kernel;
};

// A fold over one run of neighbouring axes, attributes axis = first axis, count = how many.
struct Reduction {
  ReductionKernels kernels;
};

// The bytes of operand 0 under another type: no step at all.
struct View {};

// The bytes come from outside: fed, from the store, from the attribute "value", or (seed, run number) from the session.
enum class SourceKind : uint8_t { kPlaceholder, kVariable, kConstant, kRandomState };
struct Source {
  SourceKind kind;
};

// A buffer in a lowering rule: an operand, the result, or scratch.
enum class StepBuffer : uint32_t { kResult = 0x8000'0000, kScratch = 0x4000'0000 };
constexpr StepBuffer OperandBuffer(uint32_t i) { return StepBuffer{i}; }

struct StepSpec {
  StepFunction run = nullptr;
  std::vector<StepBuffer> reads = {}, writes = {};
  std::vector<int64_t> numbers = {};  // passed to `run`; printed with the plan
  uint32_t blocks = 1;                // cut by shape only
  double block_cycles = 0;            // estimated cost of a block, for the grain
  Pieces pieces = Pieces::kNone;      // of its result [rows, columns]
};

// What a lowering rule sees of a bound node, and where it leaves its steps (run in this order).
struct LoweringContext {
  std::span<const TensorType> operands;
  const TensorType& result;
  const Attributes& attributes;
  // Row-major, all of them, unless the op takes panels.
  std::span<const Layout> layouts = {};
  Layout result_layout = Layout::kRowMajor;
  std::vector<StepSpec> steps = {};
  std::vector<int64_t> scratch_bytes = {};
  // How the memory of an operand is laid out.
  Layout layout(size_t operand) const { return layouts.empty() ? Layout::kRowMajor : layouts[operand]; }

  StepBuffer Scratch(int64_t bytes) {  // memory for the steps of this node alone
    scratch_bytes.push_back(bytes);
    return StepBuffer{static_cast<uint32_t>(StepBuffer::kScratch) | static_cast<uint32_t>(scratch_bytes.size() - 1)};
  }
};

struct InSteps {
  void (*rule)(LoweringContext&);
};

using Lowering = std::variant<PerBlock, Reduction, View, Source, InSteps>;

// ---- Combinations: what several instructions of a fused group do, in one kernel
// ---------------------------------------

// A plan that meets these parts together runs the kernel instead, which rounds as they do: the graph never hears of it.
// Values are numbered: first the inputs, then what each part gives.
struct Combination {
  struct Part {
    const OpDef* op;
    std::array<uint8_t, 3> operands;  // values
  };
  uint8_t inputs;
  uint32_t scalars;                  // bit i: input i is one number for all elements; the others have one for each
  std::span<const Part> parts;       // a part stands behind those that it reads
  std::span<const uint8_t> outputs;  // values that the kernel gives; no other is used outside of the combination
  BlockKernel kernel;
};

// ---- Formula: the op in plain loops, the oracle of all tests --------------------------------------------------------

// The result of `op`: no Highway, no blocks, no threads. Number is double or Complex.
template <class Number>
Values<Number> EvaluateFormula(const OpDef& op, std::span<const Values<Number>> operands, const Attributes&,
                               const TensorType& result);
// The same on f64 tensors.
Tensor EvaluateReference(const OpDef& op, std::span<const Tensor> operands, const Attributes&,
                         const TensorType& result);

// ---- Test samples --------------------------------------------------------------------------------------------------

// Where an operand is drawn from, and which points its function is not smooth at (samples keep away from them).
struct Domain {
  double low = -3;
  double high = 3;
  std::vector<double> kinks = {};
};

struct Sample {
  std::vector<Shape> operands = {};  // one shape an operand
  Attributes attributes = {};
  std::vector<Domain> domains = {{}};  // one an operand; a single one serves all
};

struct SampleSet {
  std::vector<Sample> samples = {};
  double ulp = 4;  // elementwise f32 results: units in the last place from the formula
  int times_differentiable = 2;
};

using Samples = SampleSet (*)();

// ---- The op --------------------------------------------------------------------------------------------------------

struct OpTraits {
  bool broadcasts = false;  // the result repeats operand 0: the fused reader can read the operand instead
  // Of an InSteps op: the result may take the bytes of operand 0. Elementwise ops always may.
  bool may_work_in_place = false;
  // Of an InSteps op: its rule takes operands, and gives its result, in panels where they are matrices.
  bool takes_panels = false;
  bool is_random = false;        // the numbers differ from run to run
  bool chooses_by_mode = false;  // is operand 0 in training, operand 1 in inference: gone once the graph is bound
  double vector_cycles = 2;      // of an elementwise op: rough cost of one 64-byte vector; exp and log are near 20
};

// A cheaper node with the same bits, or nothing. Sees the node in a bound graph and may add to it.
using SimplifyRule = std::optional<Node> (*)(Node);

inline constexpr int kVariadic = -1;

struct OpDef {
  Mandatory<std::string_view> name;  // "Softplus": default node name, text form, DOT label
  Mandatory<int> arity;              // or kVariadic
  Mandatory<TypeRule> type;          // operands, attributes → TensorType; throws GraphError
  Mandatory<Reference> formula;      // in plain loops
  Mandatory<GradientRule> gradient;  // a function or NotDifferentiable("reason")
  Mandatory<Lowering> lower;
  Mandatory<Samples> samples;
  OpTraits traits = {};
  SimplifyRule simplify = nullptr;
  const Combination* ending = nullptr;  // whose last part is this op

  bool is_elementwise() const { return std::holds_alternative<PerBlock>(*lower); }
  bool is_source() const { return std::holds_alternative<Source>(*lower); }
  bool is_source(SourceKind kind) const { return is_source() && std::get<Source>(*lower).kind == kind; }  // such a one
  bool is_view() const { return std::holds_alternative<View>(*lower); }
};

}  // namespace weft
