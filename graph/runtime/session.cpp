// Sessions, prepared runs, and the cache of programs.
#include "weft/graph/runtime/session.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/executor.h"
#include "weft/graph/runtime/tbb_runner.h"
#include "weft/graph/runtime/workspace.h"

namespace weft {

struct Session::State {
  Graph& graph;
  VariableStore& store;
  SessionOptions options;
  std::unique_ptr<TbbRunner> own_runner;
  TaskRunner* runner;  // nullptr: one thread
  std::atomic<uint64_t> run_number = 0;
  std::atomic<RunObserver*> observer = nullptr;

  struct Key {
    std::vector<NodeId> fetches, fed, guards;
    Mode mode;
    bool updates;
    int64_t batch;
    std::vector<Graph::Pair> assignments = {};
    auto operator<=>(const Key&) const = default;
  };
  std::mutex mutex;  // of the two below
  std::map<Key, std::shared_ptr<const Program>> programs;
  std::map<Key, std::vector<std::unique_ptr<PreparedRun::State>>> idle;  // runs that Run and Step use again

  std::shared_ptr<const Program> ProgramFor(const Key& key);
  std::unique_ptr<PreparedRun::State> Take(const Key& key);
  Key KeyOf(std::span<const Node> fetches, const PrepareOptions& prepare) const;
  std::vector<Tensor> RunOnce(std::span<const Feed> feeds, std::span<const Node> fetches, Mode mode, bool updates);
};

struct PreparedRun::State {
  Session::State& session;
  Session::State::Key key;
  std::shared_ptr<const Program> program;
  Workspace workspace;
  std::vector<VariableStore::Entry*> entries;  // of program->variables
  bool bound = false;
  std::vector<char> is_given;    // of program->inputs: the caller fills it
  std::vector<Tensor> defaults;  // of program->inputs

  State(Session::State& owner, Session::State::Key k, std::shared_ptr<const Program> p,
        const std::shared_ptr<Pages>& memory = nullptr)
      : session(owner),
        key(std::move(k)),
        program(std::move(p)),
        workspace(*program, memory),
        is_given(program->inputs.size(), 0) {
    for (const ProgramInput& input : program->inputs) defaults.push_back(DefaultOf(input));
    if (!shares_memory()) FillDefaults();
  }
  ~State() { ReleaseVariables(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::span<std::byte> InputBytes(const ProgramInput& input) {
    const TensorType& type = program->graph.type(input.node);
    return {workspace.buffer(input.buffer), static_cast<size_t>(ByteSize(type.dtype, type.shape))};
  }

  void FillDefault(size_t input) {
    std::ranges::copy(std::as_const(defaults[input]).bytes(), InputBytes(program->inputs[input]).begin());
  }

  Tensor DefaultOf(const ProgramInput& input) const {
    if (!input.has_default) return Tensor();
    const TensorType& type = program->graph.type(input.node);
    Tensor value(DType::kFloat64, type.shape);
    std::ranges::fill(value.values<double>(), input.default_value);
    return value.Cast(type.dtype);
  }

  bool shares_memory() const { return workspace.memory().use_count() > 1; }

  // Of inputs that the caller leaves alone.
  void FillDefaults() {
    for (size_t i = 0; i < program->inputs.size(); ++i) {
      if (program->inputs[i].has_default && is_given[i] == 0) FillDefault(i);
    }
  }

  const ProgramInput* FindInput(const Path& name) const {
    const NodeId id = program->graph.FindId(name);
    const auto found = std::ranges::lower_bound(program->inputs, id, {}, &ProgramInput::node);  // inputs stand by id
    return found != program->inputs.end() && found->node == id ? &*found : nullptr;
  }

  Layout LayoutOf(const ProgramVariable& variable) const { return program->buffers[variable.buffer].layout; }

  // Looks the variables up once: memory that is held does not move.
  void BindVariables() {
    ReleaseVariables();  // of an attempt that threw
    entries.reserve(program->variables.size());
    for (const ProgramVariable& variable : program->variables) {
      VariableStore::Entry* entry = session.store.Find(program->graph.name(variable.node));
      if (entry == nullptr)
        throw GraphError(
            fmt::format("variable '{}': not declared in the store", program->graph.name(variable.node).str()));
      const TensorType& type = program->graph.type(variable.node);
      if (entry->type().dtype != type.dtype || entry->type().shape != type.shape) {
        throw GraphError(fmt::format("variable '{}': got {} in the store, expected {}",
                                     program->graph.name(variable.node).str(), ToString(entry->type()),
                                     ToString(type)));
      }
      workspace.Bind(variable.buffer, entry->Hold(LayoutOf(variable)));
      entries.push_back(entry);
    }
    bound = true;
  }

  void PrepareVariables() {
    for (size_t i = 0; i < entries.size(); ++i) {
      const ProgramVariable& variable = program->variables[i];
      entries[i]->Prepare(LayoutOf(variable), variable.written);
    }
  }

  void ReleaseVariables() {
    for (size_t i = 0; i < entries.size(); ++i) entries[i]->Release(LayoutOf(program->variables[i]));
    entries.clear();
  }

  void RequireInitialised() const {
    std::string names;
    size_t count = 0;
    constexpr size_t kNamed = 5;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i]->initialised || !program->variables[i].read) continue;
      if (++count <= kNamed)
        names +=
            fmt::format("{}'{}'", names.empty() ? "" : ", ", program->graph.name(program->variables[i].node).str());
    }
    if (count == 0) return;
    throw GraphError(fmt::format("run: {} variable{} not initialised: {}{}; Initialize or Restore them first", count,
                                 count == 1 ? " is" : "s are", names, count > kNamed ? ", …" : ""));
  }

