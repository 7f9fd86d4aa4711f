// MatMul(left, right) = left · right, [M, K] · [K, N], each operand as it is or transposed.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE __BASE_FILE__
#include "hwy/foreach_target.h"  // must precede highway.h
#include "weft/ops/simd/gemm-inl.h"

#if !defined(WEFT_OPS_LINEAR_MATMUL_NUMBERS_)
#define WEFT_OPS_LINEAR_MATMUL_NUMBERS_
namespace weft {
// StepSpec::numbers of all steps.
enum MatMulNumber { kRows, kColumns, kDepth, kLeftTransposed, kRightTransposed, kNumbers };
}  // namespace weft
#endif

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

template <class T>
MatrixProduct<T> ProductOf(const StepArguments& step) {
  const auto n = step.numbers;
  return {.left = {reinterpret_cast<const T*>(step.reads[0]), n[kLeftTransposed] ? n[kRows] : n[kDepth], !n[kLeftTransposed]},
          .right = {reinterpret_cast<const T*>(step.reads[1]), n[kRightTransposed] ? n[kDepth] : n[kColumns], n[kRightTransposed] != 0},
          .rows = n[kRows], .columns = n[kColumns], .depth = n[kDepth],
          .result = reinterpret_cast<T*>(step.writes[0]), .epilogue = step.epilogue};
}

// Block b packs panel b of the left operand.
template <class T>
void PackLeftAs(const StepArguments& step, uint32_t begin, uint32_t end) {
  const MatrixProduct<T> product = ProductOf<T>(step);
  constexpr int64_t kWidth = kPanelWidth<T>;
  for (int64_t panel = begin; panel < end; ++panel) {
    PackPanels(product.left, 0, product.depth, panel * kWidth, std::min(product.rows, (panel + 1) * kWidth), product.result + panel * kWidth * product.depth);
  }
}

template <class T>
void MultiplyAs(const StepArguments& step, uint32_t begin, uint32_t end) {
  const MatrixProduct<T> product = ProductOf<T>(step);
  const BlockGrid grid = CutIntoBlocks(product.rows, product.columns, kPanelWidth<T>);
  const T* const left_panels = reinterpret_cast<const T*>(step.reads[2]);
  for (uint32_t block = begin; block < end; ++block) MultiplyBlock(product, left_panels, grid, block);
}

// Block b does the columns of kBlockColumnPanels panels.
template <class T>
void MultiplyFewRowsAs(const StepArguments& step, uint32_t begin, uint32_t end) {
  const MatrixProduct<T> product = ProductOf<T>(step);
  constexpr int64_t kColumns = kBlockColumnPanels * kPanelWidth<T>;
  for (int64_t block = begin; block < end; ++block) {
    const int64_t column = block * kColumns, column_end = std::min(product.columns, column + kColumns);
    MultiplyFewRows(product.left, product.rows, product.right, product.depth, column, column_end, product.result + column, product.columns);
    for (int64_t row = 0; row < product.rows && product.epilogue != nullptr; ++row) {
      product.epilogue->run(product.epilogue->context, row, column, static_cast<uint32_t>(column_end - column));
    }
  }
}

// The same with the operands' parts exchanged: a few columns of the result are a few rows of its transpose.
template <class T>
void MultiplyFewColumnsAs(const StepArguments& step, uint32_t begin, uint32_t end) {
  const MatrixProduct<T> product = ProductOf<T>(step);
  constexpr int64_t kBlockRows = kBlockColumnPanels * kPanelWidth<T>;
  HWY_ALIGN T turned[kFewRows * kBlockRows];
  for (int64_t block = begin; block < end; ++block) {
    const int64_t row = block * kBlockRows, row_end = std::min(product.rows, row + kBlockRows);
    MultiplyFewRows(product.right, product.columns, product.left, product.depth, row, row_end, turned, kBlockRows);
    for (int64_t r = row; r < row_end; ++r) {
      for (int64_t c = 0; c < product.columns; ++c) product.result[r * product.columns + c] = turned[c * kBlockRows + r - row];
      if (product.epilogue != nullptr) product.epilogue->run(product.epilogue->context, r, 0, static_cast<uint32_t>(product.columns));
    }
  }
}

