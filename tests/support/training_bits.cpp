// The same training by a session, or straight by the executor in memory of its own.
#include "weft/tests/support/training_bits.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include "weft/graph/runtime/executor.h"
#include "weft/graph/runtime/session.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/tests/support/disturbed_runner.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/sha256.h"

namespace weft {
namespace {

// Wide enough that steps have several pieces, and odd enough that no length is a whole number of vectors.
constexpr int64_t kPixels = 99, kHidden = 161, kBatchRows = 65;
constexpr uint32_t kMostDelay = 200;  // µs

class Autoencoder {
 public:
  explicit Autoencoder(const TrainingRun& run, TaskRunner& runner)
      : steps_(run.steps),
        config_({.pixels = kPixels, .hidden_units = kHidden, .hidden_layers = 1, .dtype = run.dtype}),
        session_(graph_, store_, {.runner = &runner, .seed = 7}) {
    Initialize(graph_, store_, {.seed = 7, .runner = &runner});
  }

  std::string Train() {
    PreparedRun run = Prepared();
    for (int step = 0; step < steps_; ++step) {
      Fill(run.Input(vae_.x), step);
      run.Run();
      hash_.Add(run.Output(0));
    }
    return Hash();
  }

  std::string TrainAt(uint64_t places, TaskRunner& runner) {
    const PreparedRun prepared = Prepared();
    const Program& program = prepared.program();
    Workspace workspace(program);
    std::mt19937_64 random(places);
    Room arena(static_cast<size_t>(program.arena_bytes), random);
    for (BufferId id = 0; id < program.buffers.size(); ++id) {
      const Buffer& buffer = program.buffers[id];
      if (buffer.kind == BufferKind::kArena) workspace.Bind(id, arena.begin() + buffer.offset);
    }
    std::vector<Room> variables;
    for (const ProgramVariable& variable : program.variables) {
      const Buffer& buffer = program.buffers[variable.buffer];
      VariableStore::Entry& entry = *store_.Find(program.graph.name(variable.node));
      Room& room = variables.emplace_back(static_cast<size_t>(buffer.bytes), random);
      const std::byte* const from = entry.Hold(buffer.layout);
      entry.Prepare(buffer.layout, false);
      std::memcpy(room.begin(), from, static_cast<size_t>(buffer.bytes) - kAlignment);
      workspace.Bind(variable.buffer, room.begin());
    }
    for (int step = 0; step < steps_; ++step) {
      FillInputs(program, workspace, step);
      Execute(program, workspace, &runner);
      if (workspace.stopped()) throw std::runtime_error("a guard stopped the run");
      hash_.Add({workspace.buffer(program.outputs[0]), SizeOf(config_.dtype)});
    }
    for (size_t i = 0; i < variables.size(); ++i) {
      const Buffer& buffer = program.buffers[program.variables[i].buffer];
      VariableStore::Entry& entry = *store_.Find(program.graph.name(program.variables[i].node));
      entry.Prepare(buffer.layout, true);
      std::byte* const to = entry.Hold(buffer.layout);
      std::memcpy(to, variables[i].begin(), static_cast<size_t>(buffer.bytes) - kAlignment);
    }
    return Hash();
  }

 private:
  // Zeros, as the library's own memory is, somewhere in a page.
  class Room {
   public:
    Room(size_t bytes, std::mt19937_64& random) : memory_(bytes + 2 * kPage) {
      const auto address = reinterpret_cast<uintptr_t>(memory_.data());
      begin_ = memory_.data() + (kPage - address % kPage) + random() % (kPage / kAlignment) * kAlignment;
    }
    std::byte* begin() { return begin_; }

   private:
    static constexpr size_t kPage = 4096;
    std::vector<std::byte> memory_;
    std::byte* begin_;
  };

  PreparedRun Prepared() {
    PreparedRun run = session_.Prepare({vae_.loss.total}, {.mode = Mode::kTraining,
                                                           .updates = true,
                                                           .batch = kBatchRows,
                                                           .guards = {vae_.loss.total, minimization_.global_norm}});
    if (run.program().sequential) throw std::runtime_error("the training step is not worth several threads");
    return run;
  }

