// Which options each command has.
#include "weft/examples/vae/options.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "weft/examples/vae/arguments.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/sheets.h"

namespace weft {
namespace {

constexpr int64_t kMaxUnits = 1'000'000;

// ---- Options that several commands share ---------------------------------------------------------------------------

void AddMachine(Arguments& arguments, MachineOptions& machine) {
  arguments.Whole("--threads", machine.threads, {0, 1024}, "threads; 0: as many as the process may use");
  arguments.Declare("--target", "NAME", "the best", "SIMD instructions, as AVX2",
                    [&machine](const std::string& text) { machine.target = text; });
  arguments.Choice("--numerics", machine.numerics, {"native", "portable"},
                   "portable: the same bits on every x86-64 processor, slower");
}

// A width of the model: beyond the limit the message says what it would cost.
void AddWidth(Arguments& arguments, const std::string& name, int64_t& to, int64_t VaeConfig::*width,
              const std::string& meaning) {
  arguments.Declare(name, "N", std::to_string(to), meaning, [name, &to, width](const std::string& text) {
    const int64_t number = ParseWhole(name, text, {1, INT64_MAX});
    if (number > kMaxUnits) {
      VaeConfig config;
      config.*width = number;
      throw UsageError(fmt::format(
          "value: {}: got '{}', which needs {} for the variables alone, expected a whole number from 1 to {}", name,
          text, ByteText(ModelBytes(config, Memory::kTraining)), kMaxUnits));
    }
    to = number;
  });
}

void AddModel(Arguments& arguments, ModelOptions& model) {
  AddWidth(arguments, "--latent", model.latent, &VaeConfig::latent_units, "units of the latent variable");
  AddWidth(arguments, "--hidden", model.hidden, &VaeConfig::hidden_units, "units of each hidden layer");
  arguments.Whole("--layers", model.layers, {1, 1000}, "hidden layers on each side");
}

void AddText(Arguments& arguments, ModelOptions& model) {
  arguments.Path("--model", model.file, "text of another model (.weft); --hidden and such are its parameters");
  arguments.Each(
      "--set", "NAME=VALUE", "a parameter of the text; may be given for several", [&model](const std::string& text) {
        const size_t sign = text.find('=');
        if (sign == std::string::npos || sign == 0)
          throw UsageError(fmt::format("value: --set: got '{}', expected NAME=VALUE", Printable(text)));
        if (!model.set.emplace(text.substr(0, sign), text.substr(sign + 1)).second)
          throw UsageError(
              fmt::format("value: --set: got '{}' twice, expected it once", Printable(text.substr(0, sign))));
      });
}

void AddInit(Arguments& arguments, ModelOptions& model) {
  arguments.Choice("--init", model.init, {"tutorial", "torch", "glorot"}, "first values of the variables");
}

constexpr WholeRange kBatchRange = {1, 1'000'000};

void AddStep(Arguments& arguments, StepOptions& step) {
  arguments.Whole("--batch", step.batch, kBatchRange, "images a step");
  arguments.Choice("--optimizer", step.optimizer,
                   {"adam", "adamw", "sgd", "momentum", "nesterov", "rmsprop", "adagrad"},
                   "how gradients become updates");
  arguments.Real("--learning-rate", step.learning_rate, {.low = 0, .high = 1e9, .above_low = true}, "step size");
  arguments.Real("--clip-norm", step.clip_norm, {.low = 0, .high = 1e9}, "largest norm of all gradients; 0: any");
  arguments.Real("--beta", step.beta, {.low = 0, .high = 1e6}, "weight of the divergence");
}

void AddData(Arguments& arguments, std::filesystem::path& data) {
  arguments.Path("--data", data, "directory of the idx files");
}

void AddFrom(Arguments& arguments, std::filesystem::path& from) {
  arguments.Path("--from", from, "checkpoint, or the directory of a run: its newest one")->required();
}

void AddSource(Arguments& arguments, SourceOptions& source) {
  AddFrom(arguments, source.from);
  AddData(arguments, source.data);
  arguments.Choice("--split", source.split, {"test", "train"}, "which images");
  AddMachine(arguments, source.machine);
}

void AddScope(Arguments& arguments, std::string& scope) {
  arguments.Declare("--scope", "SCOPE", "all", "only what lies in this scope",
                    [&scope](const std::string& text) { scope = text; });
}

void AddForce(Arguments& arguments, bool& force) { arguments.Flag("--force", force, "replace files of the same name"); }

}  // namespace

std::filesystem::path DefaultData() { return std::filesystem::path(WEFT_SOURCE_DIR) / "examples/data/mnist"; }

// ---- Commands ------------------------------------------------------------------------------------------------------

void Declare(CLI::App& command, TrainOptions& options) {
  Arguments arguments(command);
  AddData(arguments, options.data);
  arguments.Whole("--epochs", options.epochs, {1, 1'000'000}, "passes over the training images");
  AddText(arguments, options.model);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
  AddInit(arguments, options.model);
  arguments.Whole("--validation", options.validation, {0, INT32_MAX}, "training images held out; 0: train on all");
  arguments.Whole("--seed", options.seed, {0, INT64_MAX}, "of everything random");
  AddMachine(arguments, options.machine);
  arguments.Declare("--run-id", "ID", "six letters", "name of the run", [&](const std::string& text) {
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
    if (text.empty() || text.size() > 100 || text[0] == '.' || !std::ranges::all_of(text, is_plain)) {
      throw UsageError(fmt::format(
          "value: --run-id: got '{}', expected 1 to 100 of A–Z a–z 0–9 - _ . and no dot in front", Printable(text)));
    }
    options.run_id = text;
  });
  arguments.Path("--out", options.out, "directory of the run, new or empty; runs/ID by default");
  arguments.Whole("--keep", options.keep, {1, 1'000'000}, "checkpoints that are kept, and the best one");
  arguments.Whole("--checkpoint-steps", options.checkpoint_steps, {0, INT64_MAX},
                  "steps between checkpoints, beside those after each epoch; 0: none");
  arguments.Choice("--on-checkpoint-error", options.on_checkpoint_error, {"stop", "warn"},
                   "what a checkpoint that cannot be written does to the training");
  arguments.Path("--resume", options.resume, "go on with the run in this directory");
  arguments.Flag("--allow-different", options.allow_different, "resume with other data or numerics than the run had");
  arguments.Flag("--json", options.json, "results as one JSON object a line");
  arguments.Path("--tensorboard", options.tensorboard.directory,
                 "directory for TensorBoard, new or empty: curves, graph");
  arguments.Whole("--tensorboard-verbose", options.tensorboard.verbose, {0, 3},
                  "1: and gradients; 2: and weights; 3: and activations, pictures, times, projector");
  arguments.Whole("--tensorboard-steps", options.tensorboard.steps, {1, INT64_MAX}, "steps between those it shows");
  arguments.Path("--trace", options.trace, "JSON file of what each thread did in five steps, for ui.perfetto.dev");
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, EvaluateOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Whole("--samples", options.samples, {1, 10'000}, "latent samples an image");
  arguments.Flag("--json", options.json, "results as one JSON object");
}

void Declare(CLI::App& command, GenerateOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Path("--out", options.out, "directory of the pictures")->required();
  arguments.Whole("--grid", options.grid, {2, 200}, "pictures along each axis");
  arguments.Declare("--range", "quantile|X", "", "equal steps of probability, or of −X … X standard deviations",
                    [&](const std::string& text) {
                      if (text != kPriorRange) ParseReal("--range", text, {.low = 0, .high = 1e6, .above_low = true});
                      options.range = text;
                    });
  arguments.Declare("--around", "INDEX", "", "also a grid around the posterior of this image",
                    [&](const std::string& text) {
                      options.around = ParseWhole("--around", text, {0, INT32_MAX});
                    });
  arguments.Whole("--seed", options.seed, {0, INT64_MAX}, "of the samples");
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, InterpolateOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Whole("--a", options.a, {0, INT32_MAX}, "index of the image at the left end")->required();
  arguments.Whole("--b", options.b, {0, INT32_MAX}, "index of the image at the right end")->required();
  arguments.Whole("--steps", options.steps, {2, 200}, "pictures, with both ends");
  arguments.Path("--out", options.out, "file of the picture, .png")->required();
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, ExploreOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Whole("--images", options.images, {1, 100'000}, "images in the page, the first ones of the split");
  arguments.Path("--out", options.out, "file of the page, .html")->required();
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, EncodeOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Path("--out", options.out, "file of the means and log-variances, .csv, .npy or .npz")->required();
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, ReconstructOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Path("--out", options.out, "directory of the picture")->required();
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, ExportOptions& options) {
  Arguments arguments(command);
  AddFrom(arguments, options.from);
  arguments.Choice("--part", options.part, {"decoder", "encoder", "reconstruction"},
                   "Z to pictures, pictures to means and log-variances, or pictures through the mean to pictures");
  arguments.Choice("--format", options.format, {"onnx", "js"}, "an ONNX model, or a script that defines a function");
  arguments.Choice("--batch-norm", options.batch_norm, {"keep", "fold"},
                   "as it was trained, or within the layer before it");
  arguments.Path("--out", options.out, "file to write")->required();
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, GraphOptions& options) {
  Arguments arguments(command);
  AddText(arguments, options.model);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
  arguments.Choice("--format", options.format, {"dot", "html", "json", "onnx", "svg", "tensorboard", "text"},
                   "for Graphviz, a browser, programs, Netron, TensorBoard; a picture; the text form");
  AddScope(arguments, options.scope);
  arguments.Declare("--depth", "N", "all", "deeper scopes are one box each", [&](const std::string& text) {
    options.depth = ParseWhole("--depth", text, {0, 1000});
  });
  arguments.Flag("--training", options.training, "with gradients and updates; a page has them on demand, too");
  arguments.Flag("--measure", options.measure,
                 "run the training program on random images: the page has the time of each step");
  arguments.Path("--text", options.text, "another graph: a file in the text form");
  arguments.Path("--out", options.out, "file; standard output by default");
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, InfoOptions& options) {
  Arguments(command).Path("file", options.file, "checkpoint, or the directory of a run")->required();
}

void Declare(CLI::App& command, ImportOptions& options) {
  Arguments arguments(command);
  arguments.Path("file", options.file, "weights of another program, as a PyTorch state dict: .safetensors or .npz")
      ->required();
  arguments.Path("--out", options.out, "the checkpoint, a .safetensors")->required();
  arguments.Path("--map", options.map,
                 "table of names, NAME THERE = NAME HERE; that of the PyTorch reference by default");
  arguments.Each("--rename", "A=B", "what is or lies below A in the file is B; may be given again",
                 [&](const std::string& text) {
                   const size_t equals = text.find('=');
                   if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
                     throw UsageError(fmt::format("value: --rename: got '{}', expected A=B", Printable(text)));
                   options.renames.push_back(text);
                 });
  AddForce(arguments, options.force);
}

void Declare(CLI::App& command, DiffOptions& options) {
  Arguments arguments(command);
  arguments.Path("A", options.a, "checkpoint, directory of a run, or graph or model as text")->required();
  arguments.Path("B", options.b, "what it is compared with")->required();
  AddScope(arguments, options.scope);
  arguments.Flag("--json", options.json, "results as one JSON object");
}

void Declare(CLI::App& command, PlanOptions& options) {
  Arguments arguments(command);
  AddText(arguments, options.model);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
  arguments.Path("--dump-passes", options.dump_passes, "directory for the graph after each pass");
  arguments.Flag("--measure", options.measure, "run the training program on random images: the time of each step");
}

void Declare(CLI::App& command, LintOptions& options) {
  Arguments arguments(command);
  AddText(arguments, options.model);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
}

void Declare(CLI::App& command, BenchOptions& options) {
  Arguments arguments(command);
  AddModel(arguments, options.model);
  arguments.Whole("--batch", options.batch, kBatchRange, "images a training step");
  AddMachine(arguments, options.machine);
  arguments.Flag("--json", options.json, "results as one JSON object");
}

void Declare(CLI::App& command, CompletionOptions& options) {
  Arguments(command).Choice("shell", options.shell, {"bash", "zsh", "fish"}, "whose script is printed");
}

}  // namespace weft
