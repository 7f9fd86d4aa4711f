// MatMul: against plain loops within the rounding bound of a sum, and bit for bit against itself: in any batch, for any
// cut into blocks, on every target with a fused multiply-add.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "weft/ops/all_ops.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/reference_interpreter.h"
#include "weft/tests/support/simd_targets.h"
#include "weft/tests/support/step_runner.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

constexpr MatMulOptions kAllTransposes[] = {{false, false}, {true, false}, {false, true}, {true, true}};

struct Problem {
  int64_t rows, columns, depth;
  MatMulOptions options = {};
};

std::string Text(const Problem& p) {
  return std::to_string(p.rows) + " x " + std::to_string(p.depth) + (p.options.transpose_left ? "ᵀ" : "") + " · " +
         std::to_string(p.depth) + " x " + std::to_string(p.columns) + (p.options.transpose_right ? "ᵀ" : "");
}

Attributes AttributesOf(const MatMulOptions& options) {
  return {{"transpose_left", options.transpose_left}, {"transpose_right", options.transpose_right}};
}

Tensor RandomMatrix(int64_t rows, int64_t columns, bool transposed, DType dtype, unsigned seed) {
  Tensor matrix(DType::kFloat64, transposed ? Shape{columns, rows} : Shape{rows, columns});
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (double& value : matrix.values<double>()) value = static_cast<double>(static_cast<float>(uniform(generator)));
  return matrix.Cast(dtype);
}

Tensor Left(const Problem& p, DType dtype) { return RandomMatrix(p.rows, p.depth, p.options.transpose_left, dtype, 1); }
Tensor Right(const Problem& p, DType dtype) {
  return RandomMatrix(p.depth, p.columns, p.options.transpose_right, dtype, 2);
}

Tensor Transposed(const Tensor& x) {
  const int64_t rows = x.shape()[0].length(), columns = x.shape()[1].length();
  Tensor result(x.dtype(), {columns, rows});
  const size_t size = SizeOf(x.dtype());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      std::memcpy(result.bytes().data() + static_cast<size_t>(c * rows + r) * size,
                  x.bytes().data() + static_cast<size_t>(r * columns + c) * size, size);
    }
  }
  return result;
}

Tensor Product(const Tensor& left, const Tensor& right, const MatMulOptions& options = {},
               const StepOrder& order = {}) {
  const Shape shape = {left.shape()[options.transpose_left ? 1 : 0], right.shape()[options.transpose_right ? 0 : 1]};
  const Tensor operands[] = {left, right};
  return RunSteps(kMatMul, operands, AttributesOf(options), {.dtype = left.dtype(), .shape = shape}, order);
}

Tensor ReferenceProduct(const Tensor& left, const Tensor& right, const MatMulOptions& options) {
  const Shape shape = {left.shape()[options.transpose_left ? 1 : 0], right.shape()[options.transpose_right ? 0 : 1]};
  const Tensor operands[] = {left.Cast(DType::kFloat64), right.Cast(DType::kFloat64)};
  return EvaluateReference(kMatMul, operands, AttributesOf(options), {.dtype = DType::kFloat64, .shape = shape});
}

Tensor Absolute(const Tensor& x) {
  Tensor result = x.Cast(DType::kFloat64);
  for (double& value : result.values<double>()) value = std::abs(value);
  return result;
}

// |C − C_ref| ≤ γ·|A||B| element by element, γ = n·u / (1 − n·u): a sum of n = depth products, each rounded at most
// twice. The reference is rounded too, hence one unit more of its own.
void ExpectWithinRounding(const Problem& p, DType dtype) {
  const Tensor left = Left(p, dtype), right = Right(p, dtype);
  const Tensor result = Product(left, right, p.options).Cast(DType::kFloat64);
  const Tensor reference = ReferenceProduct(left, right, p.options),
               bound = ReferenceProduct(Absolute(left), Absolute(right), p.options);
  const double n = static_cast<double>(p.depth) + 1;
  const auto gamma = [n](double unit) { return n * unit / (1 - n * unit); };
  const double allowed = gamma(dtype == DType::kFloat32 ? 0x1p-24 : 0x1p-53) + gamma(0x1p-53);
  for (size_t i = 0; i < static_cast<size_t>(result.size()); ++i) {
    ASSERT_LE(std::abs(result.values<double>()[i] - reference.values<double>()[i]), allowed * bound.values<double>()[i])
        << Text(p) << " " << Name(dtype) << " element " << i;
  }
}

