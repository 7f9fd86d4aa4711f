// Which node is logged when.
#include "weft/examples/vae/tensorboard_log.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "weft/exporters/graph_def.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/pictures.h"
#include "weft/examples/vae/projector.h"
#include "weft/examples/vae/sheets.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

std::filesystem::path RunIn(const TrainOptions& options, const char* name) {
  const std::filesystem::path directory = options.tensorboard.directory / name;
  MakeDirectory(directory);
  return directory;
}

// What the layers of a part give: its own nodes that have a row a sample.
void AppendActivations(Graph& graph, const Path& scope, std::vector<Node>& to) {
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const Node node = graph.node(NodeId{i});
    const bool has_rows = node.shape().rank() > 1 && node.shape()[0].is_batch() && IsFloating(node.dtype());
    if (has_rows && node.name().parent() == scope) to.push_back(node);
  }
}

struct Distribution {
  Histogram histogram;
  double zeros;  // their share
};

template <class T>
Distribution DistributionOf(std::span<const std::byte> bytes) {
  const std::span values(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  const auto zeros = static_cast<double>(std::ranges::count(values, T{0}));
  return {.histogram = Histogram::Of(values), .zeros = zeros / static_cast<double>(std::max<size_t>(values.size(), 1))};
}

Distribution DistributionOf(DType dtype, std::span<const std::byte> bytes) {
  return dtype == DType::kFloat32 ? DistributionOf<float>(bytes) : DistributionOf<double>(bytes);
}

void AddSheet(EventFile& events, const std::string& tag, int64_t step, const DrawnSheet& sheet) {
  const std::string png = SheetPng(sheet.view());
  events.AddImage(tag, step,
                  {.height = static_cast<int>(sheet.rows * sheet.height),
                   .width = static_cast<int>(sheet.columns * sheet.width),
                   .png = png});
}

}  // namespace

TensorBoardLog::TensorBoardLog(const TrainOptions& options, const LoggedTraining& training, int64_t done)
    : options_(options),
      training_(training),
      steps_(RunIn(options, "steps"), done > 0 ? done + 1 : -1),
      epochs_(RunIn(options, "training"), done > 0 ? done + 1 : -1) {
  Session& session = training.session;
  const TrainableModel& network = training.network;
  if (training.images.held_out > 0) validation_.emplace(RunIn(options, "validation"), done > 0 ? done + 1 : -1);
  steps_.AddGraph(ToGraphDef(session.graph()));
  if (Has(1)) {
    std::vector<Node> fetches = network.minimization.gradients;
    fetches.push_back(network.minimization.global_norm);
    if (Has(3)) {
      for (const Node& part : {network.vae.encoder.mean, network.vae.decoder.mean})
        AppendActivations(session.graph(), part.name().parent(), activations_);
      fetches.insert(fetches.end(), activations_.begin(), activations_.end());
    }
    computed_.emplace(session, fetches, PrepareOptions{.mode = Mode::kTraining},
                      Dataset{{network.vae.x, training.images.Training()}}, options.step.batch);
    order_.resize(static_cast<size_t>(computed_->sample_count()));
  }
  if (Has(3)) {
    encoder_.emplace(training.model, session.store(), SessionOptions{.threads = session.threads()});
    decoder_.emplace(training.model, session.store(), SessionOptions{.threads = session.threads()});
  }
}

TensorBoardLog::~TensorBoardLog() { training_.session.Observe(nullptr); }

void TensorBoardLog::BeforeStep(int64_t step) {
  batch_ = nullptr;
  if (!IsLogged(step)) return;
  if (computed_) Compute(step);
  if (Has(3) && timed_epoch_ < shuffled_epoch_) training_.session.Observe(&times_.emplace());
}

// The samples of a step are a function of its number and the seed, as Fit takes them.
void TensorBoardLog::Compute(int64_t step) {
  const int64_t samples = computed_->sample_count(), batch = options_.step.batch;
  const int64_t steps_per_epoch = (samples + batch - 1) / batch, epoch = (step - 1) / steps_per_epoch;
  if (epoch != shuffled_epoch_) Shuffle(order_, static_cast<uint64_t>(options_.seed), epoch);
  shuffled_epoch_ = epoch;
  const int64_t position = (step - 1) % steps_per_epoch * batch;
  FedBatch& at = computed_->At(position);
  at.Run(std::span(order_).subspan(static_cast<size_t>(position), static_cast<size_t>(computed_->SizeAt(position))));
  batch_ = &at;
}

