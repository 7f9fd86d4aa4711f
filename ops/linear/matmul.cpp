// MatMul(A, B) = op(A)·op(B), where op(X) is X or Xᵀ by attribute: transposes are read, never made.
//
// Matrices in panels are read as they lie; a left operand that is not is packed by a step before. A product of few rows
// (a batch of one) or few columns of plain matrices is a single step that packs neither operand whole. All ways sum
// each element in the same order: the same bits for any batch and any layout.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// What a step knows of a product, in `numbers`.
enum Number : size_t {
  kRows,
  kColumns,
  kDepth,
  kLeftLayout,
  kRightLayout,
  kResultLayout,
  kTransposeLeft,
  kTransposeRight
};

// op(X) as a matrix [depth, n].
template <class T>
ProductOperand<T> OperandOf(const StepArguments& step, size_t index, bool transposed) {
  const int64_t depth = step.numbers[kDepth], n = step.numbers[index == 0 ? kRows : kColumns];
  return {.data = reinterpret_cast<const T*>(step.reads[index]),
          .rows = transposed ? n : depth,
          .columns = transposed ? depth : n,
          .transposed = transposed,
          .layout = static_cast<Layout>(step.numbers[index == 0 ? kLeftLayout : kRightLayout])};
}

template <class T>
ProductOperand<T> LeftOf(const StepArguments& step) {
  return OperandOf<T>(step, 0, step.numbers[kTransposeLeft] == 0);
}

template <class T>
MatrixProduct<T> ProductOf(const StepArguments& step) {
  return {.left = LeftOf<T>(step),
          .right = OperandOf<T>(step, 1, step.numbers[kTransposeRight] != 0),
          .rows = step.numbers[kRows],
          .columns = step.numbers[kColumns],
          .depth = step.numbers[kDepth],
          .result = reinterpret_cast<T*>(step.writes[0]),
          .layout = static_cast<Layout>(step.numbers[kResultLayout]),
          .epilogue = step.epilogue,
          .is_strip = step.is_result_strip};
}

// Reads A, writes the panels of op(A).
template <class T>
void PackLeft(const StepArguments& step, int64_t block) {
  const ProductOperand<T> left = LeftOf<T>(step);
  const int64_t rows = step.numbers[kRows], depth = step.numbers[kDepth],
                count = PanelsPerPacking(left.transposed) * kPanelWidth<T>;
  PackPanels(left, 0, depth, block * count, std::min(rows, (block + 1) * count),
             reinterpret_cast<T*>(step.writes[0]) + block * count * depth);
}

// Reads A in panels, and B.
template <class T>
void Multiply(const StepArguments& step, int64_t block) {
  const MatrixProduct<T> product = ProductOf<T>(step);
  MultiplyBlock(product, CutIntoBlocks(product.rows, product.columns, kPanelWidth<T>).range(block));
}

// Reads the panels of op(A), and B.
template <class T>
void MultiplyPacked(const StepArguments& step, int64_t block) {
  MatrixProduct<T> product = ProductOf<T>(step);
  product.left = {.data = product.left.data,
                  .rows = product.depth,
                  .columns = product.rows,
                  .transposed = false,
                  .layout = Layout::kPanels};
  MultiplyBlock(product, CutIntoBlocks(product.rows, product.columns, kPanelWidth<T>).range(block));
}

// Reads A and B.
template <class T>
void FewRows(const StepArguments& step, int64_t block) {
  MultiplyFewRows(ProductOf<T>(step), block);
}
template <class T>
void FewColumns(const StepArguments& step, int64_t block) {
  MultiplyFewColumns(ProductOf<T>(step), block);
}

using BlockFunction = void (*)(const StepArguments&, int64_t block);
void ForBlocks(const StepArguments& step, uint32_t begin, uint32_t end, BlockFunction run32, BlockFunction run64) {
  const BlockFunction run = step.dtype == DType::kFloat32 ? run32 : run64;
  for (uint32_t block = begin; block < end; ++block) run(step, block);
}

void PackLeftBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  ForBlocks(step, begin, end, PackLeft<float>, PackLeft<double>);
}
void MultiplyBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  ForBlocks(step, begin, end, Multiply<float>, Multiply<double>);
}
void MultiplyPackedBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  ForBlocks(step, begin, end, MultiplyPacked<float>, MultiplyPacked<double>);
}
void FewRowsBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  ForBlocks(step, begin, end, FewRows<float>, FewRows<double>);
}
void FewColumnsBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  ForBlocks(step, begin, end, FewColumns<float>, FewColumns<double>);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <string>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
HWY_EXPORT(PackLeftBlocks);
HWY_EXPORT(MultiplyBlocks);
HWY_EXPORT(MultiplyPackedBlocks);
HWY_EXPORT(FewRowsBlocks);
HWY_EXPORT(FewColumnsBlocks);
namespace {

void PackLeftStep(const StepArguments& step, uint32_t begin, uint32_t end) {
  HWY_DYNAMIC_DISPATCH(PackLeftBlocks)(step, begin, end);
}
void MultiplyStep(const StepArguments& step, uint32_t begin, uint32_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyBlocks)(step, begin, end);
}
void MultiplyPackedStep(const StepArguments& step, uint32_t begin, uint32_t end) {
  HWY_DYNAMIC_DISPATCH(MultiplyPackedBlocks)(step, begin, end);
}
void FewRowsStep(const StepArguments& step, uint32_t begin, uint32_t end) {
  HWY_DYNAMIC_DISPATCH(FewRowsBlocks)(step, begin, end);
}
void FewColumnsStep(const StepArguments& step, uint32_t begin, uint32_t end) {
  HWY_DYNAMIC_DISPATCH(FewColumnsBlocks)(step, begin, end);
}

