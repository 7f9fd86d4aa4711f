// Sessions of the C API: runs, steps, and runs that are prepared.
#include <algorithm>
#include <utility>

#include "weft/graph/error.h"
#include "weft/graph/runtime/tbb_runner.h"
#include "weft/models/c_api_handles.h"

using namespace weft;
using namespace weft::c_api;

namespace {

std::unique_ptr<weft_session> SessionOver(const weft_graph& graph, const weft_variables& variables,
                                          const weft_session_options& options) {
  if (options.threads < 0) throw GraphError("threads: got " + std::to_string(options.threads) + ", expected 0 or more");
  std::unique_ptr<TaskRunner> host;
  if (options.use_host_arena != 0) host = std::make_unique<TbbRunner>(TbbRunner::HostArena());
  TaskRunner* const runner = host.get();
  const std::stop_source stop;
  // NOLINTNEXTLINE(modernize-make-unique): an aggregate with a session can neither be made by it nor moved
  return NewHandle<weft_session>(std::shared_ptr<SessionParts>(new SessionParts{
      graph.graph, variables.store, std::move(host), stop,
      Session(*graph.graph, *variables.store,
              {.threads = options.threads, .runner = runner, .seed = options.seed, .stop = stop.get_token()})}));
}

// What both weft_session_run and weft_session_step do; `run` is the member of Session.
template <class Run>
weft_status RunOnce(weft_session* session, const weft_input* inputs, size_t input_count, const char* const* outputs,
                    size_t output_count, weft_values** values, weft_error* error, const Run& run) {
  return Create(values, error, [&] {
    RequireNotNull(session, "session");
    if (input_count > 0) RequireNotNull(inputs, "inputs");
    Graph& graph = *session->parts->graph;
    std::vector<Tensor> tensors;
    std::vector<Feed> feeds;
    tensors.reserve(input_count);
    for (size_t i = 0; i < input_count; ++i) {
      tensors.push_back(TensorOf(inputs[i]));
      feeds.push_back({Find(graph, inputs[i].name), tensors.back()});
    }
    const std::vector<Node> fetches = Find(graph, outputs, output_count, "outputs");
    return NewHandle<weft_values>(run(session->parts->session, feeds, fetches));
  });
}

TensorType TypeOfInput(const Program& program, Node node) {
  const NodeId id = program.graph.FindId(node.name());
  return program.graph.type(id);
}

}  // namespace

weft_status weft_session_create(weft_graph* graph, weft_variables* variables, const weft_session_options* options,
                                weft_session** session, weft_error* error) {
  return Create(session, error, [&] {
    RequireNotNull(graph, "graph");
    RequireNotNull(variables, "variables");
    return SessionOver(*graph, *variables, options != nullptr ? *options : weft_session_options{0, 0, 1});
  });
}

int weft_session_threads(const weft_session* session) {
  return session == nullptr ? 0 : session->parts->session.threads();
}

uint64_t weft_session_run_number(const weft_session* session) {
  return session == nullptr ? 0 : session->parts->session.run_number();
}

void weft_session_set_run_number(weft_session* session, uint64_t number) {
  if (session != nullptr) session->parts->session.set_run_number(number);
}

void weft_session_cancel(weft_session* session) {
  if (session != nullptr) session->parts->stop.request_stop();
}

void weft_session_destroy(weft_session* session) { delete session; }

weft_status weft_session_run(weft_session* session, const weft_input* inputs, size_t input_count,
                             const char* const* outputs, size_t output_count, weft_values** values, weft_error* error) {
  return RunOnce(session, inputs, input_count, outputs, output_count, values, error,
                 [](Session& s, const auto& feeds, const auto& fetches) { return s.Run(feeds, fetches); });
}

weft_status weft_session_step(weft_session* session, const weft_input* inputs, size_t input_count,
                              const char* const* outputs, size_t output_count, weft_values** values,
                              weft_error* error) {
  return RunOnce(session, inputs, input_count, outputs, output_count, values, error,
                 [](Session& s, const auto& feeds, const auto& fetches) { return s.Step(feeds, fetches); });
}

size_t weft_values_count(const weft_values* values) { return values == nullptr ? 0 : values->tensors.size(); }

const void* weft_values_data(const weft_values* values, size_t index, weft_type* type) {
  if (index >= weft_values_count(values)) return nullptr;
  const Tensor& tensor = values->tensors[index];
  if (type != nullptr) *type = ToC(tensor.type());
  return tensor.bytes().data();
}

void weft_values_destroy(weft_values* values) { delete values; }

weft_status weft_run_prepare(weft_session* session, const weft_run_options* options, const char* const* outputs,
                             size_t output_count, weft_run** run, weft_error* error) {
  return Create(run, error, [&] {
    RequireNotNull(session, "session");
    RequireNotNull(options, "options");
    SessionParts& parts = *session->parts;
    const bool training = options->training != 0;
    const PrepareOptions prepare = {.mode = training ? Mode::kTraining : Mode::kInference,
                                    .updates = training,
                                    .batch = options->batch,
                                    .fed = Find(*parts.graph, options->fed, options->fed_count, "fed"),
                                    .guards = Find(*parts.graph, options->guards, options->guard_count, "guards")};
    const std::vector<Node> fetches = Find(*parts.graph, outputs, output_count, "outputs");
    return NewHandle<weft_run>(session->parts, parts.session.Prepare(fetches, prepare));
  });
}

weft_status weft_run_input(weft_run* run, const char* node, weft_type* type, void** data, weft_error* error) {
  if (data != nullptr) *data = nullptr;
  return Guarded(error, [&] {
    RequireNotNull(run, "run");
    RequireNotNull(data, "data");
    const Node input = Find(*run->parts->graph, node);
    *data = run->run.Input(input).data();
    if (type != nullptr) *type = ToC(TypeOfInput(run->run.program(), input));
  });
}

weft_status weft_run_execute(weft_run* run, weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(run, "run");
    run->run.Run();
  });
}

const void* weft_run_output(const weft_run* run, size_t index, weft_type* type) {
  if (run == nullptr || index >= run->run.program().output_types.size()) return nullptr;
  if (type != nullptr) *type = ToC(run->run.program().output_types[index]);
  return run->run.Output(index).data();
}

void weft_run_destroy(weft_run* run) { delete run; }
