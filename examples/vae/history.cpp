// Numbers in a row.
#include "weft/examples/vae/history.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "weft/examples/vae/pictures.h"

namespace weft {
namespace {

// Takes a number and one character behind it from the front of `text`.
template <class T>
bool Take(std::string_view& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(std::min(text.size(), static_cast<size_t>(end - text.data()) + 1));
  return true;
}

}  // namespace

std::string HistoryText(const std::vector<EpochFigures>& history) {
  std::string text;
  for (size_t i = history.size() - std::min(history.size(), kMostEpochs); i < history.size(); ++i) {
    const EpochFigures& figures = history[i];
    fmt::format_to(std::back_inserter(text), "{}{} {} {}", text.empty() ? "" : ";", figures.epoch,
                   figures.training.reconstruction, figures.training.kl);
    if (figures.validation)
      fmt::format_to(std::back_inserter(text), " {} {}", figures.validation->reconstruction, figures.validation->kl);
  }
  return text;
}

std::vector<EpochFigures> ParseHistory(std::string_view text) {
  std::vector<EpochFigures> history;
  while (!text.empty() && history.size() < kMostEpochs) {
    std::string_view entry = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    EpochFigures figures;
    if (!Take(entry, figures.epoch) || !Take(entry, figures.training.reconstruction) ||
        !Take(entry, figures.training.kl))
      break;
    Elbo validation;
    if (Take(entry, validation.reconstruction) && Take(entry, validation.kl)) figures.validation = validation;
    history.push_back(figures);
  }
  return history;
}

std::string HistoryCsv(const std::vector<EpochFigures>& history) {
  if (history.empty()) return "";
  std::string text =
      "epoch,training_negative_elbo,training_reconstruction,training_kl,"
      "validation_negative_elbo,validation_reconstruction,validation_kl\n";
  const auto add = [&text](const Elbo& elbo) {
    fmt::format_to(std::back_inserter(text), ",{},{},{}", elbo.negative_elbo(), elbo.reconstruction, elbo.kl);
  };
  for (const EpochFigures& figures : history) {
    text += std::to_string(figures.epoch);
    add(figures.training);
    if (figures.validation) add(*figures.validation);
    else text += ",,,";
    text += '\n';
  }
  return text;
}

void WriteHistory(const std::filesystem::path& path, const std::vector<EpochFigures>& history) {
  if (history.empty()) return;
  Series training = {.name = "training"}, validation = {.name = "validation"},
         reconstruction = {.name = "training, without KL"};
  for (const EpochFigures& figures : history) {
    training.values.push_back(figures.training.negative_elbo());
    reconstruction.values.push_back(figures.training.reconstruction);
    validation.values.push_back(figures.validation ? figures.validation->negative_elbo()
                                                   : std::numeric_limits<double>::quiet_NaN());
  }
  std::vector<Series> series = {training, validation, reconstruction};
  if (!history.back().validation) series.erase(series.begin() + 1);
  WriteCurves(path, {.title = "Negative ELBO", .first_epoch = history.front().epoch, .series = series});
}

}  // namespace weft
