// weft_explore_pages DIRECTORY: pages of `vae explore` of small models, and beside each, in NAME.json, what weft
// decodes at some places. explore_test.mjs opens them.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "weft/examples/vae/sheets.h"
#include "weft/examples/vae/tool.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json RowsJson(const Tensor& tensor) {
  json rows = json::array();
  for (int64_t i = 0; i < tensor.shape()[0].length(); ++i) {
    const Tensor row = tensor.Rows(i, i + 1);
    const std::span<const float> values = row.values<float>();
    rows.push_back(std::vector<float>(values.begin(), values.end()));
  }
  return rows;
}

// Training and page by the tool itself: `size` are the options that say how large a model, and how long it learns.
void MakePage(const fs::path& directory, const std::string& name, const char* images,
              const std::vector<std::string>& size) {
  const std::vector<std::string> data = {"--data", (directory / images).string()};
  const std::string run = (directory / name).string(), page = run + ".html";
  Output output;
  Perform(ParseCommandLine(std::vector<std::string>{"train", "--batch", "32", "--validation", "50", "--out", run} +
                           data + size),
          output);
  Perform(ParseCommandLine(std::vector<std::string>{"explore", "--from", run, "--out", page} + data), output);

  const ModelFile file = OpenModel(run);
  VariableStore variables;
  PictureDecoder decoder(file.model, variables, {});
  RestorePart(file, decoder.graph(), "Decoder", variables);
  const auto latent = static_cast<size_t>(file.model.config.latent_units);
  const Tensor grid =
      LatentGrid(GridSteps(15, kPriorRange), std::vector<float>(latent, 0), std::vector<float>(latent, 1));
  const Tensor far = LatentGrid(GridSteps(4, "9"), std::vector<float>(latent, 0.5F), std::vector<float>(latent, 1));
  json places = json::object();
  for (const auto& [key, z] : {std::pair("grid", grid), {"far", far}})
    places[key] = {{"z", RowsJson(z)}, {"pictures", RowsJson(decoder.Pictures(z))}};
  std::ofstream(directory / (name + ".json")) << places;
}

}  // namespace
}  // namespace weft

int main(int, char** argv) {
  using namespace weft;
  try {
    const fs::path directory = argv[1];
    for (const auto& [name, count] : {std::pair("few", 80), {"many", 1100}}) {  // 90 of them are different
      fs::create_directories(directory / name);
      WriteSmallSplit(directory / name, "train", 300);
      WriteSmallSplit(directory / name, "t10k", static_cast<uint32_t>(count));
    }
    const std::vector<std::string> small = {"--hidden", "24", "--epochs", "12", "--learning-rate", "0.01", "--latent"};
    for (const char* latent : {"1", "2", "3"})
      MakePage(directory, std::string("latent") + latent, "few", small + std::vector<std::string>{latent});
    MakePage(directory, "full", "many", {"--epochs", "1"});
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
