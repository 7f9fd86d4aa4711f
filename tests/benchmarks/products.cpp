// The products of the network's training step by one library: GFLOP/s, hot (the same operands again) and cold (going
// round 48 MiB, as a training step does), for whoever asks (answers.h).
//
//   products_weft --threads 2
//
// A layer X[128, K] · W[K, N] has three: Y = X · W, dX = dY · Wᵀ and dW = Xᵀ · dY.
#include "weft/tests/benchmarks/products.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "weft/tests/benchmarks/answers.h"

namespace {

constexpr int64_t kImages = 128;
constexpr int64_t kColdBytes = int64_t{48} << 20;

struct Case {
  ProductShape shape;
  Weights weights;
};

// The gradient of the first layer's input is not wanted.
std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto add = [&cases](int64_t in, int64_t out, bool inner) {
    const std::string layer = fmt::format("{}->{}", in, out);
    cases.push_back({{"fwd " + layer, kImages, out, in, false, false}, Weights::kRight});
    if (inner) cases.push_back({{"dX " + layer, kImages, in, out, false, true}, Weights::kRight});
    cases.push_back({{"dW " + layer, in, out, kImages, true, false}, Weights::kNone});
  };
  add(784, 512, false);
  add(512, 512, true);
  add(512, 784, true);
  add(512, 2, true);
  add(2, 512, true);
  return cases;
}

std::vector<float> Numbers(int64_t count, uint32_t seed) {
  std::minstd_rand bits(seed);
  std::vector<float> numbers(static_cast<size_t>(count));
  for (float& number : numbers) number = static_cast<float>(bits() % 2001) / 1000 - 1;
  return numbers;
}

// A library that is fast and wrong is not fast.
void Check(const ProductShape& shape, std::span<const float> left, std::span<const float> right,
           std::span<const float> result) {
  const auto at = [](std::span<const float> matrix, int64_t row, int64_t column, int64_t rows, int64_t columns,
                     bool transposed) {
    return static_cast<double>(matrix[static_cast<size_t>(transposed ? column * rows + row : row * columns + column)]);
  };
  for (int64_t row = 0; row < shape.rows; row += 7) {
    for (int64_t column = 0; column < shape.columns; ++column) {
      double sum = 0;
      for (int64_t k = 0; k < shape.depth; ++k)
        sum += at(left, row, k, shape.rows, shape.depth, shape.transpose_left) *
               at(right, k, column, shape.depth, shape.columns, shape.transpose_right);
      const double got = result[static_cast<size_t>(row * shape.columns + column)];
      if (!(std::fabs(got - sum) < 1e-6 * static_cast<double>(shape.depth)))
        throw std::runtime_error(
            fmt::format("{}: element {}, {}: got {}, expected {}", shape.name, row, column, got, sum));
    }
  }
}

// One product at a time is in memory: who asks for GFLOP/s of it asks several times.
class Rate {
 public:
  double Gflops(const Case& each, int copies, int threads, double seconds) {
    const ProductShape& shape = each.shape;
    if (name_ != shape.name || copies_ != copies) {
      product_.reset();
      product_ = MakeProduct(shape, each.weights, copies, threads);
      name_ = shape.name;
      copies_ = copies;
      const std::vector<float> left = Numbers(shape.rows * shape.depth, 1),
                               right = Numbers(shape.depth * shape.columns, 2);
      for (int copy = 0; copy < copies; ++copy) {
        product_->SetOperands(copy, left, right);
        product_->Run(copy);
      }
      Check(shape, left, right, product_->result(0));
    }
    const double flops = 2.0 * static_cast<double>(shape.rows * shape.columns * shape.depth);
    const int runs = std::max(1, static_cast<int>(1e8 / std::max(flops, 2e6)));  // long enough for the clock
    const double milliseconds = MedianMilliseconds(
        [&] {
          for (int run = 0; run < runs; ++run) product_->Run(next_++ % copies);
        },
        seconds);
    return 1e-6 * flops * runs / milliseconds;
  }

 private:
  std::unique_ptr<Product> product_;
  std::string name_;
  int copies_ = 0, next_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  int threads = 1;
  CLI::App app("matrix products of a training step");
  app.add_option("--threads", threads);
  CLI11_PARSE(app, count, arguments);
  try {
    Rate rate;
    Figures figures;
    for (const Case& each : Cases()) {
      const ProductShape& s = each.shape;
      const int64_t bytes = 4 * (s.rows * s.depth + s.depth * s.columns + s.rows * s.columns);
      for (const auto& [heat, copies] : {std::pair("hot", 1), {"cold", static_cast<int>(kColdBytes / bytes) + 1}}) {
        figures.emplace_back(fmt::format("{} {}", s.name, heat),
                             [&rate, each, copies = copies, threads](double seconds) {
                               return rate.Gflops(each, copies, threads, seconds);
                             });
      }
    }
    Answer(LibraryVersion(), figures);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "products: error: %s\n", error.what());
    return 1;
  }
}
