// A training as TensorBoard shows it, at the tutorial's four levels. Tags are the paths of nodes, and three runs beside
// each other share them, so that their curves lie in one chart:
//
// * steps: every N-th step, from the first one on
//   0: the loss of the step; the graph
//   1: + a histogram and the norm of each gradient, and of all together, before clipping
//   2: + histograms of the weights after the step
//   3: + histograms of what the layers give, and which share of it is 0; each epoch the manifold, reconstructions, and
//     how long each node of the graph took; at the end the files of the embedding projector
// * training, validation: the loss and its terms, means of each epoch
//
// Gradients and activations come from a second program that is given the samples and the randomness of the step that
// comes next, and updates nothing: the training itself runs the same program, and gives the same bits, as without a
// log.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/exporters/event_file.h"
#include "weft/exporters/trace.h"
#include "weft/examples/vae/network.h"
#include "weft/examples/vae/options.h"
#include "weft/examples/vae/parts.h"
#include "weft/examples/vae/run_images.h"
#include "weft/models/training/fed_batch.h"
#include "weft/models/training/trainer.h"

namespace weft {

// What is logged; all of it must outlive the log.
struct LoggedTraining {
  Session& session;
  const TrainableModel& network;
  const Model& model;
  const RunImages& images;
};

class TensorBoardLog {
 public:
  // Begins event files in options.tensorboard.directory, which exists. `done`: steps of a run that goes on. This and
  // all below throw std::system_error if the disk fails.
  TensorBoardLog(const TrainOptions& options, const LoggedTraining& training, int64_t done);
  ~TensorBoardLog();

  void BeforeStep(int64_t step);
  void AfterStep(const StepReport& report);
  void AfterEpoch(const EpochReport& report);
  // Returns all files.
  std::vector<std::filesystem::path> Finish();

 private:
  bool IsLogged(int64_t step) const { return (step - 1) % options_.tensorboard.steps == 0; }
  bool Has(int64_t level) const { return options_.tensorboard.verbose >= level; }
  void Compute(int64_t step);
  void LogGradients(int64_t step);
  void LogActivations(int64_t step);
  void LogWeights(int64_t step);
  void LogTimes(const StepReport& report);
  void LogPictures(int64_t step);
  void LogMeans(EventFile& events, int64_t step, const Means& means);

  const TrainOptions& options_;
  LoggedTraining training_;
  std::vector<Node> activations_;
  EventFile steps_, epochs_;
  std::optional<EventFile> validation_;
  // From level 1 on: gradients, their norm, activations.
  std::optional<FedBatches> computed_;
  std::vector<int64_t> order_;
  int64_t shuffled_epoch_ = -1;
  const FedBatch* batch_ = nullptr;  // whose results are those of the step that comes next
  // Level 3.
  std::optional<LatentEncoder> encoder_;
  std::optional<PictureDecoder> decoder_;
  std::optional<RunTrace> times_;  // of the step that is under way
  int64_t timed_epoch_ = -1;
};

}  // namespace weft
