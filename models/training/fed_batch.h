// FedBatch: a program for one batch size, whose inputs are gathered from a data set and whose results are summed up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weft/graph/runtime/session.h"
#include "weft/models/training/dataset.h"

namespace weft {

class FedBatch {
 public:
  // `scalars`: nodes that the caller fills. Throws GraphError for a column that the program does not read, and for a
  // placeholder without default that nobody fills.
  FedBatch(Session& session, std::span<const Node> fetches, PrepareOptions options, const Dataset& dataset,
           std::span<const Node> scalars = {});

  // Allocates nothing. Throws like PreparedRun::Run.
  void Run(std::span<const int64_t> samples);
  // Of fetch number i over the samples of the last run; a scalar times their number.
  double SumOf(size_t i) const;
  const PreparedRun& run() const { return run_; }
  // Fills one of the scalars, of f32 or f64.
  void SetScalar(Node scalar, double value);

 private:
  struct Input {
    Rows rows;
    DType dtype;
    std::span<std::byte> bytes;
  };

  int64_t size_;
  PreparedRun run_;
  std::vector<Input> inputs_;
};

// The programs for a data set in batches of one size: one for full batches, one for the rest, if there is one.
class FedBatches {
 public:
  FedBatches(Session& session, std::span<const Node> fetches, PrepareOptions options, const Dataset& dataset,
             int64_t batch, std::span<const Node> scalars = {});

  int64_t sample_count() const { return samples_; }
  // Of the batch that begins at this position of the order.
  int64_t SizeAt(int64_t position) const { return std::min(batch_, samples_ - position); }
  const PreparedRun& run() const { return full_ ? full_->run() : rest_->run(); }
  FedBatch& At(int64_t position) { return SizeAt(position) == batch_ ? *full_ : *rest_; }

 private:
  int64_t samples_, batch_;
  std::optional<FedBatch> full_, rest_;
};

}  // namespace weft
