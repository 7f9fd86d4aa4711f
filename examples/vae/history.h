// The figures of all epochs of a run, for its curves; they are kept in its checkpoints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

// Means in nats an image.
struct Elbo {
  double reconstruction = 0;
  double kl = 0;
  double negative_elbo() const { return reconstruction + kl; }
};

struct EpochFigures {
  int64_t epoch = 0;
  Elbo training = {};
  std::optional<Elbo> validation = {};
};

// "1 146.2 6.1 145.3 6.2;2 …", of the last kMostEpochs, as metadata have a limit; the numbers come back bit by bit.
inline constexpr size_t kMostEpochs = 5000;
std::string HistoryText(const std::vector<EpochFigures>& history);
// What can be read of it: a curve that is cut is no reason to refuse a run.
std::vector<EpochFigures> ParseHistory(std::string_view text);

// history.csv: a line an epoch, numbers in the fewest digits that give the same bits again; "" without epochs.
std::string HistoryCsv(const std::vector<EpochFigures>& history);

// curves.png; nothing for a run without a complete epoch.
void WriteHistory(const std::filesystem::path& path, const std::vector<EpochFigures>& history);

}  // namespace weft
