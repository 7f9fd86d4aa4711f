// The variational autoencoder: its names, and its numbers beside PyTorch's.
#include "weft/models/variational_autoencoder.h"

#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/autodiff/check/check_gradients.h"
#include "weft/autodiff/gradients.h"
#include "weft/graph/lint.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/verify.h"
#include "weft/models/training/optimizers.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/golden_file.h"
#include "weft/tests/support/random_graph.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

// ---- Names --------------------------------------------------------------------------------------------------------

// "Encoder/FullyConnected/W f32[784, 512] trainable", a line a variable, in the order of paths.
std::string VariableList(Graph& graph) {
  std::string text;
  for (const Path& path : VariableStore(graph).Paths()) {
    const Node variable = graph.Find(path);
    text += path.str() + " " + ToString(variable.type()) + (IsTrainable(variable) ? " trainable\n" : "\n");
  }
  return text;
}

std::string Golden(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(GoldenPath(name)).rdbuf();
  return text.str();
}

TEST(VariationalAutoencoder, HasTheTutorialsVariables) {
  Graph graph;
  BuildVariationalAutoencoder(graph);
  EXPECT_EQ(VariableList(graph), Golden("variational_autoencoder_variables.txt"));
  int64_t trainable = 0;
  size_t variables = 0;
  for (const Path& path : VariableStore(graph).Paths()) {
    const Node variable = graph.Find(path);
    ++variables;
    if (IsTrainable(variable)) trainable += ElementCount(variable.shape());
  }
  EXPECT_EQ(variables, 42u);
  EXPECT_EQ(trainable, 1'864'468);
}

TEST(VariationalAutoencoder, HasTheTutorialsNodes) {
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph);
  const std::map<std::string, Node> nodes = {
      {"InputData/X : f32[N, 784]", vae.x},
      {"Encoder/H : f32[N, 512]", vae.encoder.h},
      {"Encoder/Mean : f32[N, 2]", vae.encoder.mean},
      {"Encoder/LogVariance : f32[N, 2]", vae.encoder.log_variance},
      {"Encoder/StandardDeviation : f32[N, 2]", vae.encoder.standard_deviation},
      {"Encoder/Epsilon : f32[N, 2]", vae.encoder.epsilon},
      {"Encoder/SampleLatentVariable : f32[N, 2]", vae.encoder.sample},
      {"Decoder/H : f32[N, 512]", vae.decoder.h},
      {"Decoder/Logits : f32[N, 784] logits", vae.decoder.logits},
      {"Decoder/Mean : f32[N, 784] probability", vae.decoder.mean},
      {"Loss/Reconstruction : f32[N]", vae.loss.reconstruction},
      {"Loss/KullbackLeibler : f32[N]", vae.loss.divergence},
      {"Loss/Beta : f32[]", vae.loss.beta},
      {"Loss/Total : f32[]", vae.loss.total},
  };
  for (const auto& [text, node] : nodes) {
    EXPECT_EQ(node.name().str() + " : " + ToString(node.type()), text);
    EXPECT_TRUE(graph.has_stated_name(node.id())) << text;
  }
  for (const char* scope : {"Encoder", "Decoder"}) {
    for (const char* layer : {"FullyConnected", "FullyConnected_1", "FullyConnected_2", "BatchNormalization",
                              "BatchNormalization_1", "BatchNormalization_2"}) {
      EXPECT_EQ(graph.Find(Path(scope) / Path(layer)).shape(), (Shape{kBatch, 512}));
    }
  }
}

TEST(VariationalAutoencoder, KeepsTheTutorialsCollections) {
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph);
  const auto expect = [&](std::string_view key, Node node) {
    EXPECT_EQ(graph.collections().at(std::string(key)), std::vector<NodeId>{node.id()}) << key;
  };
  EXPECT_EQ(graph.collections().size(), 3u);
  expect("layer_tensor/Encoder", vae.encoder.sample);
  expect("layer_tensor/Decoder", vae.decoder.mean);
  expect("layer_tensor/Loss", vae.loss.total);
}

