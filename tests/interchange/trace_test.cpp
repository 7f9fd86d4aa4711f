// Traces, read as JSON.
#include "weft/exporters/trace.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "weft/exporters/step_figures.h"
#include "weft/graph/runtime/session.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/many_threads.h"
#include "weft/tests/support/wide_run.h"

namespace weft {
namespace {

using Json = nlohmann::json;
constexpr int kRuns = 3;
constexpr double kRounding = 1e-3;  // of microseconds, where a begin and a length are added

// A training step of two threads, traced, and what the trace says.
class TraceTest : public testing::Test {
 protected:
  void SetUp() override {
    wide_.session.Observe(&trace_);
    for (int i = 0; i < kRuns; ++i) run_.Run();
    wide_.session.Observe(nullptr);
    run_.Run();
    const Json document = Json::parse(ToTraceJson(trace_));
    EXPECT_EQ(document["displayTimeUnit"], "ms");
    for (const Json& event : document["traceEvents"]) events_[event["ph"].get<std::string>()].push_back(event);
  }

  // Events of this kind whose category is, or is not, "run".
  std::vector<Json> Runs() const { return WhereRunIs(true); }
  std::vector<Json> Pieces() const { return WhereRunIs(false); }
  std::vector<Json> WhereRunIs(bool is_run) const {
    std::vector<Json> found;
    for (const Json& event : events_.at("X")) {
      if ((event["cat"] == "run") == is_run) found.push_back(event);
    }
    return found;
  }

  ManyThreads many_{2};
  WideRun wide_{many_.runner()};
  PreparedRun run_ = wide_.Prepare();
  RunTrace trace_;
  std::map<std::string, std::vector<Json>> events_;
};

TEST_F(TraceTest, HasEveryBlockOfEveryStepOnceARunAndWithinIt) {
  const Program& program = run_.program();
  const std::vector<StepFigures> figures = StepFiguresOf(program);
  const std::vector<Json> runs = Runs();
  ASSERT_EQ(runs.size(), kRuns);
  EXPECT_EQ(runs[0]["ts"], 0);
  std::vector<std::vector<std::vector<int>>> ran(kRuns, std::vector<std::vector<int>>(program.steps.size()));
  for (auto& steps : ran) {
    for (StepId id = 0; id < steps.size(); ++id) steps[id].resize(program.steps[id].blocks);
  }
  std::set<int> threads;
  for (const Json& piece : Pieces()) {
    const Json& arguments = piece["args"];
    const StepId id = arguments["step"];
    const Step& step = program.steps.at(id);
    EXPECT_EQ(piece["name"], program.graph.name(step.origin).str());
    EXPECT_EQ(piece["cat"], KindOf(program, step, figures[id]));
    EXPECT_EQ(arguments["shape"], ToString(program.graph.type(step.origin)));
    EXPECT_EQ(arguments["bytes"], figures[id].bytes);
    EXPECT_EQ(arguments["flops"], figures[id].flops);
    for (uint32_t block = arguments["blocks"][0]; block < arguments["blocks"][1]; ++block)
      ++ran.at(arguments["run"].get<size_t>()).at(id).at(block);
    const Json& run = runs.at(arguments["run"].get<size_t>());
    const double begin = run["ts"], end = begin + run["dur"].get<double>(), piece_begin = piece["ts"];
    EXPECT_GE(piece["dur"], 0);
    EXPECT_GE(piece_begin, begin);
    EXPECT_LE(piece_begin + piece["dur"].get<double>(), end + kRounding);
    threads.insert(piece["tid"].get<int>());
  }
  for (const auto& steps : ran) {
    for (StepId id = 0; id < steps.size(); ++id)
      EXPECT_EQ(std::ranges::count(steps[id], 1), program.steps[id].blocks) << "step " << id;
  }
  std::map<int, std::string> rows;
  for (const Json& event : events_["M"]) {
    if (event["name"] == "thread_name") rows[event["tid"].get<int>()] = event["args"]["name"];
  }
  for (const int thread : threads) EXPECT_EQ(rows.at(thread), "thread " + std::to_string(thread));
}

TEST_F(TraceTest, PiecesOfOneThreadFollowEachOther) {
  std::map<int, std::map<double, double>> rows;  // thread → begin → end
  for (const Json& piece : Pieces()) {
    const double begin = piece["ts"];
    rows[piece["tid"].get<int>()][begin] = begin + piece["dur"].get<double>();
  }
  for (const auto& [thread, pieces] : rows) {
    double last = 0;
    for (const auto& [begin, end] : pieces) {
      EXPECT_GE(begin, last - kRounding) << "thread " << thread;
      last = end;
    }
  }
}

TEST_F(TraceTest, ArrowsFollowTheDataWithinPieces) {
  ASSERT_EQ(events_["s"].size(), events_["f"].size());
  ASSERT_GT(events_["s"].size(), run_.program().steps.size());
  std::map<int, std::pair<Json, Json>> arrows;
  for (const Json& event : events_["s"]) arrows[event["id"].get<int>()].first = event;
  for (const Json& event : events_["f"]) arrows[event["id"].get<int>()].second = event;
  const std::vector<Json> pieces = Pieces();
  const auto is_within_a_piece = [&](const Json& end) {
    return std::ranges::any_of(pieces, [&](const Json& piece) {
      const double begin = piece["ts"], at = end["ts"];
      return piece["tid"] == end["tid"] && begin <= at && at <= begin + piece["dur"].get<double>() + kRounding;
    });
  };
  for (const auto& [id, arrow] : arrows) {
    EXPECT_LE(arrow.first["ts"].get<double>(), arrow.second["ts"].get<double>());
    EXPECT_TRUE(is_within_a_piece(arrow.first)) << arrow.first;
    EXPECT_TRUE(is_within_a_piece(arrow.second)) << arrow.second;
    EXPECT_EQ(arrow.second["bp"], "e");
  }
}

TEST_F(TraceTest, LiveBytesStayWithinTheArenaAndEndAtNothing) {
  const std::vector<Json>& counts = events_["C"];
  ASSERT_GT(counts.size(), 10U);
  int64_t most = 0;
  for (const Json& count : counts) most = std::max(most, count["args"]["arena"].get<int64_t>());
  EXPECT_LE(most, run_.program().arena_bytes);
  EXPECT_GT(most, run_.program().arena_bytes / 2);
  EXPECT_EQ(counts.back()["args"]["arena"], 0);
}

TEST(Trace, OfNothingIsAnEmptyDocument) {
  const Json document = Json::parse(ToTraceJson(RunTrace()));
  for (const Json& event : document["traceEvents"]) EXPECT_EQ(event["ph"], "M");
}

TEST(Trace, KeepsHostileNames) {
  const std::string name = "a\"b\\</script>σ";
  Graph graph;
  const Node x = Placeholder(graph, "X", {4});
  const Node y = ReduceSum(Exp(x), {0});
  graph.Rename(y, Path(name));
  VariableStore store;
  Session session(graph, store, {.threads = 1});
  PreparedRun run = session.Prepare({y});
  std::ranges::fill(run.Input<float>(x), 0.F);
  RunTrace trace;
  session.Observe(&trace);
  run.Run();
  session.Observe(nullptr);
  const Json document = Json::parse(ToTraceJson(trace));
  EXPECT_TRUE(std::ranges::any_of(document["traceEvents"], [&](const Json& event) { return event["name"] == name; }));
}

}  // namespace
}  // namespace weft