MatMulOptions OptionsOf(const Attributes& attributes) {
  return {.transpose_left = attributes.Get<bool>("transpose_left"),
          .transpose_right = attributes.Get<bool>("transpose_right")};
}

Attributes AttributesOf(const MatMulOptions& options) {
  return {{"transpose_left", options.transpose_left}, {"transpose_right", options.transpose_right}};
}

// op(A)[rows, left_depth] · op(B)[right_depth, columns]
struct Lengths {
  Lengths(const Shape& left, const Shape& right, const MatMulOptions& options)
      : rows(left[options.transpose_left ? 1 : 0]),
        left_depth(left[options.transpose_left ? 0 : 1]),
        right_depth(right[options.transpose_right ? 1 : 0]),
        columns(right[options.transpose_right ? 0 : 1]) {}

  Dim rows, left_depth, right_depth, columns;
};

TensorType MatMulType(const TypeContext& context) {
  const TensorType& left = context.operand(0);
  const TensorType& right = context.operand(1);
  context.Require(left.shape.rank() == 2 && right.shape.rank() == 2, "expected two matrices");
  context.Require(IsFloating(left.dtype) && left.dtype == right.dtype,
                  "expected two operands of the same floating-point type");
  const MatMulOptions options = OptionsOf(context.attributes());
  const Lengths lengths(left.shape, right.shape, options);
  if (lengths.left_depth != lengths.right_depth) {
    const auto text = [](Dim dim, bool transposed) {
      return (dim.is_batch() ? "N" : std::to_string(dim.length())) + (transposed ? " of the transposed" : "");
    };
    context.Fail("inner dimensions differ (" + text(lengths.left_depth, options.transpose_left) + " ≠ " +
                 text(lengths.right_depth, options.transpose_right) + ")");
  }
  return {.dtype = left.dtype, .shape = {lengths.rows, lengths.columns}};
}

template <class Number>
Values<Number> MatMulFormula(std::span<const Values<Number>> operands, const Attributes& attributes,
                             const TensorType& result) {
  const MatMulOptions options = OptionsOf(attributes);
  const Lengths lengths(operands[0].shape, operands[1].shape, options);
  const auto rows = static_cast<size_t>(lengths.rows.length()),
             depth = static_cast<size_t>(lengths.left_depth.length()),
             columns = static_cast<size_t>(lengths.columns.length());
  const std::span<const Number> a = operands[0].elements, b = operands[1].elements;
  Values<Number> product(result.shape);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      for (size_t k = 0; k < depth; ++k) {
        product.elements[i * columns + j] += a[options.transpose_left ? k * rows + i : i * depth + k] *
                                             b[options.transpose_right ? j * depth + k : k * columns + j];
      }
    }
  }
  return product;
}

// With C = op(A)·op(B) and C̄ its gradient: op(A) has C̄·op(B)ᵀ, op(B) has op(A)ᵀ·C̄; where op transposes, A and B have
// the transpose.
Contributions MatMulGradient(const GradientContext& c) {
  const Node a = c.operand(0), b = c.operand(1), g = c.output_gradient();
  const auto [transpose_a, transpose_b] = OptionsOf(c.attributes());
  Contributions result(2);
  if (c.Needs(0)) {
    result[0] = transpose_a ? MatMul(b, g, {.transpose_left = transpose_b, .transpose_right = true})
                            : MatMul(g, b, {.transpose_right = !transpose_b});
  }
  if (c.Needs(1)) {
    result[1] = transpose_b ? MatMul(g, a, {.transpose_left = true, .transpose_right = transpose_a})
                            : MatMul(a, g, {.transpose_left = !transpose_a});
  }
  return result;
}

// Cycles for the grain: AVX2 sums 64 bytes of products in one; an outer cache gives, or packing takes, 8 bytes.
constexpr double kProductBytesPerCycle = 64;
constexpr double kStreamedBytesPerCycle = 8;

void SetBlocks(StepSpec& step, int64_t blocks, double cycles) {
  step.blocks = static_cast<uint32_t>(std::max<int64_t>(1, blocks));
  step.block_cycles = cycles / step.blocks;
}

