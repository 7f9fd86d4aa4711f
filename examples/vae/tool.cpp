// Which command is whose.
#include "weft/examples/vae/tool.h"

#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/bench.h"
#include "weft/examples/vae/diff.h"
#include "weft/examples/vae/encode.h"
#include "weft/examples/vae/evaluate.h"
#include "weft/examples/vae/export.h"
#include "weft/examples/vae/explore.h"
#include "weft/examples/vae/generate.h"
#include "weft/examples/vae/graph.h"
#include "weft/examples/vae/import.h"
#include "weft/examples/vae/info.h"
#include "weft/examples/vae/interpolate.h"
#include "weft/examples/vae/lint.h"
#include "weft/examples/vae/machine.h"
#include "weft/examples/vae/plan.h"
#include "weft/examples/vae/reconstruct.h"
#include "weft/examples/vae/train.h"
#include "weft/ops/numerics.h"

namespace weft {
namespace {

struct Runner {
  Output& output;

  ExitCode operator()(const HelpText& help) const {
    if (help.wanted) output.Text(help.text);
    else Note(help.text);
    return help.wanted ? ExitCode::kOk : ExitCode::kUsage;
  }
  ExitCode operator()(VersionRequest) const {
    const Machine machine({});
    output.Line(fmt::format("vae {} SIMD {} of {} threads {} numerics {}", WEFT_VERSION, machine.target(),
                            fmt::join(SimdTargets(), " "), machine.threads(), NumericsText()));
    return ExitCode::kOk;
  }
  ExitCode operator()(const TrainOptions& options) const { return TrainCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const EvaluateOptions& options) const { return EvaluateCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const GenerateOptions& options) const { return GenerateCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const InterpolateOptions& options) const {
    return InterpolateCommand(options, output), ExitCode::kOk;
  }
  ExitCode operator()(const ExploreOptions& options) const { return ExploreCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const EncodeOptions& options) const { return EncodeCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const ReconstructOptions& options) const {
    return ReconstructCommand(options, output), ExitCode::kOk;
  }
  ExitCode operator()(const ExportOptions& options) const { return ExportCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const GraphOptions& options) const { return GraphCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const InfoOptions& options) const { return InfoCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const ImportOptions& options) const { return ImportCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const DiffOptions& options) const {
    return DiffCommand(options, output) ? ExitCode::kOk : ExitCode::kDifferent;
  }
  ExitCode operator()(const PlanOptions& options) const { return PlanCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const LintOptions& options) const { return LintCommand(options, output), ExitCode::kOk; }
  ExitCode operator()(const BenchOptions& options) const { return BenchCommand(options, output), ExitCode::kOk; }
};

}  // namespace

ExitCode Perform(const Request& request, Output& output) { return std::visit(Runner{output}, request); }

}  // namespace weft
