// vae: trains variational autoencoders and applies them. `vae --help` lists what it does.
#include <algorithm>
#include <exception>

#include "weft/examples/vae/signals.h"
#include "weft/examples/vae/tool.h"

int main(int argc, char** argv) {
  using namespace weft;
  ReserveStandardStreams();
  InstallSignalHandlers();
  try {
    Output output;
    const ExitCode code = Perform(ParseCommandLine({argv + std::min(argc, 1), argv + argc}), output);
    output.Finish();
    return static_cast<int>(code);
  } catch (...) {
    const Failure failure = Describe(std::current_exception());
    Note(failure.message);
    return static_cast<int>(failure.code);
  }
}