TEST(VariationalAutoencoder, IsALegalGraph) {
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph);
  Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
  EXPECT_NO_THROW(Verify(graph));
  // What the lint says is known: biases before batch normalisation, and automatic names, both the tutorial's.
  for (const Finding& finding : Lint(graph, std::vector<Node>{vae.loss.total})) {
    EXPECT_TRUE(finding.code == "dead-bias" || finding.code == "automatic-name") << finding.sentence;
  }
}

TEST(BuildDecoder, AloneHasTheSameVariables) {
  Graph whole, alone;
  BuildVariationalAutoencoder(whole);
  const Decoder decoder = BuildDecoder(Placeholder(alone, "Z", {kBatch, 2}));
  EXPECT_EQ(decoder.mean.name(), Path("Decoder/Mean"));
  std::istringstream lines(VariableList(whole));
  std::string expected;
  size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Decoder/")) continue;
    expected += line + "\n";
    ++count;
  }
  EXPECT_EQ(count, 20u);
  EXPECT_EQ(VariableList(alone), expected);
}

TEST(VariationalAutoencoder, RefusesSizesBelowOne) {
  for (const VaeConfig& config : {VaeConfig{.pixels = 0}, VaeConfig{.hidden_units = 0}, VaeConfig{.hidden_layers = 0},
                                  VaeConfig{.latent_units = 0}}) {
    Graph graph;
    EXPECT_NE(Thrown([&] { BuildVariationalAutoencoder(graph, config); }).find("got 0"), std::string::npos);
  }
}

// ---- Numbers ------------------------------------------------------------------------------------------------------

constexpr VaeConfig kGolden = {.pixels = 20, .hidden_units = 16, .latent_units = 2, .dtype = DType::kFloat64};

VaeConfig GoldenConfig(DType dtype) {
  VaeConfig config = kGolden;
  config.dtype = dtype;
  return config;
}

// The golden model, in either element type.
struct GoldenVae {
  explicit GoldenVae(DType dtype) : vae(BuildVariationalAutoencoder(graph, GoldenConfig(dtype))) {
    for (const auto& [name, value] : golden.Within("vae/initial")) store.Set(name, value.Cast(dtype));
  }

  // Row block `i` of an input.
  Tensor Batch(const std::string& name, int64_t i) const {
    const Tensor& all = golden["vae/" + name];
    return all.Rows(i, i + 1).Reshaped({all.shape()[1], all.shape()[2]}).Cast(vae.x.dtype());
  }

  GoldenFile golden;
  Graph graph;
  VariationalAutoencoder vae;
  VariableStore store;
};

TEST(VaeBesidePyTorch, HasTheSameLossInInference) {
  GoldenVae g(DType::kFloat64);
  Session session(g.graph, g.store, {.threads = 1});
  const Tensor x = g.Batch("x", 0), noise = g.Batch("noise", 0);
  const auto results = session.Run({{g.vae.x, x}, {g.vae.encoder.epsilon, noise}},
                                   {g.vae.loss.total, g.vae.loss.reconstruction, g.vae.loss.divergence});
  EXPECT_LE(RelativeError(results[0], g.golden["vae/inference/loss"]), 1e-12);
  EXPECT_LE(RelativeError(results[1], g.golden["vae/inference/reconstruction"]), 1e-12);
  EXPECT_LE(RelativeError(results[2], g.golden["vae/inference/divergence"]), 1e-12);
}