class MatMulOnTarget : public testing::TestWithParam<int64_t> {
 protected:
  OnSimdTarget target_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Simd, MatMulOnTarget, testing::ValuesIn(SimdTargets()),
                         [](const testing::TestParamInfo<int64_t>& target) { return SimdTargetName(target.param); });

TEST_P(MatMulOnTarget, AgreesWithPlainLoops) {
  const std::tuple<int64_t, int64_t, int64_t> sizes[] = {
      {1, 1, 1},    {1, 129, 40},  {2, 70, 7},   {3, 64, 130},   {4, 33, 300},   {40, 1, 9},
      {130, 2, 70}, {70, 3, 260},  {300, 4, 5},  {5, 5, 5},      {6, 16, 1},     {7, 17, 2},
      {11, 31, 3},  {12, 32, 4},   {16, 48, 15}, {31, 65, 16},   {32, 100, 17},  {33, 128, 31},
      {64, 63, 64}, {66, 129, 65}, {70, 70, 70}, {29, 20, 127},  {45, 24, 128},  {21, 34, 129},
      {8, 9, 385},  {260, 7, 11},  {9, 270, 12}, {33, 70, 1100}, {3, 129, 1100}, {70, 3, 1100}};
  for (const auto& [rows, columns, depth] : sizes) {
    for (const MatMulOptions& options : kAllTransposes) {
      for (DType dtype : {DType::kFloat32, DType::kFloat64})
        ExpectWithinRounding({rows, columns, depth, options}, dtype);
    }
  }
}

TEST_P(MatMulOnTarget, RowsHaveTheSameBitsInAnyBatch) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (bool transpose_right : {false, true}) {
      const Problem largest = {128, 150, 200, {.transpose_right = transpose_right}};
      const Tensor left = Left(largest, dtype), right = Right(largest, dtype),
                   whole = Product(left, right, largest.options);
      for (int64_t batch : {1, 2, 3, 4, 5, 7, 12, 33, 100}) {
        for (int64_t first : {int64_t{0}, int64_t{9}, 128 - batch}) {
          const Tensor part = Product(left.Rows(first, std::min<int64_t>(128, first + batch)), right, largest.options);
          EXPECT_EQ(part, whole.Rows(first, std::min<int64_t>(128, first + batch)))
              << Name(dtype) << " batch " << batch << " from " << first;
        }
      }
    }
  }
}

TEST_P(MatMulOnTarget, ColumnsHaveTheSameBitsInAnyWidth) {
  const Problem widest = {70, 100, 150, {.transpose_right = true}};
  const Tensor left = Left(widest, DType::kFloat32), right = Right(widest, DType::kFloat32);
  const Tensor whole = Transposed(Product(left, right, widest.options));
  for (int64_t width : {1, 2, 3, 4, 5, 16, 17, 40}) {
    EXPECT_EQ(Transposed(Product(left, right.Rows(0, width), widest.options)), whole.Rows(0, width)) << width;
  }
}

TEST_P(MatMulOnTarget, TransposesAreReadNotRounded) {
  for (const Problem& p : {Problem{40, 50, 140}, Problem{3, 50, 140}, Problem{50, 2, 140}}) {
    const Tensor left = Left(p, DType::kFloat32), right = Right(p, DType::kFloat32), product = Product(left, right);
    for (const MatMulOptions& options : kAllTransposes) {
      EXPECT_EQ(Product(options.transpose_left ? Transposed(left) : left,
                        options.transpose_right ? Transposed(right) : right, options),
                product)
          << Text(p);
    }
  }
}

