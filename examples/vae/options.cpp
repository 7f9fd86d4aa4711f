// Which options each command has.
#include "weft/examples/vae/options.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "weft/examples/vae/arguments.h"
#include "weft/examples/vae/model_size.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/path.h"

namespace weft {
namespace {

constexpr int64_t kMaxUnits = 1'000'000;

// ---- Options that several commands share ---------------------------------------------------------------------------

void AddMachine(Arguments& arguments, MachineOptions& machine) {
  arguments.Whole("--threads", machine.threads, {0, 1024}, "threads; 0: as many as the process may use");
  arguments.Declare("--target", "NAME", "the best", "SIMD instructions, as AVX2",
                    [&machine](const std::string& text) { machine.target = text; });
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

void AddSource(Arguments& arguments, SourceOptions& source) {
  arguments.Path("--from", source.from, "checkpoint, or the directory of a run: its newest one")->required();
  AddData(arguments, source.data);
  arguments.Choice("--split", source.split, {"test", "train"}, "which images");
  AddMachine(arguments, source.machine);
}

void AddForce(Arguments& arguments, bool& force) { arguments.Flag("--force", force, "replace files of the same name"); }

// ---- Commands ------------------------------------------------------------------------------------------------------

void Add(CLI::App& command, TrainOptions& options) {
  Arguments arguments(command);
  AddData(arguments, options.data);
  arguments.Whole("--epochs", options.epochs, {1, 1'000'000}, "passes over the training images");
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
  arguments.Path("--resume", options.resume, "go on with the run in this directory");
  arguments.Flag("--json", options.json, "results as one JSON object a line");
}

void Add(CLI::App& command, EvaluateOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Whole("--samples", options.samples, {1, 10'000}, "latent samples an image");
  arguments.Flag("--json", options.json, "results as one JSON object");
}

void Add(CLI::App& command, GenerateOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Path("--out", options.out, "directory of the pictures")->required();
  arguments.Whole("--grid", options.grid, {2, 200}, "pictures along each axis");
  arguments.Declare("--range", "quantile|X", "", "equal steps of probability, or of −X … X standard deviations",
                    [&](const std::string& text) {
                      if (text != "quantile") ParseReal("--range", text, {.low = 0, .high = 1e6, .above_low = true});
                      options.range = text;
                    });
  arguments.Declare("--around", "INDEX", "", "also a grid around the posterior of this image",
                    [&](const std::string& text) {
                      options.around = ParseWhole("--around", text, {0, INT32_MAX});
                    });
  AddForce(arguments, options.force);
}

void Add(CLI::App& command, EncodeOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Path("--out", options.out, "file of the means and log-variances, .csv or .npy")->required();
  AddForce(arguments, options.force);
}

void Add(CLI::App& command, ReconstructOptions& options) {
  Arguments arguments(command);
  AddSource(arguments, options.source);
  arguments.Path("--out", options.out, "directory of the picture")->required();
  AddForce(arguments, options.force);
}

void Add(CLI::App& command, GraphOptions& options) {
  Arguments arguments(command);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
  arguments.Choice("--format", options.format, {"dot", "text"}, "for Graphviz, or the text form");
  arguments.Declare("--scope", "SCOPE", "all", "only what lies in this scope",
                    [&](const std::string& text) { options.scope = text; });
  arguments.Declare("--depth", "N", "all", "deeper scopes are one box each", [&](const std::string& text) {
    options.depth = ParseWhole("--depth", text, {0, 1000});
  });
  arguments.Flag("--training", options.training, "with gradients and updates");
}

void Add(CLI::App& command, InfoOptions& options) {
  Arguments(command).Path("file", options.file, "checkpoint, or the directory of a run")->required();
}

void Add(CLI::App& command, PlanOptions& options) {
  Arguments arguments(command);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
  arguments.Path("--dump-passes", options.dump_passes, "directory for the graph after each pass");
}

void Add(CLI::App& command, LintOptions& options) {
  Arguments arguments(command);
  AddModel(arguments, options.model);
  AddStep(arguments, options.step);
}

void Add(CLI::App& command, BenchOptions& options) {
  Arguments arguments(command);
  AddModel(arguments, options.model);
  arguments.Whole("--batch", options.batch, kBatchRange, "images a training step");
  AddMachine(arguments, options.machine);
  arguments.Flag("--json", options.json, "results as one JSON object");
}

struct Requests {
  TrainOptions train;
  EvaluateOptions evaluate;
  GenerateOptions generate;
  EncodeOptions encode;
  ReconstructOptions reconstruct;
  GraphOptions graph;
  InfoOptions info;
  PlanOptions plan;
  LintOptions lint;
  BenchOptions bench;
};

struct Command {
  CLI::App* app;
  std::function<Request()> request;
};

std::vector<Command> AddCommands(CLI::App& app, Requests& requests) {
  std::vector<Command> commands;
  const auto add = [&](const char* name, const char* meaning, const char* example, auto& options) {
    CLI::App* command = app.add_subcommand(name, meaning)->allow_extras();
    Add(*command, options);
    command->footer(fmt::format("Example: vae {}", example));
    commands.push_back({command, [&options] { return Request(options); }});
  };
  add("train", "Train a variational autoencoder", "train --epochs 3 --run-id first", requests.train);
  add("evaluate", "Negative ELBO of images", "evaluate --from runs/first --json", requests.evaluate);
  add("generate", "Pictures of the latent plane", "generate --from runs/first --out pictures --around 0",
      requests.generate);
  add("encode", "Latent means and log-variances of images", "encode --from runs/first --out latent.csv",
      requests.encode);
  add("reconstruct", "Images over their reconstructions", "reconstruct --from runs/first --out pictures",
      requests.reconstruct);
  add("graph", "The graph of the model", "graph --training --depth 2 | dot -Tsvg > graph.svg", requests.graph);
  add("info", "What a checkpoint holds", "info runs/first/model-430.safetensors", requests.info);
  add("plan", "Steps, memory and arithmetic of a model before training", "plan --hidden 1024", requests.plan);
  add("lint", "What is suspicious in the graph", "lint", requests.lint);
  add("bench", "Times of a training step and of inference", "bench --threads 2 --json", requests.bench);
  return commands;
}

// ---- Reading -------------------------------------------------------------------------------------------------------

[[noreturn]] void FailUnknownOption(const CLI::App& command, const std::string& text) {
  const std::string name = text.substr(0, text.find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) names.push_back(option->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string path = command.get_parent() == nullptr ? "vae" : fmt::format("vae {}", command.get_name());
  throw UsageError(fmt::format("unknown option: {}: got '{}', expected one of '{} --help'{}", path, Printable(name),
                               path, DidYouMean(name.substr(0, 100), known)));
}

void RefuseExtras(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return;
  for (const std::string& extra : extras) {
    if (extra.starts_with('-') && extra != "-") FailUnknownOption(app, extra);
  }
  if (app.get_parent() != nullptr) {
    throw UsageError(
        fmt::format("argument: vae {}: got '{}', expected options only", app.get_name(), Printable(extras[0])));
  }
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  throw UsageError(fmt::format("command: vae: got '{}', expected one of {}{}", Printable(extras[0]),
                               fmt::join(known, ", "), DidYouMean(extras[0].substr(0, 100), known)));
}

// "--epochs=" becomes "--epochs" and "", as an empty text that somebody forgot to fill in, not one that comes next.
std::vector<std::string> Reversed(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed;
  for (auto argument = arguments.rbegin(); argument != arguments.rend(); ++argument) {
    const bool is_empty = argument->starts_with("--") && argument->find('=') == argument->size() - 1;
    if (is_empty) reversed.emplace_back();
    reversed.push_back(is_empty ? argument->substr(0, argument->size() - 1) : *argument);
  }
  return reversed;
}

std::set<std::string> GivenOptions(const CLI::App& command) {
  std::set<std::string> given;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0) given.insert(option->get_name());
  }
  return given;
}

void RefuseContradictions(const TrainOptions& options) {
  if (options.given.contains("--out") && options.given.contains("--run-id")) {
    throw UsageError("contradiction: --out and --run-id: got both, expected one of them to name the directory");
  }
  if (!options.given.contains("--resume")) return;
  for (const char* other : {"--out", "--run-id"}) {
    if (options.given.contains(other)) {
      throw UsageError(fmt::format(
          "contradiction: --resume and {}: got both, expected --resume alone to name the directory", other));
    }
  }
}

}  // namespace

std::filesystem::path DefaultData() { return std::filesystem::path(WEFT_SOURCE_DIR) / "examples/data/mnist"; }

Request ParseCommandLine(std::vector<std::string> arguments) {
  CLI::App app("Variational autoencoders of handwritten digits: training, evaluation, pictures.", "vae");
  bool version = false;
  app.add_flag("--version", version, "Print version, SIMD target and number of threads");
  app.allow_extras()->require_subcommand(0, 1);
  app.footer("vae COMMAND --help lists the options of a command, with an example.");
  Requests requests;
  const std::vector<Command> commands = AddCommands(app, requests);

  std::vector<std::string> reversed = Reversed(arguments);
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return HelpText{.text = app.help(), .wanted = true};
  } catch (const CLI::ArgumentMismatch& error) {
    throw UsageError(fmt::format("missing value: command line: {}, expected one behind the option", error.what()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("command line: {}", error.what()));
  }
  if (version) return VersionRequest{};
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    RefuseExtras(*command.app);
    RefuseExtras(app);
    requests.train.given = GivenOptions(*command.app);
    if (command.app->get_name() == "train") RefuseContradictions(requests.train);
    return command.request();
  }
  RefuseExtras(app);
  return HelpText{.text = app.help(), .wanted = false};
}

}  // namespace weft
