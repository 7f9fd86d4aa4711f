// Figures as text and as JSON.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "weft/examples/vae/latent_axes.h"
#include "weft/models/training/evaluation.h"

namespace weft {

using Json = nlohmann::ordered_json;

// One line. NaN and infinity become null, bytes that are no UTF-8 the replacement character.
std::string LineOf(const Json& json);
// "wrote PATH", without control characters.
std::string WroteText(const std::filesystem::path& path);

// Of the ε that evaluation draws: one and the same stream, so that figures of two runs can be compared.
inline constexpr uint64_t kEvaluationSeed = 1;

// {"images", "negative_elbo", "reconstruction", "kl", "bits_per_dim"}
Json ElboJson(const ElboFigures& figures, int64_t images);
// [{"kl", "variance", "active"}]
Json LatentAxesJson(const std::vector<LatentAxis>& axes);
// "test: negative ELBO 139.30 nats an image = reconstruction 133.00 + KL 6.30, 0.2563 bits a pixel"
std::string ElboText(std::string_view what, const ElboFigures& figures);

}  // namespace weft
