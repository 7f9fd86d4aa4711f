// What main.cpp does, in C: draws, in letters, what the decoder of a checkpoint makes of a point in the plane of codes.
//
//   draw_c CHECKPOINT [Z0 Z1]
#include <stdio.h>
#include <stdlib.h>

#include <weft/models/c_api.h>

static void print_picture(const float* pixels) {
  for (int row = 0; row < 28; ++row) {
    for (int column = 0; column < 28; ++column) putchar(" .:-=+*#%@"[(int)(pixels[28 * row + column] * 9.99f)]);
    putchar('\n');
  }
}

int main(int argc, char** argv) {
  weft_error error;
  weft_graph* graph = NULL;
  weft_variables* variables = NULL;
  weft_session* session = NULL;
  weft_values* values = NULL;
  float point[2] = {0, 0};
  weft_input z = {"Encoder/SampleLatentVariable", {WEFT_F32, 2, {1, 2}}, NULL};
  const char* picture = "Decoder/Mean";

  if (argc != 2 && argc != 4) {
    fprintf(stderr, "usage: draw_c CHECKPOINT [Z0 Z1]\n");
    return 2;
  }
  for (int i = 2; i < argc; ++i) point[i - 2] = (float)atof(argv[i]);
  z.data = point;

  // The decoder alone is restored: nothing else is needed for what is fetched.
  const int is_done = weft_graph_vae(NULL, &graph, &error) == WEFT_OK &&
                      weft_variables_create(graph, &variables, &error) == WEFT_OK &&
                      weft_variables_restore(variables, argv[1], "Decoder", &error) == WEFT_OK &&
                      weft_session_create(graph, variables, NULL, &session, &error) == WEFT_OK &&
                      weft_session_run(session, &z, 1, &picture, 1, &values, &error) == WEFT_OK;
  if (is_done) print_picture((const float*)weft_values_data(values, 0, NULL));
  else fprintf(stderr, "draw_c: %s\n", error.message);

  weft_values_destroy(values);
  weft_session_destroy(session);
  weft_variables_destroy(variables);
  weft_graph_destroy(graph);
  return is_done ? 0 : 1;
}