// Depths of one chunk and of several, tiles cut off on all sides; what fills up the panels of operands is NaN.
TEST_P(MatMulOnTarget, LayoutsChangeNoBit) {
  for (const Problem& shape :
       {Problem{33, 70, 40}, Problem{300, 33, 1100}, Problem{1, 70, 600}, Problem{4, 129, 600}}) {
    for (const MatMulOptions& options : kAllTransposes) {
      const Problem p = {shape.rows, shape.columns, shape.depth, options};
      const Tensor operands[] = {Left(p, DType::kFloat32), Right(p, DType::kFloat32)};
      const Tensor expected = Product(operands[0], operands[1], options);
      for (unsigned choice = 1; choice < 8; ++choice) {
        const auto layout = [choice](unsigned i) {
          return (choice >> i & 1) != 0 ? Layout::kPanels : Layout::kRowMajor;
        };
        const StepMemory memory = {.layouts = {layout(0), layout(1)}, .result_layout = layout(2)};
        EXPECT_EQ(RunSteps(kMatMul, operands, AttributesOf(options), expected.type(), {}, memory), expected)
            << Text(p) << " layouts " << choice;
      }
    }
  }
}

TEST_P(MatMulOnTarget, BlocksAreIndependent) {
  for (const Problem& p : {Problem{300, 300, 150, {.transpose_left = true}},
                           Problem{300, 300, 40, {.transpose_right = true}}, Problem{4, 700, 9}, Problem{700, 3, 9}}) {
    const Tensor left = Left(p, DType::kFloat32), right = Right(p, DType::kFloat32);
    EXPECT_EQ(Product(left, right, p.options, {.blocks_per_call = 1, .backwards = true}),
              Product(left, right, p.options))
        << Text(p);
  }
}

TEST_P(MatMulOnTarget, NothingToSumIsZero) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 40}, {7, 9}, {40, 2}, {130, 300}}) {
    const Tensor zeros(DType::kFloat32, {rows, columns});
    EXPECT_EQ(Product(Tensor(DType::kFloat32, {rows, 0}), Tensor(DType::kFloat32, {0, columns})), zeros)
        << rows << " x " << columns;
  }
}

TEST_P(MatMulOnTarget, EmptyResultsAreLeftAlone) {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{0, 0}, {0, 5}, {5, 0}, {50, 0}, {0, 300}}) {
    EXPECT_EQ(Product(Tensor(DType::kFloat64, {rows, 6}), Tensor(DType::kFloat64, {6, columns})).size(), 0);
  }
}

TEST_P(MatMulOnTarget, NaNStaysInItsRow) {
  for (int64_t rows : {3, 30}) {
    const Problem p = {rows, 37, 20};
    Tensor left = Left(p, DType::kFloat32);
    left.values<float>()[20 + 7] = std::numeric_limits<float>::quiet_NaN();
    const Tensor right = Right(p, DType::kFloat32), product = Product(left, right);
    for (int64_t i = 0; i < product.size(); ++i)
      EXPECT_EQ(std::isnan(product.values<float>()[static_cast<size_t>(i)]), i / 37 == 1) << i;
  }
}

TEST(MatMul, HasTheSameBitsOnAllTargetsOfAClass) {
  for (const Problem& p : {Problem{65, 90, 300, {.transpose_left = true}}, Problem{1, 90, 300},
                           Problem{90, 2, 300, {.transpose_right = true}}}) {
    for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const Tensor left = Left(p, dtype), right = Right(p, dtype);
      std::map<bool, Tensor> first;
      for (int64_t target : SimdTargets()) {
        const OnSimdTarget on(target);
        const Tensor product = Product(left, right, p.options);
        EXPECT_EQ(first.try_emplace(HasFusedMultiplyAdd(target), product).first->second, product)
            << Text(p) << " on " << SimdTargetName(target);
      }
    }
  }
}