void LowerMatMul(LoweringContext& context) {
  const MatMulOptions options = OptionsOf(context.attributes);
  const Lengths lengths(context.operands[0].shape, context.operands[1].shape, options);
  const int64_t rows = lengths.rows.length(), columns = lengths.columns.length(), depth = lengths.left_depth.length();
  const DType dtype = context.result.dtype;
  const int64_t width = dtype == DType::kFloat32 ? kPanelWidth<float> : kPanelWidth<double>;
  const double depth_bytes = static_cast<double>(depth) * static_cast<double>(SizeOf(dtype));

  const auto panels = [](Layout layout) { return layout == Layout::kPanels; };
  Layout left = context.layout(0);
  const Layout right = context.layout(1), result = context.result_layout;
  // A single row lies in panels as it lies in a row.
  if (rows == 1 && !options.transpose_left) left = Layout::kPanels;
  const auto numbers = [&] {
    return std::vector<int64_t>{rows,
                                columns,
                                depth,
                                static_cast<int64_t>(left),
                                static_cast<int64_t>(right),
                                static_cast<int64_t>(result),
                                options.transpose_left ? 1 : 0,
                                options.transpose_right ? 1 : 0};
  };
  StepSpec multiply = {.reads = {OperandBuffer(0), OperandBuffer(1)},
                       .writes = {StepBuffer::kResult},
                       .numbers = numbers(),
                       .pieces = rows <= kBlockRowPanels * width ? Pieces::kWholeColumns : Pieces::kAny};
  const bool few_rows = rows <= kFewRows && !panels(right) && !panels(result);
  if (few_rows || (columns <= kFewRows && !panels(result))) {
    const int64_t many = few_rows ? columns : rows;
    multiply.run = few_rows ? FewRowsStep : FewColumnsStep;
    if (!few_rows) multiply.pieces = Pieces::kAny;
    SetBlocks(multiply, PieceCount(many, kBlockColumnPanels * width),
              static_cast<double>(many) * depth_bytes / kStreamedBytesPerCycle);
    context.steps.push_back(std::move(multiply));
    return;
  }
  multiply.run = MultiplyStep;
  if (!panels(left)) {
    const int64_t count = PieceCount(rows, width);
    const StepBuffer packed = context.Scratch(ByteSize(dtype, {count * width, depth}));
    StepSpec pack = {.run = PackLeftStep, .reads = {OperandBuffer(0)}, .writes = {packed}, .numbers = numbers()};
    SetBlocks(pack, PieceCount(count, PanelsPerPacking(!options.transpose_left)),
              static_cast<double>(rows) * depth_bytes / kStreamedBytesPerCycle);
    context.steps.push_back(std::move(pack));
    multiply.run = MultiplyPackedStep;
    multiply.reads[0] = packed;
  }
  const double right_bytes = static_cast<double>(columns) * depth_bytes;
  SetBlocks(
      multiply, CutIntoBlocks(rows, columns, width).blocks(),
      std::max(static_cast<double>(rows) * right_bytes / kProductBytesPerCycle, right_bytes / kStreamedBytesPerCycle));
  context.steps.push_back(std::move(multiply));
}

SampleSet MatMulSamples() {
  SampleSet set;
  const auto add = [&set](const Shape& left, const Shape& right, const MatMulOptions& options) {
    set.samples.push_back({.operands = {left, right}, .attributes = AttributesOf(options)});
  };
  add({1, 1}, {1, 1}, {});
  add({3, 5}, {5, 7}, {});
  add({5, 3}, {5, 7}, {.transpose_left = true});
  add({3, 5}, {7, 5}, {.transpose_right = true});
  add({5, 6}, {7, 5}, {.transpose_left = true, .transpose_right = true});
  add({6, 5}, {5, 33}, {});
  add({9, 4}, {4, 2}, {});
  add({2, 3}, {3, 41}, {});
  add({7, 0}, {0, 5}, {});
  return set;
}

// A transposed operand is read as it lies.
std::optional<Node> AbsorbTransposes(Node node) {
  const auto absorb = [](Node& operand, bool& transpose) {
    if (&operand.op() != &kTranspose || operand.attributes().Get<Axes>("permutation") != Axes{1, 0}) return false;
    operand = operand.operand(0);
    transpose = !transpose;
    return true;
  };
  Node a = node.operand(0), b = node.operand(1);
  MatMulOptions options = OptionsOf(node.attributes());
  const bool absorbed_left = absorb(a, options.transpose_left), absorbed_right = absorb(b, options.transpose_right);
  return absorbed_left || absorbed_right ? std::optional(MatMul(a, b, options)) : std::nullopt;
}

}  // namespace

constinit const OpDef kMatMul = {
    .name = "MatMul",
    .arity = 2,
    .type = MatMulType,
    .formula = [](auto x, const Attributes& attributes,
                  const TensorType& result) { return MatMulFormula(x, attributes, result); },
    .gradient = MatMulGradient,
    .lower = InSteps{LowerMatMul},
    .samples = MatMulSamples,
    .traits = {.takes_panels = true},
    .simplify = AbsorbTransposes,
};

Node MatMul(Node left, Node right, const MatMulOptions& options) {
  return left.graph().Add(kMatMul, {left, right}, AttributesOf(options));
}

}  // namespace weft
#endif
