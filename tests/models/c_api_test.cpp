// The C API: the same numbers as from C++.
#include "weft/models/c_api.h"

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <oneapi/tbb/task_arena.h>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/ops.h"
#include "weft/tests/models/c_api_training.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

using ::testing::HasSubstr;

constexpr VaeConfig kSmallConfig = {.pixels = 6, .hidden_units = 5, .hidden_layers = 1, .latent_units = 2};

TEST(CApi, TrainsWithTheBitsOfCpp) {
  Graph graph;
  const auto vae = BuildVariationalAutoencoder(graph, kSmallConfig);
  Minimize(vae.loss.total, Adam{.learning_rate = 0.01}, {.clip_global_norm = 5});
  VariableStore variables(graph);
  Initialize(graph, variables, {.seed = 7});
  Session session(graph, variables);
  const Tensor x = Tensor::Of({2, 6}, std::span<const float>(kPictures));
  std::vector<float> expected;
  for (int step = 0; step < 5; ++step) {
    expected.push_back(session.Step({{vae.x, x}}, {vae.loss.total})[0].values<float>()[0]);
  }

  Training training;
  EXPECT_EQ(training.Losses(5), expected);
  EXPECT_EQ(weft_session_run_number(training.session), 5u);
}

TEST(CApi, APreparedRunTrainsWithTheSameBits) {
  Training once, often;
  const char* const loss = "Loss/Total";
  const weft_run_options options = {1, 2, nullptr, 0, &loss, 1};
  CRun run;
  ASSERT_EQ(weft_run_prepare(often.session, &options, &loss, 1, run.out(), &often.error), WEFT_OK);
  std::vector<float> losses;
  for (int step = 0; step < 5; ++step) {
    void* x = nullptr;
    weft_type type = {};
    ASSERT_EQ(weft_run_input(run, "InputData/X", &type, &x, &often.error), WEFT_OK) << often.error.message;
    ASSERT_EQ(weft_byte_size(&type), sizeof(kPictures));
    std::memcpy(x, kPictures, sizeof(kPictures));
    ASSERT_EQ(weft_run_execute(run, &often.error), WEFT_OK) << often.error.message;
    losses.push_back(*static_cast<const float*>(weft_run_output(run, 0, &type)));
    EXPECT_EQ(type.rank, 0u);
  }
  EXPECT_EQ(losses, once.Losses(5));
  EXPECT_EQ(weft_run_output(run, 1, nullptr), nullptr);
}

TEST(CApi, RestoresAPartAndRunsIt) {
  const TemporaryDirectory directory;
  const std::string file = (directory / "model.safetensors").string();
  Training training;
  training.Losses(3);
  ASSERT_EQ(weft_variables_save(training.variables, file.c_str(), nullptr, &training.error), WEFT_OK);

  CGraph graph;
  CVariables variables;
  CSession session;
  weft_error error;
  ASSERT_EQ(weft_graph_vae(&kSmall, graph.out(), &error), WEFT_OK);
  ASSERT_EQ(weft_variables_create(graph, variables.out(), &error), WEFT_OK);
  ASSERT_EQ(weft_variables_restore(variables, file.c_str(), "Decoder", &error), WEFT_OK) << error.message;
  ASSERT_EQ(weft_session_create(graph, variables, nullptr, session.out(), &error), WEFT_OK);
  const float codes[] = {0.5f, -1, 2, 0};
  const weft_input z = {"Encoder/SampleLatentVariable", {WEFT_F32, 2, {2, 2}}, codes};
  const char* const picture = "Decoder/Mean";
  CValues values;
  ASSERT_EQ(weft_session_run(session, &z, 1, &picture, 1, values.out(), &error), WEFT_OK) << error.message;
  weft_type type = {};
  const void* const pixels = weft_values_data(values, 0, &type);
  ASSERT_EQ(weft_byte_size(&type), 12 * sizeof(float));

  Graph decoder_graph;
  Node code = Placeholder(decoder_graph, "Z", {kBatch, 2});
  Node mean = BuildDecoder(code, kSmallConfig).mean;
  VariableStore store(decoder_graph);
  Restore(file, {.scope = "Decoder"}, store);
  const Tensor expected =
      Session(decoder_graph, store).Run({{code, Tensor::Of({2, 2}, std::span<const float>(codes))}}, mean);
  EXPECT_EQ(std::memcmp(pixels, expected.bytes().data(), expected.bytes().size()), 0);

  // The encoder has no values: what needs it says so.
  const weft_input x = Pictures();
  const char* const loss = "Loss/Total";
  CValues none;
  EXPECT_EQ(weft_session_run(session, &x, 1, &loss, 1, none.out(), &error), WEFT_INVALID);
  EXPECT_THAT(std::string(error.message), HasSubstr("not initialised: 'Encoder/"));
  EXPECT_EQ(none, nullptr);
}

TEST(CApi, ReadsWhatItWrites) {
  Training training;
  weft_error& error = training.error;
  const char* const name = "Encoder/FullyConnected/b";
  const float written[] = {1, 2, 3, 4, 5};
  const weft_input value = {name, {WEFT_F32, 1, {5}}, written};
  ASSERT_EQ(weft_variables_write(training.variables, &value, &error), WEFT_OK) << error.message;
  float read[5] = {};
  weft_type type = {};
  ASSERT_EQ(weft_variables_read(training.variables, name, &type, read, sizeof(read), &error), WEFT_OK);
  EXPECT_EQ(std::memcmp(read, written, sizeof(read)), 0);
  EXPECT_EQ(type.shape[0], 5);
  EXPECT_EQ(weft_variables_read(training.variables, name, &type, nullptr, 0, &error), WEFT_OK);
  EXPECT_EQ(weft_variables_read(training.variables, name, &type, read, sizeof(read) - 1, &error), WEFT_INVALID);
  EXPECT_THAT(std::string(error.message), HasSubstr("'Encoder/FullyConnected/b': got room for 19 bytes, expected 20"));
}