// Counts what the epilogue sees, and checks that it sees final values.
struct Watch {
  const float* result;
  const Tensor* expected;
  std::vector<int> seen;
  bool final = true, whole_columns = true;

  static void Run(const void* context, const Piece& piece) {
    auto& watch = *static_cast<Watch*>(const_cast<void*>(context));
    const int64_t rows = watch.expected->shape()[0].length(), columns = watch.expected->shape()[1].length();
    watch.whole_columns = watch.whole_columns && piece.row == 0 && piece.row_end == rows;
    for (int64_t row = piece.row; row < piece.row_end; ++row) {
      for (int64_t column = piece.column; column < piece.column_end; ++column) {
        const auto at = static_cast<size_t>(row * columns + column);
        ++watch.seen[at];
        watch.final = watch.final && watch.result[at] == watch.expected->values<float>()[at];
      }
    }
  }
  static size_t Streams(const void*, const Piece&, std::span<Stream>) { return 0; }
};

TEST(MatMul, EpilogueSeesEachElementOnceAndFinal) {
  for (const Problem& p : {Problem{300, 200, 200}, Problem{37, 130, 5}, Problem{4, 300, 150}, Problem{300, 3, 150}}) {
    const Tensor operands[] = {Left(p, DType::kFloat32), Right(p, DType::kFloat32)};
    const Tensor expected = Product(operands[0], operands[1]);
    const TensorType types[] = {operands[0].type(), operands[1].type()}, result_type = expected.type();
    const Attributes attributes = AttributesOf({});
    LoweringContext context = {.operands = types, .result = result_type, .attributes = attributes};
    std::get<InSteps>(*kMatMul.lower).rule(context);
    const Pieces pieces = context.steps.back().pieces;
    ASSERT_NE(pieces, Pieces::kNone);

    Tensor result(DType::kFloat32, expected.shape());
    Tensor panels(DType::kFloat32, {context.scratch_bytes.empty() ? 1 : context.scratch_bytes[0] / 4});
    Watch watch = {.result = result.values<float>().data(),
                   .expected = &expected,
                   .seen = std::vector<int>(static_cast<size_t>(result.size()))};
    const Epilogue epilogue = {.run = Watch::Run, .streams = Watch::Streams, .context = &watch};
    for (const StepSpec& step : context.steps) {
      const bool last = &step == &context.steps.back(), packed = context.steps.size() == 2;
      const std::byte* reads[] = {last && packed ? panels.bytes().data() : operands[0].bytes().data(),
                                  operands[1].bytes().data()};
      std::byte* writes[] = {last ? result.bytes().data() : panels.bytes().data()};
      step.run({.reads = reads,
                .writes = writes,
                .numbers = step.numbers,
                .dtype = DType::kFloat32,
                .attributes = &attributes,
                .epilogue = last ? &epilogue : nullptr,
                .is_result_strip = false},
               0, step.blocks);
    }
    EXPECT_TRUE(watch.final) << Text(p);
    EXPECT_TRUE(watch.whole_columns || pieces != Pieces::kWholeColumns) << Text(p);
    EXPECT_TRUE(std::ranges::all_of(watch.seen, [](int times) { return times == 1; })) << Text(p);
  }
}

