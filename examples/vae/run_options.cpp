// Stored options are read as if they stood on the command line: by the same rules, in the same ranges.
#include "weft/examples/vae/run_options.h"

#include <optional>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/command_line.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/text_model.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

using NamedText = std::pair<std::string, std::string>;

// Not among the others: another one than the run's is asked for with --allow-different.
constexpr const char* kNumericsKey = "option--numerics";

std::vector<NamedText> Texts(const TrainOptions& options) {
  const ModelOptions& model = options.model;
  const StepOptions& step = options.step;
  const auto text = [](const auto& value) { return fmt::format("{}", value); };
  std::vector<NamedText> texts = {{"--epochs", text(options.epochs)},    {"--batch", text(step.batch)},
                                  {"--optimizer", step.optimizer},       {"--learning-rate", text(step.learning_rate)},
                                  {"--clip-norm", text(step.clip_norm)}, {"--validation", text(options.validation)},
                                  {"--seed", text(options.seed)}};
  if (!model.text.empty()) return texts;  // whose parameters are kept with it
  texts.insert(texts.end(), {{"--latent", text(model.latent)},
                             {"--hidden", text(model.hidden)},
                             {"--layers", text(model.layers)},
                             {"--beta", text(step.beta)},
                             {"--init", model.init}});
  return texts;
}

// ---- Models that are texts -----------------------------------------------------------------------------------------

[[noreturn]] void FailContradiction(std::string_view option, std::string_view got, std::string_view expected) {
  throw UsageError(fmt::format("contradiction: --resume and {}: got {}, expected {} as in the run (or nothing)", option,
                               got, expected));
}

std::string Line(std::istringstream& lines) {
  std::string line;
  return std::getline(lines, line) ? fmt::format("'{}'", Printable(line)) : "no more lines";
}

void RequireSameText(const std::filesystem::path& file, const std::string& given, const std::string& of_run) {
  if (given == of_run) return;
  std::istringstream got(given), expected(of_run);
  for (int number = 1;; ++number) {
    const std::string own = Line(got), old = Line(expected);
    if (own == old && got && expected) continue;
    FailContradiction(fmt::format("--model {}, line {}", Printable(file.native()), number), own, old);
  }
}

// The text of the run and its parameters; throws UsageError if others are given.
void TakeText(const TrainOptions& given, const Model& model, TrainOptions& run) {
  run.model.text = model.text;
  for (const auto& [name, value] : model.parameters) run.model.set[name] = TextOf(value);
  if (!given.model.file.empty()) RequireSameText(given.model.file, ReadModelText(given.model.file), model.text);
  for (const auto& [name, value] : GivenParameters(given.model, given.step, model)) {
    const std::string text = TextOf(value);
    if (text != run.model.set[name]) FailContradiction("parameter " + name, text, run.model.set[name]);
  }
}

TrainOptions Parsed(const Metadata& checkpoint, const std::filesystem::path& file, const std::string& text) {
  std::vector<std::string> arguments = {"train"};
  for (const auto& [name, standard] : Texts({.model = {.text = text}})) {
    const auto found = checkpoint.find("option" + name);
    if (found == checkpoint.end()) {
      throw CheckpointError(fmt::format("options: {}: got no {}, expected a checkpoint that 'vae train' wrote",
                                        Printable(file.native()), name));
    }
    arguments.insert(arguments.end(), {name, found->second});
  }
  try {
    return std::get<TrainOptions>(ParseCommandLine(arguments));
  } catch (const UsageError& error) {
    throw CheckpointError(fmt::format("options: {}: {}", Printable(file.native()), error.what()));
  }
}

}  // namespace

Metadata DescribeOptions(const TrainOptions& options) {
  Metadata metadata;
  for (const auto& [name, text] : Texts(options)) metadata["option" + name] = text;
  metadata[kNumericsKey] = options.machine.numerics;
  return metadata;
}

TrainOptions ResumedOptions(const TrainOptions& given, const Metadata& checkpoint, int64_t done,
                            const std::filesystem::path& file) {
  const std::optional<Model> text = TextModelOf(checkpoint, file);
  TrainOptions run = Parsed(checkpoint, file, text ? text->text : "");
  if (text) TakeText(given, *text, run);
  else if (!given.model.file.empty()) FailContradiction("--model", Printable(given.model.file.native()), "no text");
  const std::vector<NamedText> own = Texts(run), asked = Texts(given);
  for (size_t i = 0; i < own.size(); ++i) {
    const std::string& name = own[i].first;
    if (!given.given.contains(name) || name == "--epochs" || own[i].second == asked[i].second) continue;
    FailContradiction(name, asked[i].second, own[i].second);
  }
  if (given.given.contains("--epochs")) run.epochs = given.epochs;
  if (run.epochs < done) {
    throw UsageError(fmt::format("value: --epochs: got {}, expected at least {}, which are done", run.epochs, done));
  }
  run.data = given.data;
  run.machine = given.machine;
  const auto numerics = checkpoint.find(kNumericsKey);
  if (numerics != checkpoint.end() && !given.given.contains("--numerics")) run.machine.numerics = numerics->second;
  run.allow_different = given.allow_different;
  run.keep = given.keep;
  run.checkpoint_steps = given.checkpoint_steps;
  run.on_checkpoint_error = given.on_checkpoint_error;
  run.resume = given.resume;
  run.json = given.json;
  run.tensorboard = given.tensorboard;
  run.trace = given.trace;
  run.force = given.force;
  run.given = given.given;
  return run;
}

}  // namespace weft
