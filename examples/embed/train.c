// Trains a small autoencoder from C, on pictures of bars, and writes what it has learnt.
//
//   train_c CHECKPOINT
#include <stdio.h>
#include <string.h>

#include <weft/models/c_api.h>

enum { kSide = 8, kPixels = kSide * kSide, kBatch = 2 * kSide, kSteps = 200 };

// One bar a picture: every row and every column once.
static void draw_bars(float* pictures) {
  memset(pictures, 0, sizeof(float) * kBatch * kPixels);
  for (int bar = 0; bar < kSide; ++bar) {
    for (int i = 0; i < kSide; ++i) {
      pictures[bar * kPixels + bar * kSide + i] = 1;
      pictures[(kSide + bar) * kPixels + i * kSide + bar] = 1;
    }
  }
}

// Every step uses the memory of the one before.
static weft_status train(weft_session* session, weft_error* error) {
  const char* loss = "Loss/Total";
  weft_run_options options = {1, kBatch, NULL, 0, NULL, 0};
  weft_run* run = NULL;
  void* x = NULL;
  options.guards = &loss;
  options.guard_count = 1;
  weft_status status = weft_run_prepare(session, &options, &loss, 1, &run, error);
  if (status == WEFT_OK) status = weft_run_input(run, "InputData/X", NULL, &x, error);
  for (int step = 0; status == WEFT_OK && step < kSteps; ++step) {
    draw_bars((float*)x);
    status = weft_run_execute(run, error);
    if (status == WEFT_OK && (step == 0 || step == kSteps - 1))
      printf("step %d: loss %.2f\n", step + 1, *(const float*)weft_run_output(run, 0, NULL));
  }
  weft_run_destroy(run);
  return status;
}

int main(int argc, char** argv) {
  const weft_vae_config config = {kPixels, 32, 1, 2};
  const weft_optimizer adam = {WEFT_ADAM, 0.01, 5};
  weft_error error;
  weft_graph* graph = NULL;
  weft_variables* variables = NULL;
  weft_session* session = NULL;

  if (argc != 2) {
    fprintf(stderr, "usage: train_c CHECKPOINT\n");
    return 2;
  }
  const int is_done = weft_graph_vae(&config, &graph, &error) == WEFT_OK &&
                      weft_graph_minimize(graph, "Loss/Total", &adam, &error) == WEFT_OK &&
                      weft_variables_create(graph, &variables, &error) == WEFT_OK &&
                      weft_variables_initialize(variables, graph, 1, &error) == WEFT_OK &&
                      weft_session_create(graph, variables, NULL, &session, &error) == WEFT_OK &&
                      train(session, &error) == WEFT_OK &&
                      weft_variables_save(variables, argv[1], NULL, &error) == WEFT_OK;
  if (!is_done) fprintf(stderr, "train_c: %s\n", error.message);

  weft_session_destroy(session);
  weft_variables_destroy(variables);
  weft_graph_destroy(graph);
  return is_done ? 0 : 1;
}