TEST(MatMul, GradientIsTheAdjoint) {
  // The product is linear in each operand, so ⟨g, X·B⟩ = ⟨Ā, X⟩ for every X, and the same for B.
  for (const MatMulOptions& options : kAllTransposes) {
    const Problem p = {4, 5, 3, options};
    const Tensor left = Left(p, DType::kFloat64), right = Right(p, DType::kFloat64),
                 g = RandomMatrix(4, 5, false, DType::kFloat64, 3);
    Graph graph;
    const Node a = Placeholder(graph, "A", left.shape(), {.dtype = DType::kFloat64}),
               b = Placeholder(graph, "B", right.shape(), {.dtype = DType::kFloat64});
    const Node gradient = Placeholder(graph, "G", g.shape(), {.dtype = DType::kFloat64});
    const Contributions contributions =
        (*kMatMul.gradient)(GradientContext(MatMul(a, b, options), gradient, {true, true}));
    const std::map<NodeId, Tensor> feeds = {{a.id(), left}, {b.id(), right}, {gradient.id(), g}};
    const auto dot = [](const Tensor& x, const Tensor& y) {
      double sum = 0;
      for (size_t i = 0; i < static_cast<size_t>(x.size()); ++i) sum += x.values<double>()[i] * y.values<double>()[i];
      return sum;
    };
    const double expected = dot(g, ReferenceProduct(left, right, options));
    for (size_t i : {0u, 1u}) {
      ASSERT_TRUE(contributions[i].has_value());
      const Tensor value = InterpretReference(graph, *contributions[i], feeds);
      const Tensor& operand = i == 0 ? left : right;
      ASSERT_EQ(value.shape(), operand.shape()) << Text(p);
      EXPECT_NEAR(dot(value, operand), expected, 1e-12) << Text(p) << " operand " << i;
    }
  }
}

TEST(MatMul, MakesNoGradientThatNobodyAsksFor) {
  Graph graph;
  const Node a = Placeholder(graph, "A", {2, 3}), b = Placeholder(graph, "B", {3, 4}),
             g = Placeholder(graph, "G", {2, 4});
  const Contributions contributions = (*kMatMul.gradient)(GradientContext(MatMul(a, b), g, {false, true}));
  EXPECT_FALSE(contributions[0].has_value());
  EXPECT_TRUE(contributions[1].has_value());
}

TEST(MatMul, KeepsTheBatchSize) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 784}), y = Placeholder(graph, "Y", {kBatch, 512}),
             w = Placeholder(graph, "W", {784, 512});
  EXPECT_EQ(MatMul(x, w).shape(), (Shape{kBatch, 512}));
  EXPECT_EQ(MatMul(x, y, {.transpose_left = true}).shape(), (Shape{784, 512}));
}

TEST(MatMul, RefusesWhatDoesNotFitInASentence) {
  Graph graph;
  const Node h = Placeholder(graph, "Encoder/H", {kBatch, 512}), w = Placeholder(graph, "Encoder/Mean/W", {500, 2});
  const Node vector = Placeholder(graph, "B", {512}),
             wide = Placeholder(graph, "D", {512, 2}, {.dtype = DType::kFloat64});
  EXPECT_EQ(Thrown([&] { MatMul(h, w); }),
            "MatMul 'MatMul': inner dimensions differ (512 ≠ 500)\n  operand 0  'Encoder/H'  f32[N, 512]\n  operand 1  "
            "'Encoder/Mean/W'  f32[500, 2]");
  EXPECT_NE(Thrown([&] {
              MatMul(h, w, {.transpose_left = true});
            }).find("inner dimensions differ (N of the transposed ≠ 500)"),
            std::string::npos);
  EXPECT_NE(Thrown([&] { MatMul(h, vector); }).find("expected two matrices"), std::string::npos);
  EXPECT_NE(Thrown([&] { MatMul(h, wide); }).find("same floating-point type"), std::string::npos);
}

TEST(MatMul, AbsorbsTransposedOperands) {
  Graph graph;
  const Node a = Placeholder(graph, "A", {3, 2}), b = Placeholder(graph, "B", {4, 3});
  const Node product = MatMul(Transpose(a, {1, 0}), Transpose(b, {1, 0}));
  const std::optional<Node> simpler = kMatMul.simplify(product);
  ASSERT_TRUE(simpler.has_value());
  EXPECT_EQ(simpler->operand(0), a);
  EXPECT_EQ(simpler->operand(1), b);
  EXPECT_EQ(simpler->shape(), product.shape());
  EXPECT_FALSE(kMatMul.simplify(*simpler).has_value());
}

}  // namespace
}  // namespace weft
