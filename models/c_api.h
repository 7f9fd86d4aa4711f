// weft from C, and from whatever can call C: read or build a graph, restore a checkpoint, run any part of it, train it.
//
//   weft_error error;
//   weft_graph* graph = NULL;
//   weft_variables* variables = NULL;
//   weft_session* session = NULL;
//   if (weft_graph_vae(NULL, &graph, &error) != WEFT_OK ||
//       weft_variables_create(graph, &variables, &error) != WEFT_OK ||
//       weft_variables_restore(variables, "model.safetensors", "Decoder", &error) != WEFT_OK ||
//       weft_session_create(graph, variables, NULL, &session, &error) != WEFT_OK)
//     fprintf(stderr, "%s\n", error.message);
//
// * Calls give a status, and where `error` is not NULL the same and a sentence in it. Nothing is kept between calls, no
//   exception leaves them, none ends the process. A handle that could not be made is NULL.
// * Handles are the caller's, to be destroyed in any order: one holds what it was made of. NULL may be destroyed.
// * Text is UTF-8 and ends in a zero; whatever a call is given is copied and need not outlive it.
// * Several threads may use different handles, and one session for weft_session_run. Whoever builds a graph, prepares
//   or trains has the session and its graph alone; a weft_run is for one thread at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weft_status {
  WEFT_OK = 0,
  WEFT_INVALID = 1,     // the caller's mistake: NULL, an unknown name, a wrong shape, a graph that cannot be
  WEFT_BAD_FILE = 2,    // a checkpoint does not hold what it should
  WEFT_NOT_FINITE = 3,  // a number is NaN or infinite where none may be
  WEFT_RESOURCE = 4,    // beyond a documented limit, or out of memory
  WEFT_SYSTEM = 5,      // the operating system refused, with its reason
  WEFT_CANCELLED = 6,   // weft_session_cancel was called
  WEFT_FAILED = 7       // anything else
} weft_status;

typedef struct weft_error {
  weft_status status;
  char message[2048];  // one sentence; cut between two characters where it is longer
} weft_error;

typedef int32_t weft_dtype;
enum { WEFT_F32 = 0, WEFT_F64 = 1, WEFT_I64 = 2, WEFT_BOOL = 3 };

#define WEFT_MAX_RANK 6
#define WEFT_BATCH INT64_MIN  // the batch size N, in the shapes of a graph

typedef struct weft_type {
  weft_dtype dtype;
  size_t rank;  // 0: a scalar
  int64_t shape[WEFT_MAX_RANK];
} weft_type;

// Numbers in row-major order, as many as the shape says.
typedef struct weft_input {
  const char* name;  // of a node or a variable
  weft_type type;
  const void* data;
} weft_input;

typedef struct weft_graph weft_graph;
typedef struct weft_variables weft_variables;
typedef struct weft_session weft_session;
typedef struct weft_run weft_run;
typedef struct weft_values weft_values;

// "0.1.0"
const char* weft_version(void);
// Bytes of a value; 0 where the shape has N, or is none.
size_t weft_byte_size(const weft_type* type);

// ---- Graphs ---------------------------------------------------------------------------------------------------------

// The graph that a text of the form "weft graph 1" describes (graph/views/text.h). WEFT_INVALID with line and column.
weft_status weft_graph_parse(const char* text, size_t length, weft_graph** graph, weft_error* error);

// The graph of a model text, "weft model 1" (models/model_text.h), with the defaults of its parameters. The same
// errors.
weft_status weft_graph_model(const char* text, size_t length, weft_graph** graph, weft_error* error);

typedef struct weft_vae_config {
  int64_t pixels;        // 784
  int64_t hidden_units;  // 512
  int hidden_layers;     // 3, on each side
  int64_t latent_units;  // 2
} weft_vae_config;

// The variational autoencoder with the nodes InputData/X f32[N, pixels], Encoder/…, Decoder/… and Loss/Total; of the
// sizes above where `config` is NULL. To draw from codes, feed Encoder/SampleLatentVariable, f32[N, latent_units], and
// fetch Decoder/Mean.
weft_status weft_graph_vae(const weft_vae_config* config, weft_graph** graph, weft_error* error);

typedef int32_t weft_optimizer_kind;
enum {
  WEFT_SGD = 0,
  WEFT_MOMENTUM = 1,
  WEFT_NESTEROV = 2,
  WEFT_RMSPROP = 3,
  WEFT_ADAGRAD = 4,
  WEFT_ADAM = 5,
  WEFT_ADAMW = 6
};

typedef struct weft_optimizer {
  weft_optimizer_kind kind;
  double learning_rate;     // 0: the optimiser's own. Another one for a step: feed Training/LearningRate, a scalar f32
  double clip_global_norm;  // 0: gradients are not clipped
} weft_optimizer;

// Adds the gradients of the scalar `loss` and an update for each trainable variable. Once for a graph, and before the
// variables and sessions that are to know of it. WEFT_INVALID where nothing can be trained.
weft_status weft_graph_minimize(weft_graph* graph, const char* loss, const weft_optimizer* optimizer,
                                weft_error* error);