  void Execute(uint64_t run_number) {
    // Half of the updates would be worse than a step that was not wanted.
    const std::stop_token stop = program->has_updates() ? std::stop_token() : session.options.stop;
    Execute(run_number, [&] { weft::Execute(*program, workspace, session.runner, stop, session.observer.load()); });
  }

  // With whatever runs the steps.
  template <class RunSteps>
  void Execute(uint64_t run_number, const RunSteps& run_steps) {
    if (IsInsideStep()) throw GraphError("run: got a call from within an op, which would wait for itself");
    RequireNotCancelled();
    if (!bound) BindVariables();
    if (shares_memory()) FillDefaults();  // the other run may have written over them
    std::shared_lock<std::shared_mutex> shared(session.store.mutex(), std::defer_lock);
    std::unique_lock<std::shared_mutex> alone(session.store.mutex(), std::defer_lock);
    if (program->has_updates()) alone.lock();
    else shared.lock();
    RequireInitialised();
    PrepareVariables();
    if (program->random_state != Program::kNoBuffer) {
      const int64_t state[] = {static_cast<int64_t>(session.options.seed), static_cast<int64_t>(run_number)};
      std::memcpy(workspace.buffer(program->random_state), state, sizeof(state));
    }
    run_steps();
    if (workspace.stopped()) {
      if (!program->has_updates()) RequireNotCancelled();
      throw NumericError(DescribeFirstBadNode(run_number));
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      if (program->variables[i].written) entries[i]->initialised = true;  // others are read by others at the same time
    }
  }

  void RequireNotCancelled() const {
    if (session.options.stop.stop_requested()) throw CancelledError("run: cancelled by its host");
  }

  std::string DescribeFirstBadNode(uint64_t run_number);
};

// ---- The first bad node ---------------------------------------------------------------------------------------------

namespace {

// The first element that is not finite, or −1.
template <class T>
int64_t FirstBad(const std::byte* data, int64_t count) {
  const T* values = reinterpret_cast<const T*>(data);
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return i;
  }
  return -1;
}

int64_t FirstBad(const TensorType& type, const std::byte* data) {
  if (type.dtype == DType::kFloat32) return FirstBad<float>(data, ElementCount(type.shape));
  if (type.dtype == DType::kFloat64) return FirstBad<double>(data, ElementCount(type.shape));
  return -1;
}

std::string RangeOf(const TensorType& type, const std::byte* data) {
  const int64_t count = IsFloating(type.dtype) ? ElementCount(type.shape) : 0;
  if (count == 0) return std::string(ToString(type));
  const auto at = [&](int64_t i) {
    return type.dtype == DType::kFloat32 ? static_cast<double>(reinterpret_cast<const float*>(data)[i])
                                         : reinterpret_cast<const double*>(data)[i];
  };
  double low = at(0), high = at(0);
  for (int64_t i = 1; i < count; ++i) {
    low = std::fmin(low, at(i));
    high = std::fmax(high, at(i));
  }
  return fmt::format("{:.4g} … {:.4g}", low, high);
}

class Search : public RunObserver {
 public:
  Search(const Program& program, Workspace& workspace) : program_(program), workspace_(workspace) {}

  StepId found() const { return found_; }

