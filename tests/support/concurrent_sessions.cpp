// A small network with noise, a gradient step, and threads that use it.
#include "weft/tests/support/concurrent_sessions.h"

#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/scope.h"
#include "weft/ops/operators.h"

namespace weft {
namespace {

struct Network {
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 24});
  Node w = Variable("W", 0.1 * RandomNormal(graph, "W/Initial", {24, 40}));
  Node v = Variable("V", 0.1 * RandomNormal(graph, "V/Initial", {40, 3}));
  Node hidden = Tanh(MatMul(x, w)) + 0.1 * RandomNormalLike("Noise", MatMul(x, w));
  Node y = Named("Y", MatMul(hidden, v));
  Node loss = Named("Loss", ReduceMean(Square(y - 1.0)));
  VariableStore store{graph};

  Network() {
    const auto gradients = Gradients(loss, {w, v});
    graph.AddUpdate(w, w - 0.1 * gradients[0]);
    graph.AddUpdate(v, v - 0.1 * gradients[1]);
    Initialize(graph, store, {.threads = 1});
  }
  static Tensor Input(int64_t rows) {
    Tensor input(DType::kFloat32, {rows, 24});
    for (size_t i = 0; i < input.values<float>().size(); ++i)
      input.values<float>()[i] = static_cast<float>(i % 13) * 0.25F - 1.5F;
    return input;
  }
};

}  // namespace

void ExpectSameBitsFromSessionsAtOnce(const ConcurrentSessions& size) {
  Network network;
  const Tensor input = Network::Input(9);
  const Tensor expected = Session(network.graph, network.store, {.threads = 1}).Run({{network.x, input}}, network.y);
  std::atomic<int> different = 0, running = size.sessions, passing = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < size.sessions; ++i) {
    threads.emplace_back([&] {
      Session session(network.graph, network.store, {.threads = size.threads_each});
      for (int run = 0; run < size.runs_each || passing == 0; ++run)  // a thread may be late on a busy machine
        different += session.Run({{network.x, input}}, network.y) == expected ? 0 : 1;
      --running;
    });
  }
  for (; running > 0; ++passing) {
    Session session(network.graph, network.store, {.threads = size.threads_each});
    different += session.Run({{network.x, input}}, network.y) == expected ? 0 : 1;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
  EXPECT_GT(passing, 0);
}

void ExpectInferenceBesideTraining(int steps) {
  const auto train = [steps](Network& network) {
    Session session(network.graph, network.store, {.threads = 2});
    for (int step = 0; step < steps; ++step) session.Step({{network.x, Network::Input(33)}}, {network.loss});
  };
  Network alone, shared;
  train(alone);
  std::atomic<bool> is_training = true;
  std::atomic<int> runs = 0, bad = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      Session lasting(shared.graph, shared.store, {.threads = 1});
      while (is_training) {
        Session passing(shared.graph, shared.store, {.threads = 1});
        const Tensor y = (i == 0 ? passing : lasting).Run({{shared.x, Network::Input(2)}}, shared.y);
        bad += std::isfinite(y.values<float>()[0]) ? 0 : 1;
        ++runs;
      }
    });
  }
  train(shared);
  while (runs == 0) std::this_thread::yield();
  is_training = false;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
  for (const Path& path : alone.store.Paths()) EXPECT_EQ(alone.store.Get(path), shared.store.Get(path)) << path.str();
}

}  // namespace weft
