// A small autoencoder in training, through the C API.
#pragma once

#include <vector>

#include <gtest/gtest.h>

#include "weft/models/c_api.h"

namespace weft {

// Handles that destroy themselves.
template <class Handle, void (*kDestroy)(Handle*)>
class Owned {
 public:
  ~Owned() { kDestroy(handle_); }
  Handle** out() { return &handle_; }
  operator Handle*() const { return handle_; }  // implicit: it stands where a handle does

 private:
  Handle* handle_ = nullptr;
};
using CGraph = Owned<weft_graph, weft_graph_destroy>;
using CVariables = Owned<weft_variables, weft_variables_destroy>;
using CSession = Owned<weft_session, weft_session_destroy>;
using CValues = Owned<weft_values, weft_values_destroy>;
using CRun = Owned<weft_run, weft_run_destroy>;

inline constexpr weft_vae_config kSmall = {6, 5, 1, 2};
inline constexpr float kPictures[12] = {0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0};
inline constexpr weft_optimizer kAdam = {WEFT_ADAM, 0.01, 5};

inline weft_input Pictures(const char* name = "InputData/X") { return {name, {WEFT_F32, 2, {2, 6}}, kPictures}; }

// A small autoencoder in training, and its session.
struct Training {
  CGraph graph;
  CVariables variables;
  CSession session;
  weft_error error = {};

  explicit Training(const weft_session_options* options = nullptr) {
    EXPECT_EQ(weft_graph_vae(&kSmall, graph.out(), &error), WEFT_OK) << error.message;
    EXPECT_EQ(weft_graph_minimize(graph, "Loss/Total", &kAdam, &error), WEFT_OK) << error.message;
    EXPECT_EQ(weft_variables_create(graph, variables.out(), &error), WEFT_OK) << error.message;
    EXPECT_EQ(weft_variables_initialize(variables, graph, 7, &error), WEFT_OK) << error.message;
    EXPECT_EQ(weft_session_create(graph, variables, options, session.out(), &error), WEFT_OK) << error.message;
  }

  // The loss before each of `steps` steps.
  std::vector<float> Losses(int steps) {
    std::vector<float> losses;
    const weft_input x = Pictures();
    const char* const loss = "Loss/Total";
    for (int step = 0; step < steps; ++step) {
      CValues values;
      EXPECT_EQ(weft_session_step(session, &x, 1, &loss, 1, values.out(), &error), WEFT_OK) << error.message;
      if (values != nullptr) losses.push_back(*static_cast<const float*>(weft_values_data(values, 0, nullptr)));
    }
    return losses;
  }
};

}  // namespace weft
