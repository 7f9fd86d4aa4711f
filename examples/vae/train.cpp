// Everything that can be refused is refused before the directory of the run is made.
#include "weft/examples/vae/train.h"

#include <exception>
#include <memory>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "weft/examples/vae/epoch_reporter.h"
#include "weft/examples/vae/existing.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/figures.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/run_directory.h"
#include "weft/examples/vae/run_images.h"
#include "weft/examples/vae/run_options.h"
#include "weft/examples/vae/run_pictures.h"
#include "weft/examples/vae/signals.h"
#include "weft/examples/vae/text_model.h"
#include "weft/examples/vae/training_log.h"
#include "weft/graph/error.h"
#include "weft/ops/numerics.h"

namespace weft {
namespace {

constexpr const char* kHistoryKey = "history";

// All that a run consists of, new or going on.
class Run {
 public:
  Run(const TrainOptions& options, Output& output)
      : options_(options),
        output_(output),
        machine_(options.machine),
        images_(ReadRunImages(options)),
        model_(ModelOf(options.model, options.step, images_.rows(), images_.columns())),
        network_(Build()),
        variables_(graph_),
        session_(graph_, variables_, {.threads = machine_.threads(), .seed = static_cast<uint64_t>(options.seed)}) {}

  void Begin() {
    Initialize(graph_, variables_, {.seed = static_cast<uint64_t>(options_.seed), .threads = machine_.threads()});
    directory_ = MakeRunDirectoryFor(options_);
    checkpoints_ = OpenCheckpoints(directory_.path, options_.keep);
  }

  void GoOn(std::unique_ptr<CheckpointDirectory> checkpoints, const Generation& generation,
            std::vector<EpochFigures> history) {
    directory_ = RunDirectoryAt(options_.resume);
    done_ = generation.step;
    progress_ = RestoreGeneration(generation, variables_);
    RequireSameImages();
    RequireSameNumerics();
    history_ = std::move(history);
    checkpoints_ = std::move(checkpoints);
    if (!checkpoints_->List().empty() && checkpoints_->List().back().step > generation.step)
      checkpoints_->DeleteAfter(generation.step);
    Note(fmt::format("resume      step {}, epoch {} of {}", generation.step, generation.epoch, options_.epochs));
  }

  void Train() {
    PrintHeader();
    EpochReporter reporter(options_, output_, std::move(history_));
    const DeferredSignals signals;
    log_.emplace(options_, LoggedTraining{session_, network_, model_, images_}, done_);
    FitOptions fit = Fitting(reporter, signals);
    // Fit reads the metadata whenever it writes a checkpoint, behind this hook.
    fit.after_epoch = [&](const EpochReport& epoch) {
      reporter.AfterEpoch(epoch);
      log_->AfterEpoch(epoch);
      fit.model_metadata[kHistoryKey] = HistoryText(reporter.history());
    };
    try {
      const FitResult result = Fit(session_, Watching(), {{network_.vae.x, images_.Training()}}, fit);
      if (unwritten_step_ != result.steps) unwritten_ = nullptr;  // a later checkpoint was written
    } catch (const NumericError& error) {
      throw NumericError(fmt::format("not finite: {}; {}; a smaller --learning-rate or --clip-norm keeps steps small",
                                     error.what(), Kept()));
    }
    history_ = reporter.history();
    LeaveIfAsked(signals);
    Report(signals);
    for (const std::exception_ptr& problem : {unwritten_, log_->problem()}) {
      if (problem) std::rethrow_exception(problem);
    }
  }

 private:
  TrainableModel Build() {
    RequireMemory(model_, Memory::kTraining);
    return BuildTrainable(graph_, model_, options_.step);
  }

  Objective Watching() const { return {.loss = network_.vae.loss.total, .watched = WatchedBy(network_.vae.loss)}; }

