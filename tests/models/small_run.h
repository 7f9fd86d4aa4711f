// A small autoencoder in training, with everything that a resume must bring back.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/models/training/optimizers.h"
#include "weft/models/training/trainer.h"
#include "weft/models/variational_autoencoder.h"

namespace weft {

inline constexpr int64_t kPixels = 12, kSamples = 23, kBatchSize = 5, kStepsPerEpoch = 5, kValidationSamples = 7;

// Pictures of two kinds, the one the negative of the other, with some noise.
inline std::vector<uint8_t> SomePixels(int64_t samples, uint32_t state) {
  std::vector<uint8_t> pixels;
  for (int64_t i = 0; i < samples * kPixels; ++i) {
    const bool bright = (i / kPixels + i % kPixels) % 2 == 0;
    state = state * 1664525 + 1013904223;
    pixels.push_back(static_cast<uint8_t>((bright ? 200 : 0) + (state >> 24) % 56));
  }
  return pixels;
}

struct SmallRun {
  explicit SmallRun(int threads = 1, uint64_t seed = 1) : session(graph, store, {.threads = threads, .seed = seed}) {
    Initialize(graph, store, {.seed = seed});
  }

  Graph graph;
  VariationalAutoencoder vae =
      BuildVariationalAutoencoder(graph, {.pixels = kPixels, .hidden_units = 8, .hidden_layers = 1});
  Minimization training = Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
  VariableStore store{graph};
  Session session;
  std::vector<uint8_t> pixels = SomePixels(kSamples, 1), other = SomePixels(kValidationSamples, 2);
  Tensor noise = NormalRows(kValidationSamples, 2, 3);

  Dataset dataset() const { return {{vae.x, Rows::OfBytes(pixels, kSamples)}}; }
  Dataset validation() const {
    return {{vae.x, Rows::OfBytes(other, kValidationSamples)}, {vae.encoder.epsilon, Rows::Of(noise)}};
  }
  Objective objective() const {
    return {.loss = vae.loss.total,
            .watched = {{"reconstruction", vae.loss.reconstruction},
                        {"kl", vae.loss.divergence},
                        {"norm", training.global_norm, false}}};
  }
  FitOptions options(CheckpointDirectory* checkpoints = nullptr) const {
    return {.epochs = 3,
            .batch = kBatchSize,
            .seed = 9,
            .schedules = {{training.learning_rate, LinearWarmup(ConstantSchedule(0.01), 4)},
                          {vae.loss.beta, LinearWarmup(ConstantSchedule(1), 10)}},
            .guards = {training.global_norm},
            .validation = validation(),
            .validation_batch = 4,
            .checkpoints = checkpoints};
  }
  FitResult Fit(const FitOptions& o) { return weft::Fit(session, objective(), dataset(), o); }

  // All variables by path, bit by bit.
  std::map<std::string, Tensor> State() const {
    std::map<std::string, Tensor> state;
    for (const Path& path : store.Paths()) state.emplace(path.str(), store.Get(path));
    return state;
  }
};

inline void ExpectSameMeans(const Means& a, const Means& b) {
  EXPECT_EQ(a.loss, b.loss);
  ASSERT_EQ(a.watched.size(), b.watched.size());
  for (size_t i = 0; i < a.watched.size(); ++i) {
    EXPECT_TRUE(a.watched[i] == b.watched[i] || (std::isnan(a.watched[i]) && std::isnan(b.watched[i])));
  }
}

inline void ExpectSame(const SmallRun& a, const FitResult& result_a, const SmallRun& b, const FitResult& result_b) {
  EXPECT_EQ(a.State(), b.State());
  EXPECT_EQ(a.session.run_number(), b.session.run_number());
  EXPECT_EQ(result_a.steps, result_b.steps);
  EXPECT_EQ(result_a.epochs, result_b.epochs);
  ASSERT_TRUE(result_a.training && result_b.training && result_a.validation && result_b.validation);
  ExpectSameMeans(*result_a.training, *result_b.training);
  ExpectSameMeans(*result_a.validation, *result_b.validation);
}

}  // namespace weft
