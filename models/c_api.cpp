// Errors, graphs and variables of the C API; c_api_session.cpp has what runs.
#include "weft/models/c_api.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/run_errors.h"
#include "weft/graph/views/text.h"
#include "weft/models/c_api_handles.h"
#include "weft/models/model_text.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/all_ops.h"

namespace weft::c_api {
namespace {

weft_status Fill(weft_error* error, weft_status status, std::string_view message) noexcept {
  if (error == nullptr) return status;
  error->status = status;
  size_t length = std::min(message.size(), sizeof(error->message) - 1);
  if (length < message.size()) {
    while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0) == 0x80) --length;  // within a character
  }
  message.copy(error->message, length);
  error->message[length] = '\0';
  return status;
}

// Where both have the same meaning: the order of weft_dtype is that of DType.
constexpr std::array kDTypes = {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kBool};

Path ScopeOf(const char* scope) { return scope == nullptr ? Path() : Path(std::string(scope)); }

template <class T>
Optimizer WithRate(double learning_rate) {
  T optimizer;
  if (learning_rate != 0) optimizer.learning_rate = learning_rate;
  return optimizer;
}

Optimizer OptimizerOf(const weft_optimizer& optimizer) {
  switch (optimizer.kind) {
    case WEFT_SGD: return WithRate<SGD>(optimizer.learning_rate);
    case WEFT_MOMENTUM: return WithRate<Momentum>(optimizer.learning_rate);
    case WEFT_NESTEROV: return WithRate<Nesterov>(optimizer.learning_rate);
    case WEFT_RMSPROP: return WithRate<RMSProp>(optimizer.learning_rate);
    case WEFT_ADAGRAD: return WithRate<AdaGrad>(optimizer.learning_rate);
    case WEFT_ADAM: return WithRate<Adam>(optimizer.learning_rate);
    case WEFT_ADAMW: return WithRate<AdamW>(optimizer.learning_rate);
  }
  throw GraphError(
      fmt::format("optimizer: got kind {}, expected one of weft_optimizer_kind", static_cast<int>(optimizer.kind)));
}

}  // namespace

weft_status ReportSuccess(weft_error* error) noexcept { return Fill(error, WEFT_OK, ""); }

weft_status Report(weft_error* error) noexcept {
  try {
    throw;
  } catch (const CancelledError& e) {
    return Fill(error, WEFT_CANCELLED, e.what());
  } catch (const GraphError& e) {
    return Fill(error, WEFT_INVALID, e.what());
  } catch (const CheckpointError& e) {
    return Fill(error, WEFT_BAD_FILE, e.what());
  } catch (const NumericError& e) {
    return Fill(error, WEFT_NOT_FINITE, e.what());
  } catch (const ResourceError& e) {
    return Fill(error, WEFT_RESOURCE, e.what());
  } catch (const std::bad_alloc&) {
    return Fill(error, WEFT_RESOURCE, "memory: there is not enough of it");
  } catch (const std::system_error& e) {
    return Fill(error, WEFT_SYSTEM, e.what());
  } catch (const std::exception& e) {
    return Fill(error, WEFT_FAILED, e.what());
  } catch (...) {
    return Fill(error, WEFT_FAILED, "something was thrown that is no std::exception");
  }
}

void RequireNotNull(const void* pointer, std::string_view what) {
  if (pointer == nullptr) throw GraphError(fmt::format("{}: got NULL, expected an address", what));
}

TensorType FromC(const weft_type& type) {
  if (type.dtype < WEFT_F32 || type.dtype > WEFT_BOOL)
    throw GraphError(fmt::format("type: got element type {}, expected {} … {}", type.dtype, +WEFT_F32, +WEFT_BOOL));
  if (type.rank > WEFT_MAX_RANK)
    throw GraphError(fmt::format("type: got rank {}, expected at most {}", type.rank, WEFT_MAX_RANK));
  std::vector<Dim> dims;
  for (size_t axis = 0; axis < type.rank; ++axis) {
    dims.push_back(type.shape[axis] == WEFT_BATCH ? kBatch : Dim(type.shape[axis]));
  }
  return {.dtype = kDTypes[static_cast<size_t>(type.dtype)], .shape = Shape(dims)};
}

weft_type ToC(const TensorType& type) {
  weft_type result = {};
  result.dtype = static_cast<weft_dtype>(std::ranges::find(kDTypes, type.dtype) - kDTypes.begin());
  result.rank = type.shape.rank();
  for (size_t axis = 0; axis < result.rank; ++axis) {
    result.shape[axis] = type.shape[axis].is_batch() ? WEFT_BATCH : type.shape[axis].length();
  }
  return result;
}

Tensor TensorOf(const weft_input& input) {
  RequireNotNull(input.name, "name of an input");
  const TensorType type = FromC(input.type);
  Tensor tensor(type.dtype, type.shape);
  if (tensor.size() == 0) return tensor;
  RequireNotNull(input.data, fmt::format("data of '{}'", Escaped(input.name)));
  std::memcpy(tensor.bytes().data(), input.data, tensor.bytes().size());
  return tensor;
}

Node Find(Graph& graph, const char* name) {
  RequireNotNull(name, "name of a node");
  return graph.Find(Path(std::string(name)));
}