  void Begin(const Program&) override {}
  void Ran(const RanPiece& piece) noexcept override {
    if (found_ != kNoStep) return;
    for (BufferId write : program_.steps[piece.step].writes) {
      const Buffer& buffer = program_.buffers[write];
      if (buffer.node != kNoNode && FirstBad(program_.graph.type(buffer.node), workspace_.buffer(write)) >= 0)
        found_ = piece.step;
    }
  }

 private:
  const Program& program_;
  Workspace& workspace_;
  StepId found_ = kNoStep;
};

}  // namespace

// Runs the same inputs once more, one step a node and without updates: the bits are the same, so the first bad number
// is.
std::string PreparedRun::State::DescribeFirstBadNode(uint64_t run_number) {
  const auto plain = Compile(session.graph, {.fetches = key.guards,
                                             .fed = key.fed,
                                             .batch = key.batch,
                                             .mode = key.mode,
                                             .fuse = false,
                                             .reuse_memory = false});
  State again(session, key, plain);
  again.BindVariables();
  again.PrepareVariables();
  for (const ProgramInput& input : plain->inputs) {
    const ProgramInput* from = FindInput(plain->graph.name(input.node));
    if (from != nullptr)
      std::memcpy(again.InputBytes(input).data(), InputBytes(*from).data(), InputBytes(*from).size());
  }
  if (plain->random_state != Program::kNoBuffer) {
    const int64_t state[] = {static_cast<int64_t>(session.options.seed), static_cast<int64_t>(run_number)};
    std::memcpy(again.workspace.buffer(plain->random_state), state, sizeof(state));
  }
  Search search(*plain, again.workspace);
  weft::Execute(*plain, again.workspace, nullptr, {}, &search);
  if (search.found() == kNoStep) return "run: a guard is not finite";
  const Step& step = plain->steps[search.found()];
  std::string text = fmt::format("node '{}' ({}): not finite", plain->graph.name(step.origin).str(),
                                 *plain->graph.op(step.origin).name);
  for (BufferId read : step.reads) {
    const Buffer& buffer = plain->buffers[read];
    if (buffer.node != kNoNode)
      text += fmt::format("; operand '{}' {}", plain->graph.name(buffer.node).str(),
                          RangeOf(plain->graph.type(buffer.node), again.workspace.buffer(read)));
  }
  return text + "; no variable was changed";
}

// ---- Prepared runs --------------------------------------------------------------------------------------------------

PreparedRun::PreparedRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
PreparedRun::PreparedRun(PreparedRun&&) noexcept = default;
PreparedRun& PreparedRun::operator=(PreparedRun&&) noexcept = default;
PreparedRun::~PreparedRun() = default;

std::span<std::byte> PreparedRun::Input(Node node) {
  if (const ProgramInput* input = state_->FindInput(node.name())) {
    state_->is_given[static_cast<size_t>(input - state_->program->inputs.data())] = 1;
    return state_->InputBytes(*input);
  }
  throw GraphError(fmt::format("input '{}': the fetches do not depend on it", node.name().str()));
}

bool PreparedRun::Reads(Node node) const { return state_->FindInput(node.name()) != nullptr; }

void PreparedRun::Run() {
  Session::State& session = state_->session;
  const uint64_t number = session.run_number.load();
  state_->Execute(number);
  if (state_->program->has_updates()) session.run_number.store(number + 1);
}

namespace {

// Of steps that run in one piece each.
class StepTimes : public RunObserver {
 public:
  explicit StepTimes(size_t steps) : seconds_(steps) {}

  void Begin(const Program&) override {
    for (std::vector<double>& seconds : seconds_) seconds.push_back(0);  // of a step without blocks
  }
  void Ran(const RanPiece& piece) noexcept override {
    seconds_[piece.step].back() = std::chrono::duration<double>(piece.ended - piece.started).count();
  }

  std::vector<double> Medians() {
    std::vector<double> medians;
    for (std::vector<double>& seconds : seconds_) {
      const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
      std::ranges::nth_element(seconds, middle);
      medians.push_back(*middle);
    }
    return medians;
  }

 private:
  std::vector<std::vector<double>> seconds_;  // [step][run]
};

}  // namespace

std::vector<double> PreparedRun::Profile(int runs) {
  const Program& plan = program();
  Session::State& session = state_->session;
  StepTimes times(plan.steps.size());
  Run();
  for (int i = 0; i < std::max(runs, 1); ++i) {
    const uint64_t number = session.run_number.load();
    state_->Execute(number, [&] { weft::Execute(plan, state_->workspace, nullptr, {}, &times); });
    if (plan.has_updates()) session.run_number.store(number + 1);
  }
  return times.Medians();
}