  // Grey values whose pattern moves from step to step.
  template <class T>
  static void FillAs(std::span<std::byte> bytes, int step) {
    const std::span values(reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T));
    auto state = static_cast<uint32_t>(step);
    for (size_t i = 0; i < values.size(); ++i) {
      state = state * 1664525 + 1013904223;
      const bool bright = (i / static_cast<size_t>(kPixels) + i + static_cast<size_t>(step)) % 3 == 0;
      values[i] = static_cast<T>((bright ? 192 : 0) + (state >> 26)) / T(256);
    }
  }
  void Fill(std::span<std::byte> bytes, int step) const {
    config_.dtype == DType::kFloat32 ? FillAs<float>(bytes, step) : FillAs<double>(bytes, step);
  }

  void FillInputs(const Program& program, Workspace& workspace, int step) const {
    for (const ProgramInput& input : program.inputs) {
      std::byte* const to = workspace.buffer(input.buffer);
      const TensorType& type = program.graph.type(input.node);
      if (program.graph.name(input.node) == vae_.x.name()) {
        Fill({to, static_cast<size_t>(ByteSize(type.dtype, type.shape))}, step);
      } else {  // scalars: learning rate, weight of the divergence
        const Tensor value = Tensor::Of<double>({}, {input.default_value}).Cast(type.dtype);
        std::ranges::copy(value.bytes(), to);
      }
    }
    const int64_t random_state[] = {7, step};
    std::memcpy(workspace.buffer(program.random_state), random_state, sizeof(random_state));
  }

  std::string Hash() {
    for (const Path& path : store_.Paths()) {
      hash_.Add(path.str());
      hash_.Add(store_.Get(path).bytes());
    }
    return hash_.Hex();
  }

  int steps_;
  VaeConfig config_;
  Graph graph_;
  VariationalAutoencoder vae_ = BuildVariationalAutoencoder(graph_, config_);
  Minimization minimization_ = Minimize(vae_.loss.total, Adam{}, {.clip_global_norm = 5});
  VariableStore store_{graph_};
  Session session_;
  Sha256 hash_;
};

// Work of the host's own, 20 µs a piece, as long as the object lives.
class BusyHost {
 public:
  BusyHost(oneapi::tbb::task_arena& arena, int threads)
      : thread_([this, &arena, threads] {
          while (!done_) {
            arena.execute([threads] {
              oneapi::tbb::parallel_for(0, threads, [](int) {
                const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
                while (std::chrono::steady_clock::now() < end) {}
              });
            });
            std::this_thread::sleep_for(std::chrono::microseconds(50));
          }
        }) {}
  ~BusyHost() {
    done_ = true;
    thread_.join();
  }
  BusyHost(const BusyHost&) = delete;
  BusyHost& operator=(const BusyHost&) = delete;

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace

const char* Name(Disturbance disturbance) {
  constexpr const char* kNames[] = {"none", "delays", "places", "busy arena"};
  return kNames[static_cast<size_t>(disturbance)];
}

TrainingBits RunTraining(const TrainingRun& run) {
  ManyThreads many(run.threads);
  TrainingBits bits{.hash = {}, .threads_met = many.CountMeeting(run.threads), .threads_seen = 0};
  const uint32_t delay = run.disturbance == Disturbance::kDelays ? kMostDelay : 0;
  const auto train = [&](TaskRunner& below) {
    DisturbedRunner runner(below, delay, run.seed);
    Autoencoder autoencoder(run, runner);
    bits.hash = run.disturbance == Disturbance::kPlaces ? autoencoder.TrainAt(run.seed, runner) : autoencoder.Train();
    bits.threads_seen = runner.threads_seen();
  };
  if (run.disturbance != Disturbance::kBusyArena) {
    train(many.runner());
    return bits;
  }
  oneapi::tbb::task_arena arena(run.threads + 1);  // a place for the host, too
  arena.initialize();
  const BusyHost host(arena, run.threads);
  arena.execute([&] {
    TbbRunner runner{TbbRunner::HostArena{}};
    train(runner);
  });
  return bits;
}

}  // namespace weft
