// Programs of the tree, in small.
#include "weft/tests/docs/scratch_tree.h"

#include <cstdlib>
#include <sstream>

#include "weft/tests/examples/help_texts.h"
#include "weft/tests/support/golden_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// What makes a command small, where it knows the option and it is not given: batches of 2 of 860 images are the 430
// steps of an epoch that the documentation speaks of.
const std::map<std::string, std::string> kSmall = {{"--data", "small"}, {"--epochs", "3"},     {"--hidden", "8"},
                                                   {"--batch", "2"},    {"--validation", "0"}, {"--threads", "1"}};

std::string SmallTool() {
  std::ostringstream script;
  script << "given=\" $* \"\nadd() { [[ $given == *\" $1\"[\\ =]* ]] || small+=(\"$1\" \"$2\"); }\nsmall=()\n"
         << "case \" $* \" in *' --help '*) ;; *) case ${1:-} in\n";
  for (const std::string& command : CommandNames()) {
    const std::set<std::string> options = OptionNames(RunTool({command, "--help"}).out);
    script << "  " << command << ") :";
    for (const auto& [option, value] : kSmall) {
      if (options.contains(option)) script << "; add " << option << " " << value;
    }
    script << " ;;\n";
  }
  script << "esac; esac\nexec '" << WEFT_VAE_BINARY << "' \"$@\" \"${small[@]}\"\n";
  return script.str();
}

std::string StandIn(const std::string& name) { return "echo \"" + name + " $*\" >> \"$NOT_RUN\"\n"; }

}  // namespace

ScratchTree::ScratchTree(const std::vector<NotRun>& not_run) {
  for (const char* folder : {"bin", "small", "runs", "models"}) fs::create_directory(directory_ / folder);
  WriteSmallSplit(directory_ / "small", "train", 860);
  WriteSmallSplit(directory_ / "small", "t10k", 100);
  fs::copy(GoldenPath("torch_vae.safetensors", "interchange"), directory_ / "weights.safetensors");
  for (const char* name : {"variational_autoencoder.weft", "gaussian_autoencoder.weft"})
    fs::copy(fs::path(WEFT_SOURCE_DIR) / "models" / name, directory_ / "models" / name);
  WriteProgram("bin/vae", SmallTool());
  for (const NotRun& each : not_run) {
    const std::string program = each.command.substr(0, each.command.find(' '));
    const bool is_path = program.find('/') != std::string::npos;
    if (program != "./run") WriteProgram(is_path ? program : "bin/" + program, StandIn(program));
  }
  WriteProgram("run", "case ${1:-} in\n  vae) shift; exec vae \"$@\" ;;\n  train) exec vae \"$@\" ;;\nesac\n" +
                          StandIn("./run"));
  for (const char* id : {"first", "ID"}) {
    const Outcome outcome = Run(std::string("vae train --epochs 3 --run-id ") + id);
    if (outcome.code != 0) throw std::runtime_error(outcome.err);
  }
}

Outcome ScratchTree::Run(const std::string& text, const std::vector<std::string>& interpreter) {
  WriteFile(directory_ / "script", text);
  std::vector<std::string> arguments(interpreter.begin() + 1, interpreter.end());
  arguments.push_back((directory_ / "script").string());
  const std::string path = (directory_ / "bin").string() + ":" + std::getenv("PATH");
  const std::string not_run = (directory_ / "not_run").string();
  return RunTool(arguments, {.binary = interpreter[0], .directory = directory_.path(), .in_child = [&] {
                               setenv("PATH", path.c_str(), 1);
                               setenv("NOT_RUN", not_run.c_str(), 1);
                             }});
}

std::vector<std::string> ScratchTree::TakeNotRun() {
  if (!fs::exists(directory_ / "not_run")) return {};
  std::vector<std::string> lines = Lines(ReadFile(directory_ / "not_run"));
  fs::remove(directory_ / "not_run");
  return lines;
}

void ScratchTree::WriteProgram(const std::string& name, const std::string& text) const {
  const fs::path file = directory_ / name;
  fs::create_directories(file.parent_path());
  WriteFile(file, "#!/bin/bash\n" + text);
  fs::permissions(file, fs::perms::owner_all);
}

}  // namespace weft
