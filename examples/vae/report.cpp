// Composing.
#include "weft/examples/vae/report.h"

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {

std::string LineOf(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string WroteText(const std::filesystem::path& path) {
  constexpr size_t kLongest = 5000;  // above the longest path of Linux
  return fmt::format("wrote {}", Escaped(path.native(), kLongest));
}

Json ElboJson(const ElboFigures& figures, int64_t images) {
  return {{"images", images},
          {"negative_elbo", figures.negative_elbo},
          {"reconstruction", figures.reconstruction},
          {"kl", figures.divergence},
          {"bits_per_dim", figures.bits_per_dim}};
}

Json LatentAxesJson(const std::vector<LatentAxis>& axes) {
  Json list = Json::array();
  for (const LatentAxis& axis : axes)
    list.push_back({{"kl", axis.divergence}, {"variance", axis.variance}, {"active", axis.is_active()}});
  return list;
}

std::string ElboText(std::string_view what, const ElboFigures& figures) {
  return fmt::format("{}: negative ELBO {:.2f} nats an image = reconstruction {:.2f} + KL {:.2f}, {:.4f} bits a pixel",
                     what, figures.negative_elbo, figures.reconstruction, figures.divergence, figures.bits_per_dim);
}

}  // namespace weft