TEST(VaeBesidePyTorch, HasTheSameLossAndGradientsInTraining) {
  GoldenVae g(DType::kFloat64);
  std::vector<Node> fetches = {g.vae.loss.total, g.vae.loss.reconstruction, g.vae.loss.divergence}, variables;
  const auto gradients = g.golden.Within("vae/gradient");
  for (const auto& [name, gradient] : gradients) variables.push_back(g.graph.Find(name));
  for (Node gradient : Gradients(g.vae.loss.total, variables)) fetches.push_back(gradient);
  Session session(g.graph, g.store, {.threads = 1});
  const Tensor x = g.Batch("x", 0), noise = g.Batch("noise", 0);
  const Feed feeds[] = {{g.vae.x, x}, {g.vae.encoder.epsilon, noise}};
  const auto results = session.Step(feeds, fetches);
  EXPECT_LE(RelativeError(results[0], g.golden["vae/training/loss"]), 1e-12);
  EXPECT_LE(RelativeError(results[1], g.golden["vae/training/reconstruction"]), 1e-12);
  EXPECT_LE(RelativeError(results[2], g.golden["vae/training/divergence"]), 1e-12);
  ASSERT_EQ(gradients.size(), 30u);
  size_t i = 3;
  // The gradient of a bias before batch normalisation is zero up to rounding: compared with the size of the others.
  for (const auto& [name, gradient] : gradients) EXPECT_LE(RelativeError(results[i++], gradient, 1e-2), 1e-11) << name;
}

TEST(VaeBesidePyTorch, WeighsTheDivergenceInTrainingOnly) {
  GoldenVae g(DType::kFloat64);
  Session session(g.graph, g.store, {.threads = 1});
  const Tensor x = g.Batch("x", 0), noise = g.Batch("noise", 0), beta = Tensor::Scalar(0.25);
  // In inference nothing reads the weight.
  EXPECT_LE(RelativeError(
                session.Run({{g.vae.x, x}, {g.vae.encoder.epsilon, noise}, {g.vae.loss.beta, beta}}, g.vae.loss.total),
                g.golden["vae/inference/loss"]),
            1e-12);
  const auto loss =
      session.Step({{g.vae.x, x}, {g.vae.encoder.epsilon, noise}, {g.vae.loss.beta, beta}}, {g.vae.loss.total});
  EXPECT_LE(RelativeError(loss[0], g.golden["vae/training/loss_beta_0.25"]), 1e-12);
}

// 100 steps over 4 batches with fresh noise; the last loss as a number.
double TrainAsGolden(GoldenVae& g) {
  Minimize(g.vae.loss.total, Adam{.learning_rate = 1e-3});
  Session session(g.graph, g.store, {.threads = 1});
  Initialize(g.graph, g.store);
  double loss = 0;
  for (int64_t step = 0; step < 100; ++step) {
    const Tensor x = g.Batch("x", step % 4), noise = g.Batch("noise", step);
    loss = session.Step({{g.vae.x, x}, {g.vae.encoder.epsilon, noise}}, {g.vae.loss.total})[0]
               .Cast(DType::kFloat64)
               .values<double>()[0];
  }
  return loss;
}

TEST(VaeBesidePyTorch, HasTheSameWeightsAfterAHundredStepsOfAdam) {
  GoldenVae g(DType::kFloat64);
  const double loss = TrainAsGolden(g), expected = g.golden.Scalar("vae/after/loss");
  EXPECT_NEAR(loss, expected, 1e-9 * expected);
  for (const auto& [name, value] : g.golden.Within("vae/after")) {
    if (name == "loss") continue;
    // The gradient of a bias before batch normalisation is rounding alone, 1e-17, and ε = 1e-8 is what Adam divides it
    // by.
    const bool is_dead_bias = name.find("FullyConnected") != std::string::npos && name.ends_with("/b");
    EXPECT_LE(RelativeError(g.store.Get(name), value, 1e-2), is_dead_bias ? 1e-8 : 1e-9) << name;
  }
}

TEST(VaeBesidePyTorch, HasTheSameLossInSinglePrecision) {
  GoldenVae g(DType::kFloat32);
  Session session(g.graph, g.store, {.threads = 1});
  const Tensor x = g.Batch("x", 0), noise = g.Batch("noise", 0);
  const auto loss = session.Step({{g.vae.x, x}, {g.vae.encoder.epsilon, noise}}, {g.vae.loss.total});
  EXPECT_LE(RelativeError(loss[0], g.golden["vae/training/loss"]), 2e-6);
  EXPECT_LE(RelativeError(loss[0], g.golden["vae/training/loss_f32"]), 2e-6);
}

