// Filling inputs and summing results.
#include "weft/models/training/fed_batch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/floating_point.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

std::vector<Node> AllFed(const Dataset& dataset, std::span<const Node> scalars) {
  std::vector<Node> fed(scalars.begin(), scalars.end());
  for (const Column& column : dataset) fed.push_back(column.node);
  return fed;
}

// Placeholders need not be announced.
PreparedRun Prepare(Session& session, std::span<const Node> fetches, PrepareOptions options,
                    std::span<const Node> fed) {
  std::ranges::copy_if(fed, std::back_inserter(options.fed),
                       [](const Node& node) { return !node.op().is_source(SourceKind::kPlaceholder); });
  PreparedRun run = session.Prepare(fetches, options);
  for (const ProgramInput& input : run.program().inputs) {
    const Path& name = run.program().graph.name(input.node);
    const bool is_fed = std::ranges::any_of(fed, [&](const Node& node) { return node.name() == name; });
    if (!is_fed && !input.has_default) {
      throw GraphError(fmt::format("placeholder '{}': no column of the data set feeds it", Escaped(name.str())));
    }
  }
  return run;
}

template <class T>
double Sum(std::span<const T> values) {
  double sum = 0;
  for (T value : values) sum += static_cast<double>(value);
  return sum;
}

}  // namespace

FedBatch::FedBatch(Session& session, std::span<const Node> fetches, PrepareOptions options, const Dataset& dataset,
                   std::span<const Node> scalars)
    : size_(options.batch), run_(Prepare(session, fetches, std::move(options), AllFed(dataset, scalars))) {
  for (const Column& column : dataset) inputs_.push_back({column.rows, column.node.dtype(), run_.Input(column.node)});
}

void FedBatch::Run(std::span<const int64_t> samples) {
  {
    const DefaultFloatingPoint rounding;
    for (const Input& input : inputs_) input.rows.Gather(samples, input.dtype, input.bytes);
  }
  run_.Run();
}

double FedBatch::SumOf(size_t i) const {
  const TensorType& type = run_.program().output_types[i];
  const double sum = type.dtype == DType::kFloat32 ? Sum(run_.Output<float>(i)) : Sum(run_.Output<double>(i));
  return type.shape.rank() == 0 ? sum * static_cast<double>(size_) : sum;
}

void FedBatch::SetScalar(Node scalar, double value) {
  const DefaultFloatingPoint rounding;
  if (scalar.dtype() == DType::kFloat32) run_.Input<float>(scalar)[0] = static_cast<float>(value);
  else run_.Input<double>(scalar)[0] = value;
}

FedBatches::FedBatches(Session& session, std::span<const Node> fetches, PrepareOptions options, const Dataset& dataset,
                       int64_t batch, std::span<const Node> scalars)
    : samples_(SampleCount(dataset)), batch_(batch) {
  if (batch < 1) throw GraphError(fmt::format("batch size: got {}, expected at least 1", batch));
  const auto make = [&](std::optional<FedBatch>& to, int64_t size) {
    options.batch = size;
    if (size > 0) to.emplace(session, fetches, options, dataset, scalars);
  };
  make(full_, samples_ >= batch ? batch : 0);
  if (full_) options.shares_memory_with = &full_->run();  // they take turns
  make(rest_, samples_ % batch);
}

}  // namespace weft
