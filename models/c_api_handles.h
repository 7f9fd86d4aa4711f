// What the handles of the C API hold, and how its calls end: not for users, who see c_api.h alone.
#pragma once

#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/graph/runtime/session.h"
#include "weft/models/c_api.h"

namespace weft::c_api {

// A session and what it works on, in the order of their making.
struct SessionParts {
  std::shared_ptr<Graph> graph;
  std::shared_ptr<VariableStore> variables;
  std::unique_ptr<TaskRunner> runner;  // of a host's arena
  std::stop_source stop;
  Session session;
};

// Fills `error`, if there is one, from the exception that is being handled.
weft_status Report(weft_error* error) noexcept;
weft_status ReportSuccess(weft_error* error) noexcept;

// Calls `action`, which may throw anything.
template <class Action>
weft_status Guarded(weft_error* error, const Action& action) noexcept {
  try {
    action();
    return ReportSuccess(error);
  } catch (...) {
    return Report(error);
  }
}

// Throws GraphError for NULL: "`what`: got NULL, expected …".
void RequireNotNull(const void* pointer, std::string_view what);

// Lets *handle be what `make` returns, a unique_ptr; NULL if it throws.
template <class Handle, class Make>
weft_status Create(Handle** handle, weft_error* error, const Make& make) noexcept {
  if (handle != nullptr) *handle = nullptr;
  return Guarded(error, [&] {
    RequireNotNull(handle, "result");
    *handle = make().release();
  });
}

// Handles are aggregates, for which clang 14 has no parentheses.
template <class Handle, class... Parts>
std::unique_ptr<Handle> NewHandle(Parts&&... parts) {
  return std::unique_ptr<Handle>(new Handle{std::forward<Parts>(parts)...});
}

TensorType FromC(const weft_type& type);
weft_type ToC(const TensorType& type);

// A copy of the numbers. Throws GraphError for a NULL name or data and for what is no shape.
Tensor TensorOf(const weft_input& input);

// The node of that name; throws GraphError with the nearest spelling.
Node Find(Graph& graph, const char* name);
std::vector<Node> Find(Graph& graph, const char* const* names, size_t count, std::string_view what);

}  // namespace weft::c_api

struct weft_graph {
  std::shared_ptr<weft::Graph> graph;
};

struct weft_variables {
  std::shared_ptr<weft::VariableStore> store;
};

struct weft_session {
  std::shared_ptr<weft::c_api::SessionParts> parts;
};

struct weft_run {
  std::shared_ptr<weft::c_api::SessionParts> parts;
  weft::PreparedRun run;
};

struct weft_values {
  std::vector<weft::Tensor> tensors;
};
