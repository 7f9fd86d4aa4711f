// The products of the network's training step by one library: GFLOP/s, hot (the same operands again) and cold (going
// round 48 MiB, as a training step does), as one JSON line.
//
//   products_weft --threads 2
//
// A layer X[128, K] · W[K, N] has three: Y = X · W, dX = dY · Wᵀ and dW = Xᵀ · dY.
#include "weft/tests/benchmarks/products.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

double Gflops(const Case& each, int copies, int threads, int samples) {
  const ProductShape& shape = each.shape;
  const auto product = MakeProduct(shape, each.weights, copies, threads);
  const std::vector<float> left = Numbers(shape.rows * shape.depth, 1), right = Numbers(shape.depth * shape.columns, 2);
  for (int copy = 0; copy < copies; ++copy) {
    product->SetOperands(copy, left, right);
    product->Run(copy);
  }
  Check(shape, left, right, product->result(0));
  const double flops = 2.0 * static_cast<double>(shape.rows * shape.columns * shape.depth);
  const int runs = std::max(1, static_cast<int>(3e8 / std::max(flops, 2e6)));
  std::vector<double> rates;
  for (int sample = 0, next = 0; sample < samples + 1; ++sample) {
    const auto start = std::chrono::steady_clock::now();
    for (int run = 0; run < runs; ++run, ++next) product->Run(next % copies);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (sample > 0) rates.push_back(flops * runs / seconds.count() / 1e9);
  }
  std::ranges::nth_element(rates, rates.begin() + samples / 2);
  return rates[static_cast<size_t>(samples / 2)];
}

}  // namespace

int main(int count, char** arguments) {
  int threads = 1, samples = 9;
  CLI::App app("matrix products of a training step");
  app.add_option("--threads", threads);
  app.add_option("--samples", samples);
  CLI11_PARSE(app, count, arguments);
  nlohmann::ordered_json results = {{"version", LibraryVersion()}, {"threads", threads}};
  try {
    for (const Case& each : Cases()) {
      const ProductShape& s = each.shape;
      const int64_t bytes = 4 * (s.rows * s.depth + s.depth * s.columns + s.rows * s.columns);
      results[s.name + " hot"] = Gflops(each, 1, threads, samples);
      results[s.name + " cold"] = Gflops(each, static_cast<int>(kColdBytes / bytes) + 1, threads, samples);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "products: error: %s\n", error.what());
    return 1;
  }
  std::puts(results.dump().c_str());
}