std::vector<Node> Find(Graph& graph, const char* const* names, size_t count, std::string_view what) {
  if (count > 0) RequireNotNull(names, what);
  std::vector<Node> nodes;
  for (size_t i = 0; i < count; ++i) nodes.push_back(Find(graph, names[i]));
  return nodes;
}

}  // namespace weft::c_api

using namespace weft;
using namespace weft::c_api;

const char* weft_version(void) { return WEFT_VERSION; }

size_t weft_byte_size(const weft_type* type) {
  size_t bytes = 0;
  const weft_status status = Guarded(nullptr, [&] {
    RequireNotNull(type, "type");
    const TensorType known = FromC(*type);
    bytes = static_cast<size_t>(ByteSize(known.dtype, known.shape));
  });
  return status == WEFT_OK ? bytes : 0;
}

// ---- Graphs ---------------------------------------------------------------------------------------------------------

weft_status weft_graph_parse(const char* text, size_t length, weft_graph** graph, weft_error* error) {
  return Create(graph, error, [&] {
    RequireNotNull(text, "text");
    return NewHandle<weft_graph>(std::make_shared<Graph>(ParseText({text, length}, FindOp)));
  });
}

weft_status weft_graph_model(const char* text, size_t length, weft_graph** graph, weft_error* error) {
  return Create(graph, error, [&] {
    RequireNotNull(text, "text");
    auto result = NewHandle<weft_graph>(std::make_shared<Graph>());
    ParseModel(*result->graph, {text, length});
    return result;
  });
}

weft_status weft_graph_vae(const weft_vae_config* config, weft_graph** graph, weft_error* error) {
  return Create(graph, error, [&] {
    VaeConfig sizes;
    if (config != nullptr) {
      sizes.pixels = config->pixels;
      sizes.hidden_units = config->hidden_units;
      sizes.hidden_layers = config->hidden_layers;
      sizes.latent_units = config->latent_units;
    }
    auto result = NewHandle<weft_graph>(std::make_shared<Graph>());
    BuildVariationalAutoencoder(*result->graph, sizes);
    return result;
  });
}

weft_status weft_graph_minimize(weft_graph* graph, const char* loss, const weft_optimizer* optimizer,
                                weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(graph, "graph");
    RequireNotNull(optimizer, "optimizer");
    MinimizeOptions options;
    if (optimizer->clip_global_norm != 0) options.clip_global_norm = optimizer->clip_global_norm;
    Minimize(Find(*graph->graph, loss), OptimizerOf(*optimizer), options);
  });
}

weft_status weft_graph_type(const weft_graph* graph, const char* node, weft_type* type, weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(graph, "graph");
    RequireNotNull(type, "type");
    *type = ToC(Find(*graph->graph, node).type());
  });
}

weft_status weft_graph_text(const weft_graph* graph, char** text, weft_error* error) {
  return Create(text, error, [&] {
    RequireNotNull(graph, "graph");
    const std::string whole = ToText(*graph->graph);
    auto copy = std::make_unique<char[]>(whole.size() + 1);
    whole.copy(copy.get(), whole.size());
    return copy;
  });
}

void weft_text_destroy(char* text) { delete[] text; }
void weft_graph_destroy(weft_graph* graph) { delete graph; }

// ---- Variables ------------------------------------------------------------------------------------------------------

weft_status weft_variables_create(const weft_graph* graph, weft_variables** variables, weft_error* error) {
  return Create(variables, error, [&] {
    RequireNotNull(graph, "graph");
    return NewHandle<weft_variables>(std::make_shared<VariableStore>(*graph->graph));
  });
}

weft_status weft_variables_initialize(weft_variables* variables, weft_graph* graph, uint64_t seed, weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(variables, "variables");
    RequireNotNull(graph, "graph");
    Initialize(*graph->graph, *variables->store, {.seed = seed});
  });
}

weft_status weft_variables_restore(weft_variables* variables, const char* file, const char* scope, weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(variables, "variables");
    RequireNotNull(file, "file");
    Restore(file, {.scope = ScopeOf(scope)}, *variables->store);
  });
}

weft_status weft_variables_save(const weft_variables* variables, const char* file, const char* scope,
                                weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(variables, "variables");
    RequireNotNull(file, "file");
    Save(*variables->store, file, {.scope = ScopeOf(scope)});
  });
}

weft_status weft_variables_read(const weft_variables* variables, const char* path, weft_type* type, void* data,
                                size_t bytes, weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(variables, "variables");
    RequireNotNull(path, "path");
    RequireNotNull(type, "type");
    const Tensor& value = variables->store->Get(Path(std::string(path)));
    *type = ToC(value.type());
    if (data == nullptr) return;
    if (bytes != value.bytes().size())
      throw GraphError(
          fmt::format("variable '{}': got room for {} bytes, expected {}", Escaped(path), bytes, value.bytes().size()));
    std::memcpy(data, value.bytes().data(), bytes);
  });
}

weft_status weft_variables_write(weft_variables* variables, const weft_input* value, weft_error* error) {
  return Guarded(error, [&] {
    RequireNotNull(variables, "variables");
    RequireNotNull(value, "value");
    const Tensor tensor = TensorOf(*value);
    const Path path{std::string(value->name)};
    if (variables->store->Find(path) == nullptr) (void)variables->store->Get(path);  // throws: names the nearest
    variables->store->Set(path, tensor);
  });
}

void weft_variables_destroy(weft_variables* variables) { delete variables; }
