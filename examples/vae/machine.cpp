// TBB's global limit and Highway's choice of a target.
#include "weft/examples/vae/machine.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>

#include "hwy/highway.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"
#include "weft/graph/path.h"
#include "weft/ops/numerics.h"

namespace weft {
namespace {

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Returns the name of the target that is in force then.
std::string Choose(const std::string& name, const std::string& numerics) {
  if (numerics == "portable") UsePortableNumerics();
  if (name.empty()) return SimdTargets().front();
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (Upper(name) != Upper(hwy::TargetName(target))) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return hwy::TargetName(target);
  }
  const std::vector<std::string> names = SimdTargets();
  const std::vector<std::string_view> known(names.begin(), names.end());
  throw UsageError(fmt::format("value: --target: got '{}', expected what this machine has: {}{}", Printable(name),
                               fmt::join(names, ", "), DidYouMean(name.substr(0, 100), known)));
}

}  // namespace

std::vector<std::string> SimdTargets() {
  std::vector<std::string> names;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

struct Machine::ThreadLimit {
  oneapi::tbb::global_control control;
};

Machine::Machine(const MachineOptions& options)
    : threads_(options.threads > 0 ? options.threads : oneapi::tbb::info::default_concurrency()),
      target_(Choose(options.target, options.numerics)),
      limit_(new ThreadLimit{{oneapi::tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads_)}}) {}

Machine::~Machine() = default;

}  // namespace weft
