// The stages, each over what those before it have made.
#include "weft/tests/support/memory_shortage.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weft/graph/compile/compile.h"
#include "weft/graph/error.h"
#include "weft/graph/lint.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/verify.h"
#include "weft/graph/views/dot.h"
#include "weft/graph/views/text.h"
#include "weft/models/training/checkpoint_directory.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/all_ops.h"
#include "weft/tests/support/allocations.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

constexpr size_t kMostFailures = 5'000;
constexpr int64_t kPixels = 6, kRows = 3;
const DotOptions kBoxes = {.gradient_depth = 1};

VariationalAutoencoder Build(Graph& graph) {
  return BuildVariationalAutoencoder(graph, {.pixels = kPixels, .hidden_units = 4, .hidden_layers = 1});
}

Minimization Train(const VariationalAutoencoder& vae) {
  return Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
}

// A model with values, and all that is done with it.
struct World {
  Graph graph;
  VariationalAutoencoder vae = Build(graph);
  Minimization training = Train(vae);
  VariableStore store{graph};
  Tensor x{DType::kFloat32, {kRows, kPixels}};
  TemporaryDirectory directory;
  std::string text, dot;

  World() {
    Initialize(graph, store, {.threads = 1});
    Save(store, directory / "file");
    CheckpointDirectory checkpoints(directory.path());
    checkpoints.Write(store, {.step = 1});
    text = ToText(graph);
    dot = ToDot(graph, kBoxes);
  }
};

struct Stage {
  std::string name;
  std::function<bool()> run;  // whether what it made is right
  // What must hold after a failure, and at the end.
  std::function<void()> check = nullptr;
  size_t failures = 0;
};

// True if it failed by an error, as it should where memory is short.
bool FailsInOrder(const Stage& stage, size_t k, bool and_later) {
  const FailingAllocation failing(k, and_later);
  try {
    if (!stage.run()) ADD_FAILURE() << stage.name << ", allocation " << k << ": nothing was thrown, and it is wrong";
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const Error&) {  // an op or a reader may say more than that memory is short
    return true;
  } catch (const std::exception& error) {
    ADD_FAILURE() << stage.name << ", allocation " << k << ": " << error.what();
    return true;
  }
  return false;
}

size_t FailAll(const Stage& stage, size_t stride, bool and_later) {
  size_t failures = 0;
  for (size_t k = 1; k <= kMostFailures; k += stride) {
    const size_t live = LiveAllocations();
    const bool failed = FailsInOrder(stage, k, and_later);
    const bool happened = FailingAllocation::happened();
    EXPECT_TRUE(happened || !failed) << stage.name;
    EXPECT_TRUE(failed || !and_later || !happened) << stage.name << " cannot do without allocation " << k;
    if (stage.check) {
      stage.check();
    } else {
      EXPECT_EQ(LiveAllocations(), live) << stage.name << " leaks when allocation " << k << " fails";
    }
    if (!happened) return failures;  // it is through
    ++failures;
    if (testing::Test::HasFailure()) return failures;
  }
  return failures;
}

// Stages that make everything anew.
std::vector<Stage> FreshStages(World& world) {
  return {
      {"build",
       [] {
         Graph graph;
         Build(graph);
         return true;
       }},
      {"gradients",
       [] {
         Graph graph;
         Train(Build(graph));
         return true;
       }},
      {"compile",
       [&] {
         Compile(world.graph, {.fetches = {world.vae.loss.total.id()},
                               .updates = true,
                               .guards = {world.vae.loss.total.id()},
                               .batch = kRows,
                               .mode = Mode::kTraining});
         return true;
       }},
      {"initialise and step",
       [&] {
         VariableStore store(world.graph);
         Initialize(world.graph, store, {.threads = 1});
         Session session(world.graph, store, {.threads = 1});
         session.Step({{world.vae.x, world.x}}, {world.vae.loss.total});
         return true;
       }},
      {"text", [&] { return ToText(world.graph) == world.text; }},
      {"parse", [&] { return ParseText(world.text, FindOp).size() == world.graph.size(); }},
      {"dot", [&] { return ToDot(world.graph, kBoxes) == world.dot; }},
      {"verify", [&] { return Verify(world.graph), true; }},
      {"lint",
       [&] {
         return !Lint(world.graph, {&world.vae.loss.total, 1}).empty();
       }},
      {"list", [&] { return ListGenerations(world.directory.path()).size() == 1; }},
  };
}

}  // namespace

Shortage RunShortOfMemory(size_t stride) {
  size_t failures = 0;
  const size_t before = LiveAllocations();
  {
    World world;
    Session session(world.graph, world.store, {.threads = 1});
    const auto loss = [&] { return session.Run({{world.vae.x, world.x}}, world.vae.loss.total); };
    const Tensor expected = loss();
    const auto is_usable = [&] { EXPECT_EQ(loss(), expected); };
    const std::set<std::string> names = world.directory.Names();
    const std::string bytes = ReadFile(world.directory / "file");

    std::vector<Stage> stages = FreshStages(world);
    stages.push_back({"run", [&] { return loss() == expected; }, is_usable});
    stages.push_back({"save", [&] { return Save(world.store, world.directory / "file"), true; },
                      [&] {
                        EXPECT_EQ(world.directory.Names(), names);
                        EXPECT_TRUE(ReadFile(world.directory / "file") == bytes);
                      }});
    stages.push_back(
        {"restore", [&] { return Restore(world.directory / "file", {}, world.store).missing.empty(); }, is_usable});
    stages.push_back({"restore a generation",
                      [&] {
                        const LatestGeneration latest = LatestValid(world.directory.path());
                        return latest.generation && !RestoreGeneration(*latest.generation, world.store).empty();
                      },
                      is_usable});
    for (Stage& stage : stages) {
      stage.run();  // what is made once and kept is made
      for (const bool and_later : {false, true}) failures += FailAll(stage, stride, and_later);
      if (testing::Test::HasFailure()) return {.failures = failures};
    }
    is_usable();
  }
  return {.failures = failures, .kept = LiveAllocations() - before};
}

}  // namespace weft