  FitOptions Fitting(EpochReporter& reporter, const DeferredSignals& signals) {
    FitOptions fit = {.epochs = options_.epochs,
                      .batch = options_.step.batch,
                      .seed = static_cast<uint64_t>(options_.seed),
                      .guards = Guards(network_)};
    if (images_.held_out > 0) {
      noise_ = NormalRows(images_.held_out, model_.config.latent_units, kEvaluationSeed);
      fit.validation = {{network_.vae.x, images_.Validation()}, {network_.vae.encoder.epsilon, Rows::Of(noise_)}};
    }
    fit.checkpoints = checkpoints_.get();
    fit.checkpoint_steps = options_.checkpoint_steps;
    if (options_.on_checkpoint_error == "warn") {
      fit.on_checkpoint_error = [this](const std::exception& error) { GoOnWithout(error); };
    }
    fit.model_metadata = DescribeModel(model_, graph_);
    fit.model_metadata.merge(DescribeOptions(options_));
    if (!reporter.history().empty()) fit.model_metadata[kHistoryKey] = HistoryText(reporter.history());
    fit.resume = progress_;
    if (options_.allow_different) fit.on_different = [](const std::string& what) { Note("different   " + what); };
    fit.before_step = [this, &reporter](int64_t step) {
      reporter.BeforeStep();
      log_->BeforeStep(step);
    };
    fit.after_step = [this, &reporter](const StepReport& step) {
      step_ = step.step;
      reporter.AfterStep(step);
      log_->AfterStep(step);
    };
    fit.stop = [&signals] { return signals.noted() != 0; };
    return fit;
  }

  // Only what may be better the next time, a full disk: other errors end the training.
  void GoOnWithout(const std::exception& error) {
    if (dynamic_cast<const std::system_error*>(&error) == nullptr) throw;
    unwritten_ = std::current_exception();
    unwritten_step_ = step_;
    Note(fmt::format("vae: warning: {}; training goes on", OneLine(error.what())));
  }

  std::string Kept() const {
    if (checkpoints_->List().empty()) return "no checkpoint was written yet";
    return fmt::format("{} is kept", Printable(checkpoints_->List().back().weights.native()));
  }

  void LeaveIfAsked(const DeferredSignals& signals) const {
    if (signals.noted() == 0) return;
    throw Interruption(signals.noted(), fmt::format("interrupted; {}; 'vae train --resume {}' goes on", Kept(),
                                                    Printable(directory_.path.native())));
  }

  void RequireSameImages() const;
  void RequireSameNumerics() const;
  void PrintHeader();
  void Report(const DeferredSignals& signals);

