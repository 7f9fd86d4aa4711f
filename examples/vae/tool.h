// The tool behind its command line: whoever has a request can have it performed, main or a test.
#pragma once

#include "weft/examples/vae/command_line.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/output.h"

namespace weft {

// Does what is asked for. Returns kOk, or kUsage for a help text that nobody asked for; throws what Describe knows.
ExitCode Perform(const Request& request, Output& output);

}  // namespace weft