void TensorBoardLog::AfterStep(const StepReport& report) {
  if (times_) {
    training_.session.Observe(nullptr);
    LogTimes(report);
  }
  if (!IsLogged(report.step)) return;
  steps_.AddScalar(training_.network.vae.loss.total.name().str(), report.step, report.loss);
  if (batch_ != nullptr) {
    LogGradients(report.step);
    LogActivations(report.step);
  }
  if (Has(2)) LogWeights(report.step);
}

void TensorBoardLog::LogGradients(int64_t step) {
  const std::vector<Node>& gradients = training_.network.minimization.gradients;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const std::string& tag = gradients[i].name().str();
    const Histogram histogram = DistributionOf(gradients[i].dtype(), batch_->run().Output(i)).histogram;
    steps_.AddHistogram(tag, step, histogram);
    steps_.AddScalar(tag + "/Norm", step, std::sqrt(histogram.sum_of_squares()));
  }
  const Node norm = training_.network.minimization.global_norm;
  const std::span<const std::byte> value = batch_->run().Output(gradients.size());
  steps_.AddScalar(norm.name().str(), step, DistributionOf(norm.dtype(), value).histogram.sum());
}

void TensorBoardLog::LogActivations(int64_t step) {
  const size_t before = training_.network.minimization.gradients.size() + 1;
  for (size_t i = 0; i < activations_.size(); ++i) {
    const Distribution distribution = DistributionOf(activations_[i].dtype(), batch_->run().Output(before + i));
    steps_.AddHistogram(activations_[i].name().str(), step, distribution.histogram);
    steps_.AddScalar(activations_[i].name().str() + "/Sparsity", step, distribution.zeros);
  }
}

void TensorBoardLog::LogWeights(int64_t step) {
  for (const Node& variable : training_.network.minimization.variables) {
    const VariableStore::Entry::Reading reading(*training_.session.store().Find(variable.name()));
    steps_.AddHistogram(variable.name().str(), step, DistributionOf(variable.dtype(), reading.bytes()).histogram);
  }
}

void TensorBoardLog::LogTimes(const StepReport& report) {
  if (!times_->Runs().empty()) {  // another observer may have taken its place
    steps_.AddRunMetadata(fmt::format("step {}", report.step), report.step, ToRunMetadata(*times_));
    timed_epoch_ = shuffled_epoch_;
  }
  times_.reset();
}

void TensorBoardLog::LogMeans(EventFile& events, int64_t step, const Means& means) {
  const Autoencoder::LossNodes& loss = training_.network.vae.loss;
  events.AddScalar(loss.total.name().str(), step, means.loss);
  events.AddScalar(loss.reconstruction.name().str(), step, means.watched[0]);
  events.AddScalar(loss.divergence.name().str(), step, means.watched[1]);
}

void TensorBoardLog::AfterEpoch(const EpochReport& report) {
  LogMeans(epochs_, report.step, report.training);
  if (validation_ && report.validation) LogMeans(*validation_, report.step, *report.validation);
  if (Has(3)) LogPictures(report.step);
}

void TensorBoardLog::LogPictures(int64_t step) {
  constexpr int64_t kGrid = 15;
  const std::string tag = training_.network.vae.decoder.mean.name().str();
  AddSheet(steps_, tag + "/Manifold", step, PriorSheet(training_.model, *decoder_, GridSteps(kGrid, kPriorRange)));
  AddSheet(steps_, tag + "/Reconstructions", step,
           ReconstructionSheet(training_.model, *encoder_, *decoder_, training_.images.test.images));
}

std::vector<std::filesystem::path> TensorBoardLog::Finish() {
  std::vector<std::filesystem::path> files = {steps_.path(), epochs_.path()};
  if (validation_) files.push_back(validation_->path());
  if (Has(3)) {
    const Node mean = training_.network.vae.encoder.mean;
    const LabelledImages& test = training_.images.test;
    for (std::filesystem::path& file :
         WriteProjector(steps_.path().parent_path(), mean.name().str(), encoder_->Of(test.images).mean, test))
      files.push_back(std::move(file));
  }
  return files;
}

}  // namespace weft
