// Session: runs a graph over a store. Fetch any node, feed any node: what is fed is not computed.
//
//   VariableStore variables(graph);
//   Initialize(graph, variables, {.seed = 1});
//   Session session(graph, variables);
//   Tensor y = session.Run({{x, value}}, output);
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <vector>

#include "weft/graph/compile/compile.h"
#include "weft/graph/runtime/run_errors.h"
#include "weft/graph/runtime/variable_store.h"

namespace weft {

class RunObserver;
class TaskRunner;
class Workspace;

struct Feed {
  Node node;
  const Tensor& value;
};

struct SessionOptions {
  int threads = 0;               // 0: as many as the machine has; ignored if a runner is given
  TaskRunner* runner = nullptr;  // the host's; must outlive the session
  uint64_t seed = 1;             // of all random nodes
  bool fuse = true;
  bool reuse_memory = true;
  // Once it is requested every run throws CancelledError: one that is under way within a step, unless it updates
  // variables, which it then does to the end.
  std::stop_token stop = {};
};

// One program with memory of its own, run again and again without allocating. Not for two threads at once.
class PreparedRun {
 public:
  PreparedRun(PreparedRun&&) noexcept;
  PreparedRun& operator=(PreparedRun&&) noexcept;
  ~PreparedRun();

  // The planned bytes of a placeholder or fed node, to be filled before each Run. Throws GraphError if the program does
  // not read it.
  std::span<std::byte> Input(Node node);
  template <class T>
  std::span<T> Input(Node node) {
    RequireElements(kDTypeOf<T>, node.dtype());
    const auto bytes = Input(node);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  bool Reads(Node node) const;
  // Throws GraphError if a variable is not initialised (naming all of them) and from within an op, which would wait for
  // itself; NumericError if a guard is not finite (naming the first node that is not; no variable was changed);
  // OpError, CancelledError.
  void Run();
  // Fetch number `i` of the last run, as bytes; valid until the next one.
  std::span<const std::byte> Output(size_t i) const;
  template <class T>
  std::span<const T> Output(size_t i) const {
    RequireElements(kDTypeOf<T>, OutputDType(i));
    const auto bytes = Output(i);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  const Program& program() const;
  // Runs once and then `runs` times (at least 1), step by step on this thread, and returns the median seconds of each
  // step of program().steps. A run like any other: variables are updated, and it throws what Run throws.
  std::vector<double> Profile(int runs);

 private:
  friend class Session;
  static void RequireElements(DType got, DType expected);
  DType OutputDType(size_t i) const;
  struct State;
  explicit PreparedRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct PrepareOptions {
  Mode mode = Mode::kInference;
  bool updates = false;
  int64_t batch = -1;             // the value of N
  std::vector<Node> fed = {};     // nodes other than placeholders that Input will give
  std::vector<Node> guards = {};  // scalars that must be finite, else Run throws NumericError and updates nothing
  // A run that takes turns with this one and has room for it: they use the same memory. What Input has given is then to
  // be filled again before each Run, and outputs are valid until either runs.
  const PreparedRun* shares_memory_with = nullptr;
};

struct InitializeOptions {
  uint64_t seed = 1;
  int threads = 0;  // as of a session; the values do not depend on their number
  TaskRunner* runner = nullptr;
};

class Session {
 public:
  // The store must outlive the session; variables of the graph that it does not know yet are declared in it.
  Session(Graph& graph, VariableStore& store, const SessionOptions& options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Inference: one run, several fetches, no updates. May be called by several threads at once.
  std::vector<Tensor> Run(std::initializer_list<Feed> feeds, std::initializer_list<Node> fetches) {
    return Run(std::span(feeds.begin(), feeds.size()), std::span(fetches.begin(), fetches.size()));
  }
  Tensor Run(std::initializer_list<Feed> feeds, Node fetch) { return std::move(Run(feeds, {fetch})[0]); }
  std::vector<Tensor> Run(std::span<const Feed> feeds, std::span<const Node> fetches);
  // Training: the same with training mode and all updates, and the run number advances.
  std::vector<Tensor> Step(std::span<const Feed> feeds, std::span<const Node> fetches);
  std::vector<Tensor> Step(std::initializer_list<Feed> feeds, std::initializer_list<Node> fetches) {
    return Step(std::span(feeds.begin(), feeds.size()), std::span(fetches.begin(), fetches.size()));
  }

  PreparedRun Prepare(std::span<const Node> fetches, const PrepareOptions& options = {});  // throws as Compile
  PreparedRun Prepare(std::initializer_list<Node> fetches, const PrepareOptions& options = {}) {
    return Prepare(std::span(fetches.begin(), fetches.size()), options);
  }

  // Runs that begin from now on report to it, one at a time; nullptr: to nobody. It must outlive them.
  void Observe(RunObserver* observer);

  // The number that random nodes see: 0 before the first step.
  uint64_t run_number() const;
  void set_run_number(uint64_t number);
  int threads() const;
  Graph& graph() const;
  VariableStore& store() const;

 private:
  friend class PreparedRun;
  friend void Initialize(Graph& graph, VariableStore& store, const InitializeOptions& options);
  // Computes each value and writes it to its variable.
  void Assign(std::vector<Graph::Pair> assignments);
  struct State;
  std::unique_ptr<State> state_;
};

// Gives every variable of the graph that has no value yet its initial value.
void Initialize(Graph& graph, VariableStore& store, const InitializeOptions& options = {});

}  // namespace weft
