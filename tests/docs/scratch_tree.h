// A directory in which the command lines of the documentation run as they stand: `vae` and `./run` are there, data are
// small, and programs that would take too long are stand-ins that write down how they were called.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "weft/tests/examples/tool_test.h"

namespace weft {

// A command that is not run here, and why. Its options must be words of `options_in`, a file of the
// tree, where there is one.
struct NotRun {
  std::string command;  // the first words: "./run bench"
  std::string reason;
  std::string options_in;
};

class ScratchTree {
 public:
  // With the runs `first` and `ID` of three epochs of 430 steps, and weights.safetensors as PyTorch writes them.
  explicit ScratchTree(const std::vector<NotRun>& not_run);

  // Runs `text` by bash until a command fails, or by another program that reads its script from a file.
  Outcome Run(const std::string& text,
              const std::vector<std::string>& interpreter = {"/bin/bash", "-e", "-o", "pipefail"});
  // The command lines that stand-ins were called with since the last call.
  std::vector<std::string> TakeNotRun();

 private:
  void WriteProgram(const std::string& name, const std::string& text) const;

  TemporaryDirectory directory_;
};

}  // namespace weft
