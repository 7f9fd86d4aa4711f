// The options of each command, with the defaults of the contract.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft {

// The directory of the MNIST files in the source tree.
std::filesystem::path DefaultData();

struct MachineOptions {
  int threads = 0;          // 0: as many as the process may use
  std::string target = {};  // of Highway, "AVX2"; empty: the best
  std::string numerics = "native";
};

struct ModelOptions {
  int64_t latent = 2;
  int64_t hidden = 512;
  int64_t layers = 3;
  std::string init = "tutorial";
  std::filesystem::path file = {};              // of a text; empty: the network of models/
  std::string text = {};                        // of a run that goes on
  std::map<std::string, std::string> set = {};  // parameters of the text
  std::set<std::string> given = {};             // names of the options that were on the command line, "--hidden"
};

struct StepOptions {
  int64_t batch = 128;
  std::string optimizer = "adam";
  double learning_rate = 0.001;
  double clip_norm = 5;  // 0: gradients are not clipped
  double beta = 1;       // weight of the divergence
};

struct TensorBoardOptions {
  std::filesystem::path directory = {};  // empty: no log
  int64_t verbose = 0;                   // 0 to 3, as in tensorboard_log.h
  int64_t steps = 100;                   // between those that are logged
};

struct TrainOptions {
  std::filesystem::path data = DefaultData();
  int64_t epochs = 20;
  ModelOptions model = {};
  StepOptions step = {};
  int64_t validation = 5000;  // images held out of the training images, the first ones
  int64_t seed = 1;
  MachineOptions machine = {};
  std::string run_id = {};         // empty: six random letters
  std::filesystem::path out = {};  // empty: runs/ID
  int64_t keep = 10;
  int64_t checkpoint_steps = 0;              // also a checkpoint each time so many steps are done; 0: after epochs only
  std::string on_checkpoint_error = "stop";  // or "warn": training goes on without it
  std::filesystem::path resume = {};         // the directory of the run to go on with; empty: a new one
  bool allow_different = false;              // with other data or numerics than the run had
  bool json = false;
  TensorBoardOptions tensorboard = {};
  std::filesystem::path trace = {};  // empty: none
  bool force = false;                // of the trace
  std::set<std::string> given = {};  // names of the options that were on the command line, "--epochs"
};

// A checkpoint, and the images to apply it to.
struct SourceOptions {
  std::filesystem::path from = {};
  std::filesystem::path data = DefaultData();
  std::string split = "test";
  MachineOptions machine = {};
};

struct EvaluateOptions {
  SourceOptions source = {};
  int64_t samples = 1;  // ε an image
  bool json = false;
};

struct GenerateOptions {
  SourceOptions source = {};
  std::filesystem::path out = {};
  bool force = false;
  int64_t grid = 15;
  std::string range = {};              // "quantile", a number, or what each picture has by default
  std::optional<int64_t> around = {};  // index of the image
  int64_t seed = 1;                    // of the samples
};

struct InterpolateOptions {
  SourceOptions source = {};
  int64_t a = 0, b = 0;  // indices of images
  int64_t steps = 10;    // pictures, with both ends
  std::filesystem::path out = {};
  bool force = false;
};

struct ExploreOptions {
  SourceOptions source = {};
  int64_t images = 1000;  // as many of the split are in the page, the first ones
  std::filesystem::path out = {};
  bool force = false;
};

struct EncodeOptions {
  SourceOptions source = {};
  std::filesystem::path out = {};  // .csv, .npy or .npz
  bool force = false;
};

struct ReconstructOptions {
  SourceOptions source = {};
  std::filesystem::path out = {};
  bool force = false;
};

struct ExportOptions {
  std::filesystem::path from = {};
  std::string part = "decoder";
  std::string format = "onnx";
  std::string batch_norm = "keep";
  std::filesystem::path out = {};
  bool force = false;
};

struct GraphOptions {
  ModelOptions model = {};
  StepOptions step = {};
  std::string format = "dot";
  std::string scope = {};
  std::optional<int64_t> depth = {};
  bool training = false;
  bool measure = false;             // run the training program and time its steps
  std::filesystem::path text = {};  // a graph in the text form; empty: the model's
  std::filesystem::path out = {};   // empty: stdout
  bool force = false;
};

struct InfoOptions {
  std::filesystem::path file = {};
};

struct ImportOptions {
  std::filesystem::path file = {};
  std::filesystem::path out = {};
  bool force = false;
  std::filesystem::path map = {};         // a table of names; empty: that of the PyTorch reference
  std::vector<std::string> renames = {};  // "A=B"
};

struct DiffOptions {
  std::filesystem::path a = {}, b = {};  // checkpoints, directories of runs or graph files
  std::string scope = {};
  bool json = false;
};

struct PlanOptions {
  ModelOptions model = {};
  StepOptions step = {};
  std::filesystem::path dump_passes = {};  // a directory; empty: none
  bool measure = false;                    // run the training program and time its steps
};

struct LintOptions {
  ModelOptions model = {};
  StepOptions step = {};
};

struct BenchOptions {
  ModelOptions model = {};
  int64_t batch = 128;
  MachineOptions machine = {};
  bool json = false;
};

struct CompletionOptions {
  std::string shell = "bash";
};

// Declares what `options` holds as the options of `command`, which are read straight into it; it must stay where it is
// while they are. A bad value is a UsageError.
void Declare(CLI::App& command, TrainOptions& options);
void Declare(CLI::App& command, EvaluateOptions& options);
void Declare(CLI::App& command, GenerateOptions& options);
void Declare(CLI::App& command, InterpolateOptions& options);
void Declare(CLI::App& command, ExploreOptions& options);
void Declare(CLI::App& command, EncodeOptions& options);
void Declare(CLI::App& command, ReconstructOptions& options);
void Declare(CLI::App& command, ExportOptions& options);
void Declare(CLI::App& command, GraphOptions& options);
void Declare(CLI::App& command, InfoOptions& options);
void Declare(CLI::App& command, ImportOptions& options);
void Declare(CLI::App& command, DiffOptions& options);
void Declare(CLI::App& command, PlanOptions& options);
void Declare(CLI::App& command, LintOptions& options);
void Declare(CLI::App& command, BenchOptions& options);
void Declare(CLI::App& command, CompletionOptions& options);

}  // namespace weft