TEST(VaeBesidePyTorch, StaysCloseForAHundredStepsInSinglePrecision) {
  GoldenVae g(DType::kFloat32);
  const double loss = TrainAsGolden(g), expected = g.golden.Scalar("vae/after/loss");
  EXPECT_NEAR(loss, expected, 1e-3 * expected);
}

// The gradients of a scalar of the golden model in training, with the golden noise.
GradientReport Check(GoldenVae& g, Node target, int64_t max_elements) {
  const Tensor x = g.Batch("x", 0), noise = g.Batch("noise", 0);
  std::vector<Node> variables;
  for (const auto& [name, gradient] : g.golden.Within("vae/gradient")) variables.push_back(g.graph.Find(name));
  return CheckGradients(target, variables, g.store,
                        {.feeds = {{g.vae.x, x}, {g.vae.encoder.epsilon, noise}},
                         .mode = Mode::kTraining,
                         .max_elements = max_elements,
                         .session = {.threads = 1}});
}

TEST(VariationalAutoencoder, HasTheGradientsOfDifferenceQuotients) {
  GoldenVae g(DType::kFloat64);
  const GradientReport report = Check(g, g.vae.loss.total, 16);
  EXPECT_TRUE(report.ok()) << ToString(report);
  EXPECT_GT(report.slopes, 100u);
}

// Σ g² over all gradients g: its own gradient needs the second derivatives of everything, batch normalisation included.
TEST(VariationalAutoencoder, HasTheSecondDerivativesOfDifferenceQuotients) {
  GoldenVae g(DType::kFloat64);
  const Minimization training = Minimize(g.vae.loss.total, SGD{});
  const GradientReport report = Check(g, Square(training.global_norm), 2);
  EXPECT_TRUE(report.ok()) << ToString(report);
  EXPECT_GT(report.slopes, 100u);
}

