// Which commands there are, and what a command line that is none is told.
#include "weft/examples/vae/command_line.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/completion.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/path.h"

namespace weft {
namespace {

struct Requests {
  TrainOptions train;
  EvaluateOptions evaluate;
  GenerateOptions generate;
  InterpolateOptions interpolate;
  ExploreOptions explore;
  EncodeOptions encode;
  ReconstructOptions reconstruct;
  ExportOptions exported;
  GraphOptions graph;
  InfoOptions info;
  ImportOptions import;
  DiffOptions diff;
  PlanOptions plan;
  LintOptions lint;
  BenchOptions bench;
  CompletionOptions completion;
};

struct Command {
  CLI::App* app;
  std::function<Request()> request;
};

std::vector<Command> AddCommands(CLI::App& app, Requests& requests) {
  std::vector<Command> commands;
  const auto declare = [&](const char* name, const char* meaning, const char* example, auto& options) {
    CLI::App* command = app.add_subcommand(name, meaning)->allow_extras();
    Declare(*command, options);
    command->footer(fmt::format("Example: vae {}", example));
    return command;
  };
  const auto add = [&](const char* name, const char* meaning, const char* example, auto& options) {
    commands.push_back({declare(name, meaning, example, options), [&options] { return Request(options); }});
  };
  add("train", "Train a variational autoencoder", "train --epochs 3 --run-id first", requests.train);
  add("evaluate", "Negative ELBO of images", "evaluate --from runs/first --json", requests.evaluate);
  add("generate", "Pictures of the latent plane", "generate --from runs/first --out pictures --around 0",
      requests.generate);
  add("interpolate", "Pictures on the way from one image to another",
      "interpolate --from runs/first --a 0 --b 1 --out between.png", requests.interpolate);
  add("explore", "The latent space as a page: drag, and see what is decoded there",
      "explore --from runs/first --out explore.html", requests.explore);
  add("encode", "Latent means and log-variances of images", "encode --from runs/first --out latent.csv",
      requests.encode);
  add("reconstruct", "Images over their reconstructions", "reconstruct --from runs/first --out pictures",
      requests.reconstruct);
  add("export", "A part of a model for other programs", "export --from runs/first --part decoder --out decoder.onnx",
      requests.exported);
  add("graph", "The graph of the model", "graph --training --depth 2 | dot -Tsvg > graph.svg", requests.graph);
  add("info", "What a checkpoint holds", "info runs/first/model-430.safetensors", requests.info);
  add("import", "A checkpoint from the weights of another program",
      "import weights.safetensors --out imported.safetensors", requests.import);
  add("diff", "Two checkpoints or graphs, compared by name",
      "diff runs/first/model-430.safetensors runs/first/model-860.safetensors --scope Decoder", requests.diff);
  add("plan", "Steps, memory and arithmetic of a model before training", "plan --hidden 1024", requests.plan);
  add("lint", "What is suspicious in the graph", "lint", requests.lint);
  add("bench", "Times of a training step and of inference", "bench --threads 2 --json", requests.bench);
  CLI::App* const completion = declare("completion", "A script by which a shell completes vae's command line",
                                       "completion bash > vae.bash", requests.completion);
  commands.push_back({completion, [&app, &requests] {
                        return HelpText{.text = CompletionScript(app, requests.completion.shell), .wanted = true};
                      }});
  return commands;
}

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

// For who asked for nothing: less than a screen.
std::string Usage(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return fmt::format("Usage: vae COMMAND [OPTIONS]\n\nCommands: {}.\n{}\n", fmt::join(names, ", "), app.get_footer());
}

// "--epochs=" becomes "--epochs" and "", as an empty text that somebody forgot to fill in, not one that comes next.
std::vector<std::string> Reversed(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed;
  for (const std::string& argument : arguments) {
    const bool is_empty = argument.starts_with("--") && argument.find('=') == argument.size() - 1;
    reversed.push_back(is_empty ? argument.substr(0, argument.size() - 1) : argument);
    if (is_empty) reversed.emplace_back();
  }
  std::ranges::reverse(reversed);
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
  if (!options.given.contains("--resume")) {
    if (!options.allow_different) return;
    throw UsageError("contradiction: --allow-different: got it alone, expected --resume, whose run may differ");
  }
  for (const char* other : {"--out", "--run-id"}) {
    if (options.given.contains(other)) {
      throw UsageError(fmt::format(
          "contradiction: --resume and {}: got both, expected --resume alone to name the directory", other));
    }
  }
}

}  // namespace

Request ParseCommandLine(const std::vector<std::string>& arguments) {
  CLI::App app("Variational autoencoders of handwritten digits: training, evaluation, pictures.", "vae");
  bool version = false;
  app.add_flag("--version", version, "Print version, SIMD target and number of threads");
  app.allow_extras()->require_subcommand(0, 1);
  app.footer("vae --help says what each does, vae COMMAND --help lists its options, with an example.");
  Requests requests;
  const std::vector<Command> commands = AddCommands(app, requests);

  std::vector<std::string> reversed = Reversed(arguments);
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return HelpText{.text = app.help(), .wanted = true};
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();  // "--epochs: 1 required N missing"
    throw UsageError(
        fmt::format("missing value: {}: got nothing, expected a value behind it", text.substr(0, text.find(':'))));
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("command line: vae: {}", Printable(error.what())));
  }
  if (version) return VersionRequest{};
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    RefuseExtras(*command.app);
    RefuseExtras(app);
    const std::set<std::string> given = GivenOptions(*command.app);
    requests.train.given = given;
    for (ModelOptions* model :
         {&requests.train.model, &requests.graph.model, &requests.plan.model, &requests.lint.model})
      model->given = given;
    if (command.app->get_name() == "train") RefuseContradictions(requests.train);
    return command.request();
  }
  RefuseExtras(app);
  return HelpText{.text = Usage(app), .wanted = false};
}

}  // namespace weft