// Element type and shape of a node, with WEFT_BATCH for N. WEFT_INVALID, with the nearest name, if there is none.
weft_status weft_graph_type(const weft_graph* graph, const char* node, weft_type* type, weft_error* error);
// The graph as text, to be freed by weft_text_destroy.
weft_status weft_graph_text(const weft_graph* graph, char** text, weft_error* error);
void weft_text_destroy(char* text);
void weft_graph_destroy(weft_graph* graph);

// ---- Variables: the weights -----------------------------------------------------------------------------------------

// Those of the graph, without values.
weft_status weft_variables_create(const weft_graph* graph, weft_variables** variables, weft_error* error);
// Gives each variable of the graph that has no value its initial one, a function of the seed.
weft_status weft_variables_initialize(weft_variables* variables, weft_graph* graph, uint64_t seed, weft_error* error);
// All below the path `scope` from a checkpoint (safetensors), "Decoder"; NULL: all. All or nothing: WEFT_BAD_FILE lists
// what is missing, unexpected or of another shape, and nothing was changed.
weft_status weft_variables_restore(weft_variables* variables, const char* file, const char* scope, weft_error* error);
// All below `scope`, which must have values, to a new file that then takes the old one's place.
weft_status weft_variables_save(const weft_variables* variables, const char* file, const char* scope,
                                weft_error* error);
// The type of a variable, and where `data` is not NULL its numbers, for which there must be exactly `bytes` bytes.
weft_status weft_variables_read(const weft_variables* variables, const char* path, weft_type* type, void* data,
                                size_t bytes, weft_error* error);
// Gives the variable of this name a value of its type.
weft_status weft_variables_write(weft_variables* variables, const weft_input* value, weft_error* error);
void weft_variables_destroy(weft_variables* variables);

// ---- Sessions: running ----------------------------------------------------------------------------------------------

typedef struct weft_session_options {
  int threads;         // 0: as many as the process may use
  int use_host_arena;  // not 0: no threads of its own, but the oneTBB arena in which weft_session_create is called
  uint64_t seed;       // of all random nodes
} weft_session_options;

// NULL: {0, 0, 1}.
weft_status weft_session_create(weft_graph* graph, weft_variables* variables, const weft_session_options* options,
                                weft_session** session, weft_error* error);
// How many threads it works with, the caller's included.
int weft_session_threads(const weft_session* session);
// The number that random nodes see, one more after each step: to be kept with a checkpoint and set again.
uint64_t weft_session_run_number(const weft_session* session);
void weft_session_set_run_number(weft_session* session, uint64_t number);
// From any thread: this session's runs end with WEFT_CANCELLED from now on.
void weft_session_cancel(weft_session* session);
void weft_session_destroy(weft_session* session);

// Inference: computes the nodes named in `outputs` from the inputs, which may be placeholders or any other nodes, and
// whose shapes agree on N. The values are the caller's. WEFT_INVALID naming what is missing, unknown or of another
// shape.
weft_status weft_session_run(weft_session* session, const weft_input* inputs, size_t input_count,
                             const char* const* outputs, size_t output_count, weft_values** values, weft_error* error);
// Training: the same in training mode, and the updates of all variables. `outputs` see the variables before it.
weft_status weft_session_step(weft_session* session, const weft_input* inputs, size_t input_count,
                              const char* const* outputs, size_t output_count, weft_values** values, weft_error* error);
size_t weft_values_count(const weft_values* values);
// The numbers of output `index`, valid as long as `values`; NULL if there is no such output. `type` may be NULL.
const void* weft_values_data(const weft_values* values, size_t index, weft_type* type);
void weft_values_destroy(weft_values* values);

// ---- Runs that are prepared: planned once, run often, with memory of their own ----------------------------------

typedef struct weft_run_options {
  int training;            // not 0: training mode, and all updates
  int64_t batch;           // the value of N; −1 where there is none
  const char* const* fed;  // nodes other than placeholders that are given
  size_t fed_count;
  const char* const* guards;  // scalars that must be finite, else WEFT_NOT_FINITE and no variable was changed
  size_t guard_count;
} weft_run_options;

// Plans a run that gives `outputs`. WEFT_INVALID for names that are none, and where N is needed and not given. The
// session must not run on another thread meanwhile.
weft_status weft_run_prepare(weft_session* session, const weft_run_options* options, const char* const* outputs,
                             size_t output_count, weft_run** run, weft_error* error);
// Where the numbers of an input go before each weft_run_execute, and how many. `type` may be NULL.
weft_status weft_run_input(weft_run* run, const char* node, weft_type* type, void** data, weft_error* error);
// Runs, having looked that the variables it reads have values. The same statuses as weft_session_run, and
// WEFT_NOT_FINITE for a guard.
weft_status weft_run_execute(weft_run* run, weft_error* error);
// Output `index` of the last weft_run_execute, valid until the next; NULL if there is no such output.
const void* weft_run_output(const weft_run* run, size_t index, weft_type* type);
void weft_run_destroy(weft_run* run);

#ifdef __cplusplus
}
#endif