std::span<const std::byte> PreparedRun::Output(size_t i) const {
  const Program& program = *state_->program;
  if (i >= program.outputs.size())
    throw GraphError(fmt::format("output: got number {}, expected fewer than {}", i, program.outputs.size()));
  const TensorType& type = program.output_types[i];
  return {state_->workspace.buffer(program.outputs[i]), static_cast<size_t>(ByteSize(type.dtype, type.shape))};
}

const Program& PreparedRun::program() const { return *state_->program; }

void PreparedRun::RequireElements(DType got, DType expected) {
  if (got != expected) throw GraphError(fmt::format("elements: got {}, expected {}", Name(got), Name(expected)));
}

DType PreparedRun::OutputDType(size_t i) const { return state_->program->output_types.at(i).dtype; }

// ---- Sessions -------------------------------------------------------------------------------------------------------

Session::Session(Graph& graph, VariableStore& store, const SessionOptions& options) {
  std::unique_ptr<TbbRunner> own;
  if (options.runner == nullptr && options.threads != 1) own = std::make_unique<TbbRunner>(options.threads);
  TaskRunner* const runner = options.runner != nullptr ? options.runner : own.get();
  // NOLINTNEXTLINE(modernize-make-unique): an aggregate with a mutex can neither be made by it nor moved
  state_ = std::unique_ptr<State>(new State{.graph = graph,
                                            .store = store,
                                            .options = options,
                                            .own_runner = std::move(own),
                                            .runner = runner,
                                            .mutex = {},
                                            .programs = {},
                                            .idle = {}});
  store.Declare(graph);
}

Session::~Session() = default;

Session::State::Key Session::State::KeyOf(std::span<const Node> fetches, const PrepareOptions& prepare) const {
  const auto ids = [this](std::span<const Node> nodes) {
    std::vector<NodeId> list;
    for (Node node : nodes) {
      if (&node.graph() != &graph) throw GraphError("run: got a node of another graph");
      list.push_back(node.id());
    }
    return list;
  };
  return {.fetches = ids(fetches),
          .fed = ids(prepare.fed),
          .guards = ids(prepare.guards),
          .mode = prepare.mode,
          .updates = prepare.updates,
          .batch = prepare.batch};
}

std::shared_ptr<const Program> Session::State::ProgramFor(const Key& key) {
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Program>& program = programs[key];
  if (program == nullptr) {
    program = Compile(graph, {.fetches = key.fetches,
                              .updates = key.updates,
                              .assignments = key.assignments,
                              .fed = key.fed,
                              .guards = key.guards,
                              .batch = key.batch,
                              .mode = key.mode,
                              .fuse = options.fuse,
                              .reuse_memory = options.reuse_memory});
  }
  return program;
}

std::unique_ptr<PreparedRun::State> Session::State::Take(const Key& key) {
  auto program = ProgramFor(key);
  {
    const std::lock_guard lock(mutex);
    auto& list = idle[key];
    if (!list.empty()) {
      auto state = std::move(list.back());
      list.pop_back();
      return state;
    }
  }
  return std::make_unique<PreparedRun::State>(*this, key, std::move(program));
}

PreparedRun Session::Prepare(std::span<const Node> fetches, const PrepareOptions& options) {
  const auto key = state_->KeyOf(fetches, options);
  const PreparedRun* const other = options.shares_memory_with;
  return PreparedRun(std::make_unique<PreparedRun::State>(*state_, key, state_->ProgramFor(key),
                                                          other ? other->state_->workspace.memory() : nullptr));
}

namespace {

// The value of N, from the first fed placeholder that has it; −1 if none has. Checks all the others against it.
int64_t BatchOf(std::span<const Feed> feeds) {
  int64_t batch = -1;
  for (const Feed& feed : feeds) {
    const TensorType& type = feed.node.type();
    const Shape& shape = feed.value.shape();
    const auto fail = [&] {
      throw GraphError(fmt::format("feed '{}': got {}, expected {}{}", feed.node.name().str(),
                                   ToString(feed.value.type()), ToString(TensorType{type.dtype, type.shape}),
                                   batch < 0 ? "" : fmt::format(" with N = {}", batch)));
    };
    if (feed.value.dtype() != type.dtype || shape.rank() != type.shape.rank()) fail();
    for (size_t axis = 0; axis < shape.rank(); ++axis) {
      if (type.shape[axis].is_batch() && batch < 0) batch = shape[axis].length();
      if (shape[axis] != (type.shape[axis].is_batch() ? Dim(batch) : type.shape[axis])) fail();
    }
  }
  return batch;
}

}  // namespace

