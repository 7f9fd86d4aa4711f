// Counting weights by formula, and what the machine has for them.
#include "weft/examples/vae/model_size.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

// Of the machine, or what a limit leaves of it.
double AvailableBytes() {
  const double physical = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  rlimit limit{};
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return limited ? std::min(physical, static_cast<double>(limit.rlim_cur)) : physical;
}

// In training: weight, gradient, and Adam's m and v.
double Copies(Memory memory) { return memory == Memory::kTraining ? 4 : 1; }

}  // namespace

double ModelBytes(const VaeConfig& config, Memory memory) {
  const auto pixels = static_cast<double>(config.pixels), hidden = static_cast<double>(config.hidden_units);
  const auto latent = static_cast<double>(config.latent_units), layers = static_cast<double>(config.hidden_layers);
  // On each side: weights of the first and the inner layers; bias, and four vectors of batch normalisation, a layer.
  const auto side = [&](double inputs) {
    return inputs * hidden + (layers - 1) * hidden * hidden + layers * 5 * hidden;
  };
  const double heads = 2 * (hidden + 1) * latent, logits = (hidden + 1) * pixels;
  const double numbers = side(pixels) + heads + side(latent) + logits;
  return numbers * 4 * Copies(memory);
}

double ModelBytes(const Graph& graph, Memory memory) {
  double bytes = 0;
  for (const auto& [variable, value] : graph.initial_values()) {
    const TensorType& type = graph.type(variable);
    double numbers = 1;
    for (Dim dim : type.shape) numbers *= static_cast<double>(dim.length());
    bytes += numbers * static_cast<double>(SizeOf(type.dtype));
  }
  return bytes * Copies(memory);
}

std::string ByteText(double bytes) {
  static constexpr std::array kUnits = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{:.0f} {}", bytes, kUnits[unit]) : fmt::format("{:.3g} {}", bytes, kUnits[unit]);
}

void RequireBytes(double needed, std::string_view what) {
  const double available = AvailableBytes();
  if (needed <= available) return;
  throw ResourceError(fmt::format("memory: {}: needs {} for its variables, expected at most {}", what, ByteText(needed),
                                  ByteText(available)));
}

}  // namespace weft