  const TrainOptions& options_;
  Output& output_;
  Machine machine_;
  RunImages images_;
  Model model_;
  Graph graph_;
  TrainableModel network_;
  VariableStore variables_;
  Session session_;
  RunDirectory directory_;
  std::unique_ptr<CheckpointDirectory> checkpoints_;
  std::optional<Metadata> progress_;
  std::vector<EpochFigures> history_;
  Tensor noise_;  // of validation
  std::optional<TrainingLog> log_;
  int64_t done_ = 0;  // steps of the run before this process
  int64_t step_ = 0;
  // What could not be written while all else went on: told at the end.
  std::exception_ptr unwritten_;
  int64_t unwritten_step_ = -1;
};

void Run::RequireSameImages() const {
  const auto checksum = progress_->find("data_checksum");
  const std::string own = Checksum({{network_.vae.x, images_.Training()}});
  if (options_.allow_different || checksum == progress_->end() || checksum->second == own) return;
  throw DataError(
      fmt::format("images: {}: got checksum {}, expected {} as in the run: give the --data of the run, "
                  "or --allow-different",
                  Printable(options_.data.native()), own, Printable(checksum->second)));
}

void Run::RequireSameNumerics() const {
  const auto numerics = progress_->find("numerics");
  if (options_.allow_different || numerics == progress_->end() || numerics->second == NumericsText()) return;
  throw CheckpointError(
      fmt::format("numerics: {}: got '{}' on this machine, expected '{}' as in the run: "
                  "--numerics portable is no-fma, --allow-different goes on with other bits",
                  Printable(directory_.path.native()), NumericsText(), Printable(numerics->second)));
}

void Run::PrintHeader() {
  const Rows training = images_.Training();
  std::vector<Node> fetches = {network_.vae.loss.total}, guards = {network_.vae.loss.total};
  for (const Watched& watched : WatchedBy(network_.vae.loss)) fetches.push_back(watched.node);
  for (const Node& guard : Guards(network_)) guards.push_back(guard);
  // The program that Fit is going to run: the session compiles it once.
  const PreparedRun run = session_.Prepare(
      fetches, {.mode = Mode::kTraining, .updates = true, .batch = options_.step.batch, .guards = guards});
  const ProgramFigures figures = FiguresOf(run.program());
  int64_t parameters = 0;
  for (const Node& variable : network_.minimization.variables) parameters += ElementCount(variable.shape());

  const StepOptions& step = options_.step;
  Note(fmt::format("run         {} in {}", directory_.id, Printable(directory_.path.native())));
  Note(fmt::format("data        {}: {} training, {} validation, {} test images of {} × {}",
                   Printable(options_.data.native()), training.count(), images_.held_out, images_.test.images.count,
                   model_.rows, model_.columns));
  const ModelOptions& model = options_.model;
  const std::string sizes = model_.is_text() ? fmt::format("{} with {}", model_.title, SizesText(model_))
                                             : fmt::format("latent {}, hidden {} × {}, init {}, beta {}", model.latent,
                                                           model.layers, model.hidden, model.init, step.beta);
  Note(fmt::format("model       {}: {} parameters", sizes, Grouped(parameters)));
  Note(fmt::format("training    {} epochs of {} steps of {}, {}, learning rate {}, clip norm {}, seed {}",
                   options_.epochs, (training.count() + step.batch - 1) / step.batch, step.batch, step.optimizer,
                   step.learning_rate, step.clip_norm, options_.seed));
  Note(fmt::format("machine     {} thread{}, {}; a step: {}, {} bytes of arena", machine_.threads(),
                   machine_.threads() == 1 ? "" : "s", machine_.target(), FlopText(figures.flops),
                   Grouped(figures.arena_bytes)));
}

void Run::Report(const DeferredSignals& signals) {
  const ElboFigures figures = EvaluateElbo(session_, ElboNodesOf(network_.vae), images_.Test(), kEvaluationSeed);
  std::vector<std::filesystem::path> files;
  try {
    files = DrawRun(directory_.path, model_, variables_, machine_.threads(), images_.test, history_,
                    [&] { LeaveIfAsked(signals); });
  } catch (const std::system_error&) {
    unwritten_ = std::current_exception();
  }
  for (std::filesystem::path& file : log_->Finish()) files.push_back(std::move(file));

  std::vector<std::string> names;
  for (const Generation& generation : checkpoints_->List())
    names.insert(names.end(), {generation.weights.string(), generation.state.string()});
  names.push_back((directory_.path / "checkpoints.json").string());
  for (const std::filesystem::path& file : files) names.push_back(file.string());
  if (options_.json) {
    output_.Line(LineOf({{"test", ElboJson(figures, images_.test.images.count)}, {"files", names}}));
    return;
  }
  output_.Line(ElboText("test", figures));
  for (const std::string& name : names) output_.Line(WroteText(name));
}

}  // namespace

void TrainCommand(const TrainOptions& options, Output& output) {
  RequireLoggable(options);
  if (options.resume.empty()) {
    TrainOptions read = options;
    if (!options.model.file.empty()) read.model.text = ReadModelText(options.model.file);
    Run run(read, output);
    run.Begin();
    run.Train();
    return;
  }
  RequireExists(options.resume);
  RequireCheckpoints(options.resume);
  // From here on nobody else writes to it.
  std::unique_ptr<CheckpointDirectory> checkpoints = OpenCheckpoints(options.resume, options.keep);
  const Generation generation = NewestGeneration(options.resume);
  const Metadata metadata = Inspect(generation.weights).metadata;
  const TrainOptions resumed = ResumedOptions(options, metadata, generation.epoch, generation.weights);
  const auto history = metadata.find(kHistoryKey);
  Run run(resumed, output);
  run.GoOn(std::move(checkpoints), generation,
           history == metadata.end() ? std::vector<EpochFigures>() : ParseHistory(history->second));
  run.Train();
}

}  // namespace weft
