// Through the library's door: a graph of one product, its weights a variable, its data fed.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "weft/graph/runtime/session.h"
#include "weft/ops/ops.h"
#include "weft/tests/benchmarks/products.h"

namespace {

using namespace weft;

class WeftProduct : public Product {
 public:
  WeftProduct(const ProductShape& shape, Weights weights, int copies, int threads) {
    const Shape left = shape.transpose_left ? Shape{shape.depth, shape.rows} : Shape{shape.rows, shape.depth};
    const Shape right = shape.transpose_right ? Shape{shape.columns, shape.depth} : Shape{shape.depth, shape.columns};
    std::vector<Node> results;
    for (int copy = 0; copy < copies; ++copy) {
      left_.push_back(Placeholder(graph_, fmt::format("Left{}", copy), left));
      const std::string name = fmt::format("Right{}", copy);
      right_.push_back(weights == Weights::kRight ? Variable(name, BroadcastTo(Constant(graph_, 0), right))
                                                  : Placeholder(graph_, name, right));
      results.push_back(MatMul(left_.back(), right_.back(),
                               {.transpose_left = shape.transpose_left, .transpose_right = shape.transpose_right}));
    }
    Initialize(graph_, variables_);
    session_ = std::make_unique<Session>(graph_, variables_, SessionOptions{.threads = threads});
    for (const Node& result : results) runs_.push_back(session_->Prepare({result}));
  }

  void SetOperands(int copy, std::span<const float> left, std::span<const float> right) override {
    PreparedRun& run = runs_[At(copy)];
    std::ranges::copy(left, run.Input<float>(left_[At(copy)]).begin());
    const Node& node = right_[At(copy)];
    if (run.Reads(node)) std::ranges::copy(right, run.Input<float>(node).begin());
    else variables_.Set(node.name(), Tensor::Of<float>(node.shape(), right));
  }
  std::span<const float> result(int copy) override { return runs_[At(copy)].Output<float>(0); }
  void Run(int copy) override { runs_[At(copy)].Run(); }

 private:
  static size_t At(int copy) { return static_cast<size_t>(copy); }

  Graph graph_;
  VariableStore variables_;
  std::unique_ptr<Session> session_;
  std::vector<Node> left_, right_;
  std::vector<PreparedRun> runs_;
};

}  // namespace

std::unique_ptr<Product> MakeProduct(const ProductShape& shape, Weights weights, int copies, int threads) {
  return std::make_unique<WeftProduct>(shape, weights, copies, threads);
}

std::string LibraryVersion() { return "weft"; }
