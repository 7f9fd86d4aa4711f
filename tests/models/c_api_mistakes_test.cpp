// What the C API says where its caller is mistaken.
#include <cstdint>
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/models/c_api.h"
#include "weft/models/c_api_handles.h"
#include "weft/tests/models/c_api_training.h"

namespace weft {
namespace {

using ::testing::HasSubstr;

struct Mistake {
  const char* what;
  weft_status (*call)(Training&, weft_error*);
  weft_status status;
  const char* says;
};

weft_status RunWith(Training& training, const weft_input& input, const char* output, weft_error* error) {
  CValues values;
  const weft_status status = weft_session_run(training.session, &input, 1, &output, 1, values.out(), error);
  EXPECT_EQ(values, nullptr);
  return status;
}

const Mistake kMistakes[] = {
    {"a text that is none",
     [](Training&, weft_error* e) {
       CGraph g;
       return weft_graph_parse("x", 1, g.out(), e);
     },
     WEFT_INVALID, "1"},
    {"a model that is none",
     [](Training&, weft_error* e) {
       CGraph g;
       return weft_graph_model("weft model 1\nX = 1 +\n", 21, g.out(), e);
     },
     WEFT_INVALID, "2"},
    {"no text",
     [](Training&, weft_error* e) {
       CGraph g;
       return weft_graph_parse(nullptr, 0, g.out(), e);
     },
     WEFT_INVALID, "text: got NULL"},
    {"nowhere to put a graph", [](Training&, weft_error* e) { return weft_graph_vae(nullptr, nullptr, e); },
     WEFT_INVALID, "result: got NULL"},
    {"sizes below 1",
     [](Training&, weft_error* e) {
       const weft_vae_config config = {0, 5, 1, 2};
       CGraph g;
       return weft_graph_vae(&config, g.out(), e);
     },
     WEFT_INVALID, "got 0"},
    {"no graph", [](Training&, weft_error* e) { return weft_graph_minimize(nullptr, "L", &kAdam, e); }, WEFT_INVALID,
     "graph: got NULL"},
    {"a second training",
     [](Training& t, weft_error* e) { return weft_graph_minimize(t.graph, "Loss/Total", &kAdam, e); }, WEFT_INVALID,
     "minimised in this graph already"},
    {"an optimiser that is none",
     [](Training&, weft_error* e) {
       CGraph g;
       EXPECT_EQ(weft_graph_vae(&kSmall, g.out(), e), WEFT_OK);
       const weft_optimizer none = {7, 0, 0};
       return weft_graph_minimize(g, "Loss/Total", &none, e);
     },
     WEFT_INVALID, "optimizer: got kind 7"},
    {"a node that is not there",
     [](Training& t, weft_error* e) {
       weft_type type;
       return weft_graph_type(t.graph, "Decoder/Maen", &type, e);
     },
     WEFT_INVALID, "'Decoder/Mean'"},
    {"a file that is not there",
     [](Training& t, weft_error* e) { return weft_variables_restore(t.variables, "no/such/file", nullptr, e); },
     WEFT_SYSTEM, "no/such/file"},
    {"a scope without variables",
     [](Training& t, weft_error* e) { return weft_variables_save(t.variables, "unused", "Dekoder", e); }, WEFT_INVALID,
     "Dekoder"},
    {"a variable that is not there",
     [](Training& t, weft_error* e) {
       const weft_input value = {"W", {WEFT_F32, 0, {0}}, kPictures};
       return weft_variables_write(t.variables, &value, e);
     },
     WEFT_INVALID, "'W'"},
    {"a value of another shape",
     [](Training& t, weft_error* e) {
       const weft_input value = {"Encoder/FullyConnected/b", {WEFT_F32, 1, {6}}, kPictures};
       return weft_variables_write(t.variables, &value, e);
     },
     WEFT_INVALID, "f32[6]"},
    {"negative threads",
     [](Training& t, weft_error* e) {
       const weft_session_options options = {-1, 0, 1};
       CSession s;
       return weft_session_create(t.graph, t.variables, &options, s.out(), e);
     },
     WEFT_INVALID, "threads: got -1"},
    {"an input of another shape",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.type.shape[1] = 3;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_INVALID, "feed 'InputData/X': got f32[2, 3], expected f32[N, 6]"},
    {"an input of another element type",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.type.dtype = WEFT_I64;
       x.type.shape[0] = 1;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_INVALID, "got i64[1, 6]"},
    {"an element type that is none",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.type.dtype = 9;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_INVALID, "element type 9"},
    {"a rank that is none",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.type.rank = 7;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_INVALID, "rank 7"},
    {"a negative length",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.type.shape[0] = -2;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_INVALID, "-2"},
    {"more numbers than there can be",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.type.shape[0] = INT64_MAX;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_RESOURCE, ""},
    {"an input without numbers",
     [](Training& t, weft_error* e) {
       weft_input x = Pictures();
       x.data = nullptr;
       return RunWith(t, x, "Loss/Total", e);
     },
     WEFT_INVALID, "data of 'InputData/X': got NULL"},
    {"an input without a name",
     [](Training& t, weft_error* e) { return RunWith(t, Pictures(nullptr), "Loss/Total", e); }, WEFT_INVALID,
     "name of an input: got NULL"},
    {"an output without a name", [](Training& t, weft_error* e) { return RunWith(t, Pictures(), nullptr, e); },
     WEFT_INVALID, "name of a node: got NULL"},
    {"a run without the N that it needs",
     [](Training& t, weft_error* e) {
       const char* const loss = "Loss/Total";
       const weft_run_options options = {0, -1, nullptr, 0, nullptr, 0};
       CRun run;
       return weft_run_prepare(t.session, &options, &loss, 1, run.out(), e);
     },
     WEFT_INVALID, "N"},
    {"an input that a run does not read",
     [](Training& t, weft_error* e) {
       const char* const mean = "Encoder/Mean";
       const weft_run_options options = {0, 1, nullptr, 0, nullptr, 0};
       CRun run;
       EXPECT_EQ(weft_run_prepare(t.session, &options, &mean, 1, run.out(), e), WEFT_OK);
       void* data = run;
       const weft_status status = weft_run_input(run, "Loss/Beta", nullptr, &data, e);
       EXPECT_EQ(data, nullptr);
       return status;
     },
     WEFT_INVALID, "Loss/Beta"},
};

TEST(CApi, AMistakeIsAStatusAndASentence) {
  Training training;
  for (const Mistake& mistake : kMistakes) {
    SCOPED_TRACE(mistake.what);
    weft_error error = {};
    EXPECT_EQ(mistake.call(training, &error), mistake.status);
    EXPECT_EQ(error.status, mistake.status);
    const std::string message = error.message;
    EXPECT_NE(message, "");
    EXPECT_THAT(message, HasSubstr(mistake.says));
    EXPECT_EQ(mistake.call(training, nullptr), mistake.status) << "without an error to fill";
  }
}

TEST(CApi, ANumberThatIsNotFiniteChangesNothing) {
  Training training;
  weft_error& error = training.error;
  const char* const loss = "Loss/Total";
  const weft_run_options options = {1, 2, nullptr, 0, &loss, 1};
  CRun run;
  void* x = nullptr;
  ASSERT_EQ(weft_run_prepare(training.session, &options, &loss, 1, run.out(), &error), WEFT_OK);
  ASSERT_EQ(weft_run_input(run, "InputData/X", nullptr, &x, &error), WEFT_OK);
  std::memset(x, 0xFF, sizeof(kPictures));  // NaN
  float before[5], after[5];
  weft_type type;
  ASSERT_EQ(weft_variables_read(training.variables, "Encoder/FullyConnected/b", &type, before, sizeof(before), &error),
            WEFT_OK);
  EXPECT_EQ(weft_run_execute(run, &error), WEFT_NOT_FINITE);
  EXPECT_THAT(std::string(error.message), HasSubstr("no variable was changed"));
  ASSERT_EQ(weft_variables_read(training.variables, "Encoder/FullyConnected/b", &type, after, sizeof(after), &error),
            WEFT_OK);
  EXPECT_EQ(std::memcmp(before, after, sizeof(before)), 0);
}

TEST(CApi, ALongSentenceIsCutBetweenTwoCharacters) {
  weft_error error;
  std::string text = "x";
  while (text.size() < 3000) text += "ä";
  EXPECT_EQ(c_api::Guarded(&error, [&] { throw GraphError(text); }), WEFT_INVALID);
  EXPECT_EQ(error.message, text.substr(0, sizeof(error.message) - 1));  // 2047 bytes: one and 1023 characters of two
  EXPECT_EQ(c_api::Guarded(&error, [&] { throw GraphError("x" + text); }), WEFT_INVALID);
  EXPECT_EQ(error.message, "x" + text.substr(0, sizeof(error.message) - 3));
}

TEST(CApi, NullHandlesAreSafeToAsk) {
  EXPECT_EQ(weft_session_threads(nullptr), 0);
  EXPECT_EQ(weft_session_run_number(nullptr), 0u);
  EXPECT_EQ(weft_values_count(nullptr), 0u);
  EXPECT_EQ(weft_values_data(nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(weft_run_output(nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(weft_byte_size(nullptr), 0u);
  EXPECT_EQ(weft_run_execute(nullptr, nullptr), WEFT_INVALID);
  weft_session_set_run_number(nullptr, 1);
  weft_session_cancel(nullptr);
}

}  // namespace
}  // namespace weft
