// Filling inputs and summing results.
#include "weft/models/training/fed_batch.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

void RequireAllFed(const Program& program, const Dataset& dataset, std::span<const Node> also_fed) {
  for (const ProgramInput& input : program.inputs) {
    const Path& name = program.graph.name(input.node);
    const bool fed = std::ranges::any_of(dataset, [&](const Column& column) { return column.placeholder.name() == name; }) ||
                     std::ranges::any_of(also_fed, [&](const Node& node) { return node.name() == name; });
    if (!fed && !input.has_default) throw GraphError(fmt::format("placeholder '{}': no column of the data set feeds it", Escaped(name.str())));
  }
}

template <class T>
double Sum(std::span<const T> values) {
  double sum = 0;
  for (T value : values) sum += static_cast<double>(value);
  return sum;
}

}  // namespace

FedBatch::FedBatch(Session& session, std::span<const Node> fetches, const PrepareOptions& options, const Dataset& dataset, std::span<const Node> also_fed)
    : size_(options.batch), run_(session.Prepare(fetches, options)) {
  RequireAllFed(run_.program(), dataset, also_fed);
  for (const Column& column : dataset) inputs_.push_back({column.rows, column.placeholder.dtype(), run_.Input(column.placeholder)});
}

void FedBatch::Run(std::span<const int64_t> samples) {
  for (const Input& input : inputs_) input.rows.Gather(samples, input.dtype, input.bytes);
  run_.Run();
}

double FedBatch::SumOf(size_t i) const {
  const TensorType& type = run_.program().output_types[i];
  const double sum = type.dtype == DType::kFloat32 ? Sum(run_.Output<float>(i)) : Sum(run_.Output<double>(i));
  return type.shape.rank() == 0 ? sum * static_cast<double>(size_) : sum;
}

void FedBatch::SetScalar(Node placeholder, double value) {
  if (placeholder.dtype() == DType::kFloat32) run_.Input<float>(placeholder)[0] = static_cast<float>(value);
  else run_.Input<double>(placeholder)[0] = value;
}

FedBatches::FedBatches(Session& session, std::span<const Node> fetches, PrepareOptions options, const Dataset& dataset, int64_t batch, std::span<const Node> also_fed)
    : samples_(SampleCount(dataset)), batch_(batch) {
  if (batch < 1) throw GraphError(fmt::format("batch size: got {}, expected at least 1", batch));
  const auto make = [&](std::optional<FedBatch>& to, int64_t size) {
    options.batch = size;
    if (size > 0) to.emplace(session, fetches, options, dataset, also_fed);
  };
  make(full_, samples_ >= batch ? batch : 0);
  make(rest_, samples_ % batch);
}

}  // namespace weft
