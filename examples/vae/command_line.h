// The command line as a whole: which command it asks for, with which options.
//
//   Request request = ParseCommandLine({"train", "--epochs", "3"});   // holds a TrainOptions
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "weft/examples/vae/options.h"

namespace weft {

struct HelpText {
  std::string text;
  bool wanted;  // false: shown because nothing was asked for
};

struct VersionRequest {};

using Request =
    std::variant<HelpText, VersionRequest, TrainOptions, EvaluateOptions, GenerateOptions, InterpolateOptions,
                 ExploreOptions, EncodeOptions, ReconstructOptions, ExportOptions, GraphOptions, InfoOptions,
                 PlanOptions, LintOptions, BenchOptions, ImportOptions, DiffOptions>;

// `arguments` without the name of the program. Throws UsageError.
Request ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace weft