// The Hessian of the whole loss times a direction, beside the difference of the gradients on both sides; and that the
// Hessian is symmetric.
TEST(VariationalAutoencoder, HasAHessianThatIsTheDifferenceOfGradients) {
  GoldenVae g(DType::kFloat64);
  std::vector<Node> variables;
  for (const auto& [name, gradient] : g.golden.Within("vae/gradient")) variables.push_back(g.graph.Find(name));
  const std::vector<Node> gradients = Gradients(g.vae.loss.total, variables);
  std::mt19937_64 random(1);
  std::vector<Tensor> p, q;
  std::vector<Node> fed;
  Node along = Constant(g.graph, 0, DType::kFloat64);
  for (const Node& gradient : gradients) {
    p.push_back(RandomTensor(DType::kFloat64, gradient.shape(), random));
    q.push_back(RandomTensor(DType::kFloat64, gradient.shape(), random));
    fed.push_back(Placeholder(g.graph, "P" + std::to_string(fed.size()), gradient.shape(), {.dtype = DType::kFloat64}));
    along = along + ReduceSum(gradient * fed.back());
  }
  const std::vector<Node> products = Gradients(along, variables, {.unconnected = Unconnected::kZero});
  Session session(g.graph, g.store, {.threads = 1});
  const Tensor x = g.Batch("x", 0), noise = g.Batch("noise", 0);
  const auto run = [&](const std::vector<Node>& fetches, const std::vector<Tensor>& direction) {
    std::vector<Feed> feeds = {{g.vae.x, x}, {g.vae.encoder.epsilon, noise}};
    for (size_t i = 0; i < fed.size(); ++i) feeds.push_back({fed[i], direction[i]});
    return session.Step(feeds, fetches);
  };
  const auto gradients_at = [&](double distance) {
    std::vector<Tensor> origin;
    for (size_t i = 0; i < variables.size(); ++i) {
      origin.push_back(g.store.Get(variables[i].name()));
      Tensor moved = origin.back();
      for (size_t e = 0; e < moved.values<double>().size(); ++e)
        moved.values<double>()[e] += distance * p[i].values<double>()[e];
      g.store.Set(variables[i].name(), moved);
    }
    const std::vector<Tensor> result = run(gradients, p);
    for (size_t i = 0; i < variables.size(); ++i) g.store.Set(variables[i].name(), origin[i]);
    return result;
  };
  constexpr double kStep = 1e-5;  // small beside the distance of the nearest kink; the error is of the order h⁴
  const auto quotient = [&](double h) {
    std::vector<Tensor> above = gradients_at(h);
    const std::vector<Tensor> below = gradients_at(-h);
    for (size_t i = 0; i < above.size(); ++i) {
      for (size_t e = 0; e < above[i].values<double>().size(); ++e) {
        double& value = above[i].values<double>()[e];
        value = (value - below[i].values<double>()[e]) / (2 * h);
      }
    }
    return above;
  };
  const std::vector<Tensor> hp = run(products, p), hq = run(products, q), wide = quotient(kStep),
                            narrow = quotient(kStep / 2);
  double error = 0, size = 0, asymmetry = 0, terms = 0;
  for (size_t i = 0; i < hp.size(); ++i) {
    for (size_t e = 0; e < hp[i].values<double>().size(); ++e) {
      const auto at = [e](const Tensor& tensor) { return tensor.values<double>()[e]; };
      error += std::pow((4 * at(narrow[i]) - at(wide[i])) / 3 - at(hp[i]), 2);
      size += std::pow(at(hp[i]), 2);
      asymmetry += at(q[i]) * at(hp[i]) - at(p[i]) * at(hq[i]);
      terms += std::abs(at(q[i]) * at(hp[i])) + std::abs(at(p[i]) * at(hq[i]));
    }
  }
  EXPECT_LE(std::sqrt(error), 1e-5 * std::sqrt(size));
  EXPECT_LE(std::abs(asymmetry), 1e-10 * terms);
  RecordProperty("error", std::to_string(std::sqrt(error / size) / 1e-9) + "e-9");
  RecordProperty("asymmetry", std::to_string(std::abs(asymmetry) / terms / 1e-16) + "e-16");
}

// ---- Noise --------------------------------------------------------------------------------------------------------

// A small model with its first weights.
struct SmallVae {
  SmallVae() { Initialize(graph, store); }

  Graph graph;
  VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, {.pixels = 6, .hidden_units = 4});
  VariableStore store{graph};
  Session session{graph, store, {.threads = 1}};
  Tensor x = Tensor::Of<float>({2, 6}, {0, 1, 0.5, 0, 0, 1, 1, 1, 0, 0.25, 0, 0});
};

TEST(VariationalAutoencoder, SamplesWithTheNoiseThatIsFed) {
  SmallVae s;
  const Encoder& encoder = s.vae.encoder;
  const Tensor zeros(DType::kFloat32, {2, 2}), noise = Tensor::Of<float>({2, 2}, {1, -1, 2, 0});
  const auto mean = s.session.Run({{s.vae.x, s.x}, {encoder.epsilon, zeros}}, {encoder.sample, encoder.mean});
  EXPECT_EQ(mean[0], mean[1]);
  const auto fed = s.session.Run({{s.vae.x, s.x}, {encoder.epsilon, noise}},
                                 {encoder.sample, encoder.mean, encoder.standard_deviation});
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_FLOAT_EQ(fed[0].values<float>()[i],
                    fed[1].values<float>()[i] + fed[2].values<float>()[i] * noise.values<float>()[i]);
  }
}

TEST(VariationalAutoencoder, DrawsFreshNoiseInEachStep) {
  SmallVae s;
  const auto draw = [&] { return s.session.Step({{s.vae.x, s.x}}, {s.vae.encoder.epsilon})[0]; };
  const Tensor first = draw(), second = draw();
  EXPECT_FALSE(first == second);
  s.session.set_run_number(0);
  EXPECT_EQ(draw(), first);
}

}  // namespace
}  // namespace weft