void PackLeft(const StepArguments& step, uint32_t begin, uint32_t end) {
  step.dtype == DType::kFloat32 ? PackLeftAs<float>(step, begin, end) : PackLeftAs<double>(step, begin, end);
}
void MultiplyPanels(const StepArguments& step, uint32_t begin, uint32_t end) {
  step.dtype == DType::kFloat32 ? MultiplyAs<float>(step, begin, end) : MultiplyAs<double>(step, begin, end);
}
void MultiplyOfFewRows(const StepArguments& step, uint32_t begin, uint32_t end) {
  step.dtype == DType::kFloat32 ? MultiplyFewRowsAs<float>(step, begin, end) : MultiplyFewRowsAs<double>(step, begin, end);
}
void MultiplyOfFewColumns(const StepArguments& step, uint32_t begin, uint32_t end) {
  step.dtype == DType::kFloat32 ? MultiplyFewColumnsAs<float>(step, begin, end) : MultiplyFewColumnsAs<double>(step, begin, end);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"

namespace weft {
HWY_EXPORT(PackLeft);
HWY_EXPORT(MultiplyPanels);
HWY_EXPORT(MultiplyOfFewRows);
HWY_EXPORT(MultiplyOfFewColumns);

namespace {

struct Transposed {
  bool left, right;
};

Transposed TransposedBy(const Attributes& attributes) { return {attributes.Get<bool>("transpose_left"), attributes.Get<bool>("transpose_right")}; }

TensorType MatMulType(const TypeContext& context) {
  const TensorType &left = context.operand(0), &right = context.operand(1);
  context.Require(left.shape.rank() == 2 && right.shape.rank() == 2, "expected operands of rank 2");
  context.Require(IsFloating(left.dtype) && left.dtype == right.dtype, "expected two floating-point operands of one element type");
  const Transposed transposed = TransposedBy(context.attributes());
  const Dim rows = left.shape[transposed.left ? 1 : 0], depth = left.shape[transposed.left ? 0 : 1];
  const Dim right_depth = right.shape[transposed.right ? 1 : 0], columns = right.shape[transposed.right ? 0 : 1];
  if (depth != right_depth) {
    const auto text = [](Dim dim) { return dim.is_batch() ? std::string("N") : std::to_string(dim.length()); };
    context.Fail("inner dimensions differ (" + text(depth) + " ≠ " + text(right_depth) + ")");
  }
  return {.dtype = left.dtype, .shape = {rows, columns}};
}

Tensor MatMulFormula(std::span<const Tensor> operands, const Attributes& attributes, const TensorType& result) {
  const Transposed transposed = TransposedBy(attributes);
  Tensor product(DType::kFloat64, result.shape);
  const auto rows = static_cast<size_t>(result.shape[0].length()), columns = static_cast<size_t>(result.shape[1].length());
  const auto depth = static_cast<size_t>(operands[0].shape()[transposed.left ? 0 : 1].length());
  const auto a = operands[0].values<double>(), b = operands[1].values<double>();
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (size_t k = 0; k < depth; ++k) sum += a[transposed.left ? k * rows + i : i * depth + k] * b[transposed.right ? j * depth + k : k * columns + j];
      product.values<double>()[i * columns + j] = sum;
    }
  }
  return product;
}

// C = A·B ⇒ Ā = C̄·Bᵀ, B̄ = Aᵀ·C̄; for a transposed operand the transpose of that.
Contributions MatMulGradient(const GradientContext& c) {
  const auto [left, right] = TransposedBy(c.attributes());
  const Node a = c.operand(0), b = c.operand(1), g = c.output_gradient();
  Contributions contributions(2);
  if (c.Needs(0)) contributions[0] = left ? MatMul(b, g, {.transpose_left = right, .transpose_right = true}) : MatMul(g, b, {.transpose_right = !right});
  if (c.Needs(1)) contributions[1] = right ? MatMul(g, a, {.transpose_left = true, .transpose_right = left}) : MatMul(a, g, {.transpose_left = !left});
  return contributions;
}

// A vector of sums costs half a cycle where two FMA start in each; packing moves about 16 bytes a cycle.
constexpr double kCyclesPerVectorProduct = 0.6;
constexpr double kPackedBytesPerCycle = 16;

void LowerMatMul(LoweringContext& context) {
  const Transposed transposed = TransposedBy(context.attributes);
  const int64_t rows = context.result.shape[0].length(), columns = context.result.shape[1].length();
  const int64_t depth = context.operands[0].shape[transposed.left ? 0 : 1].length();
  const auto size = static_cast<int64_t>(SizeOf(context.result.dtype));
  const int64_t width = 128 / size;
  if (rows == 0 || columns == 0) return;

  std::vector<int64_t> numbers(kNumbers);
  numbers[kRows] = rows;
  numbers[kColumns] = columns;
  numbers[kDepth] = depth;
  numbers[kLeftTransposed] = transposed.left;
  numbers[kRightTransposed] = transposed.right;
  const double cycles = static_cast<double>(depth) * static_cast<double>(rows * columns * size) / 64 * kCyclesPerVectorProduct;
  const double bytes = static_cast<double>(depth) * static_cast<double>((rows + columns) * size);
  StepSpec product{.reads = {OperandBuffer(0), OperandBuffer(1)}, .writes = {StepBuffer::kResult}, .numbers = numbers, .accepts_epilogue = true};
  const auto cut = [&](StepFunction run, int64_t blocks, double total) {
    product.run = run;
    product.blocks = static_cast<uint32_t>(blocks);
    product.block_cycles = total / static_cast<double>(blocks);
  };
  const int64_t strip = kBlockColumnPanels * width;
  if (rows <= kFewRows) {
    cut([](const StepArguments& step, uint32_t begin, uint32_t end) { HWY_DYNAMIC_DISPATCH(MultiplyOfFewRows)(step, begin, end); }, CeilDivide(columns, strip),
        std::max(cycles, bytes / kPackedBytesPerCycle));
  } else if (columns <= kFewRows) {
    cut([](const StepArguments& step, uint32_t begin, uint32_t end) { HWY_DYNAMIC_DISPATCH(MultiplyOfFewColumns)(step, begin, end); }, CeilDivide(rows, strip),
        std::max(cycles, bytes / kPackedBytesPerCycle));
  } else {
    const int64_t panels = CeilDivide(rows, width);
    const StepBuffer left = context.Scratch(ElementCount({panels, depth, width}) * size);
    context.steps.push_back({.run = [](const StepArguments& step, uint32_t begin, uint32_t end) { HWY_DYNAMIC_DISPATCH(PackLeft)(step, begin, end); },
                             .reads = {OperandBuffer(0), OperandBuffer(1)}, .writes = {left}, .numbers = numbers, .blocks = static_cast<uint32_t>(panels),
                             .block_cycles = static_cast<double>(depth * width * size) / kPackedBytesPerCycle});
    product.reads.push_back(left);
    cut([](const StepArguments& step, uint32_t begin, uint32_t end) { HWY_DYNAMIC_DISPATCH(MultiplyPanels)(step, begin, end); }, CutIntoBlocks(rows, columns, width).blocks(), cycles);
  }
  context.steps.push_back(std::move(product));
}

SampleSet MatMulSamples() {
  SampleSet set;
  const auto add = [&set](int64_t rows, int64_t depth, int64_t columns, bool left, bool right) {
    set.samples.push_back({.operands = {left ? Shape{depth, rows} : Shape{rows, depth}, right ? Shape{columns, depth} : Shape{depth, columns}},
                           .attributes = {{"transpose_left", left}, {"transpose_right", right}}, .domains = {{-2, 2}}});
  };
  for (bool left : {false, true}) {
    for (bool right : {false, true}) {
      add(3, 4, 5, left, right);
      add(1, 7, 6, left, right);
      add(9, 5, 2, left, right);
    }
  }
  add(6, 0, 5, false, false);
  add(37, 19, 45, false, true);
  return set;
}

}  // namespace

constinit const OpDef kMatMul = {
    .name = "MatMul",
    .arity = 2,
    .type = MatMulType,
    .formula = MatMulFormula,
    .gradient = MatMulGradient,
    .lower = InSteps{LowerMatMul},
    .samples = MatMulSamples,
};

Node MatMul(Node left, Node right, const MatMulOptions& options) {
  return left.graph().Add(kMatMul, {left, right}, {{"transpose_left", options.transpose_left}, {"transpose_right", options.transpose_right}});
}

}  // namespace weft
#endif