TEST(CApi, TheTextOfAGraphMakesTheSameGraph) {
  Training training;
  char* text = nullptr;
  ASSERT_EQ(weft_graph_text(training.graph, &text, nullptr), WEFT_OK);
  CGraph again;
  ASSERT_EQ(weft_graph_parse(text, std::strlen(text), again.out(), nullptr), WEFT_OK);
  char* text_again = nullptr;
  ASSERT_EQ(weft_graph_text(again, &text_again, nullptr), WEFT_OK);
  EXPECT_STREQ(text_again, text);
  weft_type type = {};
  ASSERT_EQ(weft_graph_type(again, "InputData/X", &type, nullptr), WEFT_OK);
  EXPECT_EQ(type.dtype, WEFT_F32);
  EXPECT_EQ(type.rank, 2u);
  EXPECT_EQ(type.shape[0], WEFT_BATCH);
  EXPECT_EQ(type.shape[1], 6);
  EXPECT_EQ(weft_byte_size(&type), 0u);
  weft_text_destroy(text);
  weft_text_destroy(text_again);
}

TEST(CApi, AModelTextIsAGraph) {
  const std::string text = "weft model 1\nX = Placeholder([N, 3])\nY = Relu(X)\n";
  CGraph graph;
  weft_error error;
  ASSERT_EQ(weft_graph_model(text.data(), text.size(), graph.out(), &error), WEFT_OK) << error.message;
  weft_type type = {};
  ASSERT_EQ(weft_graph_type(graph, "Y", &type, &error), WEFT_OK) << error.message;
  EXPECT_EQ(type.shape[1], 3);
}

TEST(CApi, EveryOptimiserTrains) {
  for (const weft_optimizer_kind kind :
       {WEFT_SGD, WEFT_MOMENTUM, WEFT_NESTEROV, WEFT_RMSPROP, WEFT_ADAGRAD, WEFT_ADAM, WEFT_ADAMW}) {
    CGraph graph;
    weft_error error;
    ASSERT_EQ(weft_graph_vae(&kSmall, graph.out(), &error), WEFT_OK);
    const weft_optimizer optimizer = {kind, 0, 0};
    EXPECT_EQ(weft_graph_minimize(graph, "Loss/Total", &optimizer, &error), WEFT_OK) << error.message;
  }
}

TEST(CApi, ThreadsAreWhatTheHostSays) {
  const ManyThreads threads(3);  // a machine of two cores has three
  const weft_session_options two = {2, 0, 1}, host = {0, 1, 1};
  EXPECT_EQ(weft_session_threads(Training(&two).session), 2);
  oneapi::tbb::task_arena arena(3);
  std::vector<float> in_arena;
  arena.execute([&] {
    Training training(&host);
    EXPECT_EQ(weft_session_threads(training.session), 3);
    in_arena = training.Losses(3);
  });
  EXPECT_EQ(in_arena, Training(&two).Losses(3));
}

TEST(CApi, HandlesMayBeDestroyedInAnyOrder) {
  auto graph = std::make_unique<Training>();
  weft_session* session = nullptr;
  weft_run* run = nullptr;
  const char* const loss = "Loss/Total";
  const weft_run_options options = {0, 2, nullptr, 0, nullptr, 0};
  ASSERT_EQ(weft_session_create(graph->graph, graph->variables, nullptr, &session, nullptr), WEFT_OK);
  graph.reset();
  ASSERT_EQ(weft_run_prepare(session, &options, &loss, 1, &run, nullptr), WEFT_OK);
  weft_session_destroy(session);
  EXPECT_EQ(weft_run_execute(run, nullptr), WEFT_OK);
  weft_run_destroy(run);
  weft_graph_destroy(nullptr);
  weft_values_destroy(nullptr);
}

TEST(CApi, SeveralThreadsMayRunOneSession) {
  Training training;
  const auto run = [&](float* loss) {
    const weft_input x = Pictures();
    const char* const name = "Loss/Total";
    CValues values;
    weft_error error;
    ASSERT_EQ(weft_session_run(training.session, &x, 1, &name, 1, values.out(), &error), WEFT_OK) << error.message;
    *loss = *static_cast<const float*>(weft_values_data(values, 0, nullptr));
  };
  float losses[4] = {};
  std::vector<std::thread> threads;
  for (float& loss : losses) threads.emplace_back(run, &loss);
  for (std::thread& thread : threads) thread.join();
  for (float loss : losses) EXPECT_EQ(loss, losses[0]);
}

TEST(CApi, ACancelledSessionRunsNoMore) {
  Training training;
  weft_session_cancel(training.session);
  const weft_input x = Pictures();
  const char* const loss = "Loss/Total";
  CValues values;
  EXPECT_EQ(weft_session_run(training.session, &x, 1, &loss, 1, values.out(), &training.error), WEFT_CANCELLED);
  EXPECT_THAT(std::string(training.error.message), HasSubstr("cancelled"));
}

}  // namespace
}  // namespace weft