std::vector<Tensor> Session::State::RunOnce(std::span<const Feed> feeds, std::span<const Node> fetches, Mode mode,
                                            bool updates) {
  std::map<std::string_view, const Feed*> by_name;
  std::vector<Node> fed;
  for (const Feed& feed : feeds) {
    if (!by_name.emplace(feed.node.name().str(), &feed).second)
      throw GraphError(fmt::format("feed '{}': given twice", feed.node.name().str()));
    if (feed.node.op().is_source(SourceKind::kConstant))
      throw GraphError(fmt::format("feed '{}': is a constant", feed.node.name().str()));
    if (!feed.node.op().is_source(SourceKind::kPlaceholder)) fed.push_back(feed.node);
  }
  const Key key = KeyOf(fetches, {.mode = mode, .updates = updates, .batch = BatchOf(feeds), .fed = std::move(fed)});
  auto state = Take(key);
  const Program& program = *state->program;
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    const ProgramInput& input = program.inputs[i];
    const Path& name = program.graph.name(input.node);
    if (const auto feed = by_name.find(name.str()); feed != by_name.end())
      std::ranges::copy(feed->second->value.bytes(), state->InputBytes(input).begin());
    else if (input.has_default) state->FillDefault(i);
    else
      throw GraphError(
          fmt::format("feed '{}': missing, expected {}", name.str(), ToString(program.graph.type(input.node))));
  }
  const uint64_t number = run_number.load();
  state->Execute(number);
  if (updates) run_number.store(number + 1);
  std::vector<Tensor> results;
  for (size_t i = 0; i < fetches.size(); ++i) {
    const TensorType& type = program.output_types[i];
    Tensor result(type.dtype, type.shape);
    std::memcpy(result.bytes().data(), state->workspace.buffer(program.outputs[i]), result.bytes().size());
    results.push_back(std::move(result));
  }
  const std::lock_guard lock(mutex);
  idle[key].push_back(std::move(state));
  return results;
}

std::vector<Tensor> Session::Run(std::span<const Feed> feeds, std::span<const Node> fetches) {
  return state_->RunOnce(feeds, fetches, Mode::kInference, false);
}

std::vector<Tensor> Session::Step(std::span<const Feed> feeds, std::span<const Node> fetches) {
  return state_->RunOnce(feeds, fetches, Mode::kTraining, true);
}

void Session::Observe(RunObserver* observer) { state_->observer.store(observer); }

uint64_t Session::run_number() const { return state_->run_number.load(); }
void Session::set_run_number(uint64_t number) { state_->run_number.store(number); }
int Session::threads() const { return state_->runner == nullptr ? 1 : state_->runner->concurrency(); }
Graph& Session::graph() const { return state_->graph; }
VariableStore& Session::store() const { return state_->store; }

void Session::Assign(std::vector<Graph::Pair> assignments) {
  const Session::State::Key key = {.fetches = {},
                                   .fed = {},
                                   .guards = {},
                                   .mode = Mode::kInference,
                                   .updates = false,
                                   .batch = -1,
                                   .assignments = std::move(assignments)};
  PreparedRun::State(*state_, key, state_->ProgramFor(key)).Execute(state_->run_number.load());
}

namespace {

bool IsZeros(const Graph& graph, NodeId id) {
  if (graph.op(id).traits.broadcasts) id = graph.operands(id)[0];
  if (!graph.op(id).is_source(SourceKind::kConstant)) return false;
  const Tensor& value = *graph.attributes(id).Get<std::shared_ptr<const Tensor>>("value");
  return std::ranges::all_of(value.bytes(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

void Initialize(Graph& graph, VariableStore& store, const InitializeOptions& options) {
  store.Declare(graph);
  std::vector<Graph::Pair> drawn;
  for (const auto& [variable, value] : graph.initial_values()) {
    VariableStore::Entry& entry = *store.Find(graph.name(variable));
    if (entry.initialised) continue;
    if (!IsZeros(graph, value)) {
      drawn.emplace_back(variable, value);
      continue;
    }
    const std::unique_lock lock(store.mutex());
    entry.SetZeros();
    entry.initialised = true;
  }
  if (drawn.empty()) return;
  Session(graph, store, {.threads = options.threads, .runner = options.runner, .seed = options.seed})
      .Assign(std::move(drawn));
}

}  // namespace weft
