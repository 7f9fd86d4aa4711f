// From the reports of the training loop to lines.
#include "weft/examples/vae/epoch_reporter.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/examples/vae/report.h"

namespace weft {
namespace {

Elbo ElboOf(const Means& means) { return {.reconstruction = means.watched[0], .kl = means.watched[1]}; }

Json ToJson(const Elbo& elbo) {
  return {{"negative_elbo", elbo.negative_elbo()}, {"reconstruction", elbo.reconstruction}, {"kl", elbo.kl}};
}

}  // namespace

std::vector<Watched> WatchedBy(const Autoencoder::LossNodes& loss) {
  return {{.name = "reconstruction", .node = loss.reconstruction}, {.name = "kl", .node = loss.divergence}};
}

void EpochReporter::BeforeStep() {
  if (samples_before_ < 0) start_ = Clock::now();
}

void EpochReporter::AfterStep(const StepReport& step) {
  const int64_t batch = options_.step.batch;
  if (samples_before_ < 0) samples_before_ = (step.samples - 1) / batch * batch;
  samples_ = step.samples - samples_before_;
  seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
  const Elbo elbo = ElboOf(step.means);
  shown_ = {.epoch = step.epoch,
            .epochs = options_.epochs,
            .step = (step.samples + batch - 1) / batch,
            .steps_per_epoch = (step.samples_per_epoch + batch - 1) / batch,
            .loss = elbo.negative_elbo(),
            .reconstruction = elbo.reconstruction,
            .kl = elbo.kl,
            .samples_per_second = SamplesPerSecond(),
            .seconds = seconds_};
  progress_.Update(shown_);
}

void EpochReporter::AfterEpoch(const EpochReport& epoch) {
  EpochFigures figures = {.epoch = epoch.epoch, .training = ElboOf(epoch.training)};
  if (epoch.validation) figures.validation = ElboOf(*epoch.validation);
  history_.push_back(figures);
  progress_.FinishEpoch(shown_);
  if (options_.json) {
    output_.Line(LineOf({{"epoch", epoch.epoch},
                         {"step", epoch.step},
                         {"train", ToJson(figures.training)},
                         {"validation", figures.validation ? ToJson(*figures.validation) : Json()},
                         {"seconds", seconds_},
                         {"samples_per_second", SamplesPerSecond()}}));
  }
  samples_before_ = -1;
}

}  // namespace weft
