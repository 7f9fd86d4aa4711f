// vae import: a model that PyTorch trained gives the figures that PyTorch computes, and misfits are told all at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include <nlohmann/json.hpp>

#include "weft/exporters/npz.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/options.h"
#include "weft/examples/vae/parts.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/graph/runtime/session.h"
#include "weft/tests/examples/tool_test.h"
#include "weft/tests/support/golden_file.h"

namespace weft {
namespace {

using testing::HasSubstr;
using Tensors = std::map<std::string, Tensor>;

std::filesystem::path TorchFile() { return GoldenPath("torch_vae.safetensors", "interchange"); }

Tensors ReadTensors(const std::filesystem::path& path) {
  const FileSystem system;
  const InputFile file(system, path);
  const SafetensorsHeader header = ReadSafetensorsHeader(file);
  Tensors tensors;
  for (const SafetensorsEntry& entry : header.entries)
    tensors.emplace(entry.name.str(), ReadSafetensorsTensor(file, header, entry));
  return tensors;
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class Import : public ToolTest {
 protected:
  std::filesystem::path imported() const { return own_ / "imported.safetensors"; }

  Outcome Run(const std::filesystem::path& from, const std::vector<std::string>& more = {}) const {
    return RunTool(std::vector<std::string>{"import", from.string(), "--out", imported().string()} + more);
  }

  // A file of the tensors that PyTorch wrote, after `change`.
  std::filesystem::path Changed(const std::function<void(Tensors&)>& change) const {
    Tensors tensors = ReadTensors(TorchFile());
    change(tensors);
    return Written(tensors);
  }
  std::filesystem::path Written(const Tensors& tensors) const {
    std::vector<SafetensorsItem> items;
    for (const auto& [name, tensor] : tensors) items.emplace_back(name, &tensor);
    WriteSafetensors(FileSystem(), own_ / "changed.safetensors", items, {{"format", "pt"}});
    return own_ / "changed.safetensors";
  }

  // The images that PyTorch was asked about, as a data set.
  std::filesystem::path FirstTestImages(int64_t count) const {
    const LabelledImages all = ReadIdxSplit(DefaultData(), "test");
    Bytes images = Header({0x803, static_cast<uint32_t>(count), 28, 28}),
          labels = Header({0x801, static_cast<uint32_t>(count)});
    images.insert(images.end(), all.images.pixels.begin(), all.images.pixels.begin() + count * 784);
    labels.insert(labels.end(), all.labels.begin(), all.labels.begin() + count);
    const auto text = [](const Bytes& bytes) {
      return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    WriteFile(own_ / "t10k-images-idx3-ubyte", text(images));
    WriteFile(own_ / "t10k-labels-idx1-ubyte", text(labels));
    return own_.path();
  }
};

TEST_F(Import, GivesTheNegativeElboOfPyTorch) {
  const Outcome outcome = Run(TorchFile());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("imported 42 variables from "));
  EXPECT_THAT(outcome.err, HasSubstr("6 tensors passed over"));
  EXPECT_EQ(outcome.out, "wrote " + imported().string() + "\n");

  const GoldenFile golden("interchange");
  const Tensor& epsilon = golden["epsilon"];
  const int64_t count = epsilon.shape()[0].length();
  const ModelFile file = OpenModel(imported());
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, file.model.config);
  VariableStore variables(graph);
  Restore(file.path, {}, variables);
  Session session(graph, variables);
  const std::vector<Tensor> results = session.Run(
      {{vae.x, ImageTensor(ReadIdxSplit(DefaultData(), "test").images, 0, count)}, {vae.encoder.epsilon, epsilon}},
      {vae.loss.reconstruction, vae.loss.divergence, vae.loss.total});
  EXPECT_LT(RelativeError(results[0], golden["reconstruction"]), 1e-6);
  EXPECT_LT(RelativeError(results[1], golden["divergence"]), 1e-6);
  EXPECT_NEAR(results[2].values<float>()[0],
              Mean(golden["reconstruction"].values<double>()) + Mean(golden["divergence"].values<double>()), 1e-4);
}

TEST_F(Import, GivesAFileThatTheOtherCommandsTake) {
  ASSERT_EQ(Run(TorchFile()).code, 0);
  const GoldenFile golden("interchange");
  const Outcome evaluated = RunTool({"evaluate", "--from", imported().string(), "--json", "--data",
                                     FirstTestImages(golden["epsilon"].shape()[0].length()).string()});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const auto figures = nlohmann::json::parse(evaluated.out);
  EXPECT_NEAR(figures.at("kl"), Mean(golden["divergence"].values<double>()), 1e-4) << "it depends on no noise";
  EXPECT_NEAR(figures.at("reconstruction"), Mean(golden["reconstruction"].values<double>()), 2) << "other noise";
  EXPECT_THAT(RunTool({"info", imported().string()}).out, HasSubstr("metadata     hidden = 16\n"));
}

TEST_F(Import, ReadsDoublesToo) {
  const auto file = Changed([](Tensors& tensors) {
    for (auto& [name, tensor] : tensors) tensor = tensor.Cast(DType::kFloat64);
  });
  ASSERT_EQ(Run(file).code, 0);
  const std::string doubles = ReadFile(imported());
  ASSERT_EQ(Run(TorchFile(), {"--force"}).code, 0);
  EXPECT_TRUE(doubles == ReadFile(imported()));
}

TEST_F(Import, ReadsNpzToo) {
  WriteFile(own_ / "weights.npz", ToNpz(ReadTensors(TorchFile())));
  ASSERT_EQ(Run(own_ / "weights.npz").code, 0);
  const std::string npz = ReadFile(imported());
  ASSERT_EQ(Run(TorchFile(), {"--force"}).code, 0);
  EXPECT_TRUE(npz == ReadFile(imported()));
}

TEST_F(Import, RenamesWhatTheTutorialCalledOtherwise) {
  Tensors tensors = ReadTensors(model());
  for (const char* leaf : {"/W", "/b"}) {
    auto node = tensors.extract(std::string("Decoder/Logits") + leaf);
    node.key() = std::string("Decoder/Mean") + leaf;
    tensors.insert(std::move(node));
  }
  const std::filesystem::path file = Written(tensors);
  ExpectError(Run(file), 4, "2 missing: 'decoder.out.weight' f32[784, 16] for 'Decoder/Logits/W'");
  ASSERT_EQ(Run(file, {"--rename", "Decoder/Mean=Decoder/Logits"}).code, 0);
  const auto evaluate = [](const std::filesystem::path& from) {
    return RunTool({"evaluate", "--from", from.string(), "--data", data().string(), "--json"}).out;
  };
  EXPECT_EQ(evaluate(imported()), evaluate(model()));
}

TEST_F(Import, TakesATableOfNamesFromAFile) {
  Tensors tensors;
  for (const auto& [name, tensor] : ReadTensors(model())) tensors.emplace("vae:" + name, tensor);
  tensors.emplace("step", Tensor::Scalar<int64_t>(16));
  const std::filesystem::path file = Written(tensors);
  WriteFile(own_ / "map.txt", "vae:* = *\nstep = -\n");
  ASSERT_EQ(Run(file, {"--map", (own_ / "map.txt").string()}).code, 0);
  EXPECT_EQ(ReadTensors(imported()), ReadTensors(model()));
}

TEST_F(Import, TellsAllMisfitsAtOnce) {
  const auto file = Changed([](Tensors& tensors) {
    tensors.erase("encoder.mean.bias");
    auto node = tensors.extract("decoder.body.1.0.weight");
    node.key() = "decoder.bdy.1.0.weight";
    tensors.insert(std::move(node));
    tensors["decoder.out.bias"] = Tensor(DType::kFloat32, {783});
    tensors["decoder.body.0.0.weight"] = Tensor(DType::kFloat32, {2, 16});
    tensors["encoder.logvar.bias"] = Tensor(DType::kInt64, {2});
    tensors["optimizer.step"] = Tensor(DType::kFloat32, {});
  });
  ExpectError(
      Run(file), 4,
      "changed.safetensors: 2 missing: 'decoder.body.1.0.weight' f32[16, 16] for 'Decoder/FullyConnected_1/W', "
      "'encoder.mean.bias' f32[2] for 'Encoder/Mean/b'; "
      "2 unexpected: 'decoder.bdy.1.0.weight' f32[16, 16] (did you mean 'decoder.body.1.0.weight'?), "
      "'optimizer.step' f32[]; "
      "3 mismatched: 'decoder.body.0.0.weight': got f32[2, 16], expected f32[16, 2], "
      "'decoder.out.bias': got f32[783], expected f32[784], 'encoder.logvar.bias': got i64[2], expected f32[2]; "
      "nothing was written: --rename A=B or --map gives other names");
  EXPECT_FALSE(std::filesystem::exists(imported()));
}

TEST_F(Import, RefusesWhatItCannotUse) {
  struct Case {
    std::function<void(Tensors&)> change;
    std::vector<std::string> more;
    int code;
    std::string message;
  };
  const auto nothing = [](Tensors&) {};
  for (const Case& each : std::vector<Case>{
           {[](Tensors& tensors) {
              tensors = {{"w", Tensor(DType::kFloat32, {3})}};
            },
            {},
            4,
            "42 missing: "},
           {[](Tensors& tensors) { tensors["Encoder/Mean/b"] = tensors["encoder.mean.bias"]; },
            {},
            4,
            "'encoder.mean.bias': got it with others for 'Encoder/Mean/b', expected one"},
           {[](Tensors& tensors) { tensors["encoder.mean.bias"].values<float>()[0] = NAN; }, {}, 6, "Encoder/Mean/b"},
           {nothing, {"--rename", "decoder"}, 2, "value: --rename: got 'decoder', expected A=B"},
           {nothing,
            {"--rename", "encoder=Decoder", "--rename", "decoder=Encoder"},
            4,
            "42 unexpected: 'encoder.body.0.0.bias' f32[16] (did you mean 'decoder.body.0.0.bias'?)"},
           {nothing, {"--map", (own_ / "nowhere").string()}, 5, "nowhere"}}) {
    SCOPED_TRACE(each.message);
    ExpectError(Run(Changed(each.change), each.more), each.code, each.message);
    EXPECT_FALSE(std::filesystem::exists(imported()));
  }
  WriteFile(own_ / "vae.pt", "PK\x03\x04 and a pickle");
  ExpectError(Run(own_ / "vae.pt"), 4, "numpy.savez write files that can be read");
  ExpectError(RunTool({"import", TorchFile().string(), "--out", (own_ / "run").string()}), 2, ".safetensors");
  WriteFile(imported(), "mine");
  ExpectError(Run(TorchFile()), 5, "--force replaces it");
  EXPECT_EQ(ReadFile(imported()), "mine");
}

}  // namespace
}  // namespace weft
