// Event files, histograms and graphs, as a reader sees them that knows TensorBoard's formats and nothing of weft.
#include "weft/exporters/event_file.h"

#include <csignal>
#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/exporters/graph_def.h"
#include "weft/examples/vae/pictures.h"
#include "weft/graph/op.h"
#include "weft/models/training/optimizers.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/operators.h"
#include "weft/tests/interchange/read_events.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

using Json = nlohmann::json;

Json OnlyValue(const Json& event) {
  EXPECT_EQ(event["summary"]["value"].size(), 1U);
  return event["summary"]["value"][0];
}

TEST(EventFile, AnotherReaderFindsWhatWasWritten) {
  const TemporaryDirectory directory;
  const std::vector<float> pixels = {0, 0.5, 1, 0, 0.25, 0.75};
  const std::string png = SheetPng({.rows = 1, .columns = 1, .height = 2, .width = 3, .pixels = pixels});
  std::filesystem::path path;
  {
    EventFile events(directory.path());
    path = events.path();
    events.AddScalar("Loss/Total", 430, 142.25);
    events.AddScalar("Ünusual \n\xFF name", int64_t{1} << 40, -0.0);
    const std::vector<double> values = {-3, 0, 0.5, 0.5, 1e30};
    events.AddHistogram("Encoder/Mean/W", 7, Histogram::Of(values));
    events.AddImage("Decoder/Mean", 8, {.height = 2, .width = 3, .png = png});
  }
  EXPECT_THAT(path.filename().string(), testing::MatchesRegex("events\\.out\\.tfevents\\.[0-9]{10}\\..+"));
  const Json events = ReadEvents(path);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0]["file_version"], "brain.Event:2");
  for (const Json& event : events) EXPECT_GT(event["wall_time"], 1.7e9);
  EXPECT_EQ(events[1]["step"], 430);
  EXPECT_EQ(OnlyValue(events[1]), Json({{"tag", "Loss/Total"}, {"simple_value", 142.25}}));
  EXPECT_EQ(events[2]["step"], int64_t{1} << 40);
  EXPECT_EQ(OnlyValue(events[2])["tag"], "Ünusual \\x0a\\xff name");
  const Json histogram = OnlyValue(events[3])["histo"];
  EXPECT_EQ(histogram["num"], 5);
  EXPECT_EQ(histogram["min"], -3);
  EXPECT_EQ(histogram["max"], 1e30);
  EXPECT_EQ(histogram["sum"], 1e30 - 2);
  EXPECT_EQ(OnlyValue(events[4])["image"], Json({{"height", 2},
                                                 {"width", 3},
                                                 {"colorspace", 1},
                                                 {"picture", {{"height", 2}, {"width", 3}, {"channels", 1}}}}));
}

TEST(EventFile, OfARunThatGoesOnSaysFromWhichStep) {
  const TemporaryDirectory directory;
  const EventFile first(directory.path()), second(directory.path(), 431);
  EXPECT_NE(first.path(), second.path());
  const Json events = ReadEvents(second.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1]["step"], 431);
  EXPECT_EQ(events[1]["session_log"], Json({{"status", 1}}));
}

// As on a full disk: writing may stop within a record.
TEST(EventFile, HoldsWholeRecordsWhereTheDiskFails) {
  const TemporaryDirectory directory;
  EventFile events(directory.path());
  events.AddScalar("before", 1, 1);
  const auto whole = std::filesystem::file_size(events.path());
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {.rlim_cur = whole + 20, .rlim_max = limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(events.AddScalar("lost", 2, 2), std::system_error);
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(std::filesystem::file_size(events.path()), whole);
  events.AddScalar("after", 3, 3);
  const Json read = ReadEvents(events.path());
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(OnlyValue(read[2])["tag"], "after");
}

TEST(EventFile, NeedsADirectory) {
  const TemporaryDirectory directory;
  EXPECT_THROW(EventFile(directory / "missing"), std::system_error);
}

// ---- Histograms ----------------------------------------------------------------------------------------------------

TEST(Histogram, EachValueLiesInItsBucket) {
  constexpr double kMax = std::numeric_limits<double>::max();
  for (const double value :
       {0.0, -0.0, 1e-13, 1e-12, 1.05e-12, -1e-12, -1e-13, 0.3, 1.0, -1.0, 12345.6, 1e25, -1e25, kMax, -kMax}) {
    const std::vector<double> one = {value};
    const Histogram histogram = Histogram::Of(one);
    SCOPED_TRACE(value);
    EXPECT_EQ(histogram.counts(), std::vector<double>({0, 1}));
    EXPECT_LE(histogram.limits()[0], value);
    if (value < kMax) {
      EXPECT_LT(value, histogram.limits()[1]);
    }
    const double low = std::abs(histogram.limits()[0]), high = std::abs(histogram.limits()[1]);
    if (std::abs(value) > 1e-12 && std::abs(value) < 1e20) {
      EXPECT_NEAR(std::max(low, high) / std::min(low, high), 1.1, 1e-9);
    }
  }
}

TEST(Histogram, CountsEveryFiniteValueOnce) {
  std::vector<float> values;
  double sum = 0, squares = 0;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(std::sin(static_cast<float>(i)) * std::exp2(static_cast<float>(i % 50 - 40)));
    sum += static_cast<double>(values.back());
    squares += static_cast<double>(values.back()) * static_cast<double>(values.back());
  }
  values.push_back(std::numeric_limits<float>::quiet_NaN());
  values.push_back(std::numeric_limits<float>::infinity());
  const Histogram histogram = Histogram::Of(values);
  EXPECT_EQ(histogram.count(), 10'000);
  EXPECT_EQ(histogram.sum(), sum);
  EXPECT_EQ(histogram.sum_of_squares(), squares);
  double counted = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    counted += histogram.counts()[i];
    if (i == 0) continue;
    EXPECT_LT(histogram.limits()[i - 1], histogram.limits()[i]);
    EXPECT_TRUE(histogram.counts()[i - 1] > 0 || histogram.counts()[i] > 0) << "two empty buckets side by side";
    const auto between = std::ranges::count_if(values, [&](double value) {
      return std::isfinite(value) && histogram.limits()[i - 1] <= value && value < histogram.limits()[i];
    });
    EXPECT_EQ(static_cast<double>(between), histogram.counts()[i]);
  }
  EXPECT_EQ(counted, 10'000);
}

TEST(Histogram, OfNothingIsEmpty) {
  const std::vector<float> nothing;
  EXPECT_EQ(Histogram::Of(nothing).count(), 0);
  EXPECT_TRUE(Histogram::Of(nothing).limits().empty());
}

// ---- Graphs --------------------------------------------------------------------------------------------------------

Json ReadGraph(const Graph& graph) {
  const TemporaryDirectory directory;
  EventFile events(directory.path());
  events.AddGraph(ToGraphDef(graph));
  return ReadEvents(events.path())[1]["graph_def"]["node"];
}

TEST(GraphDef, HasEveryNodeWithOperandsTypeAndUpdates) {
  Graph graph;
  const VariationalAutoencoder vae = BuildVariationalAutoencoder(graph, {.pixels = 6, .hidden_units = 4});
  Minimize(vae.loss.total, Adam{}, {.clip_global_norm = 5});
  const Json nodes = ReadGraph(graph);
  ASSERT_EQ(nodes.size(), graph.size() + graph.updates().size() + graph.initial_values().size());
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const Node node = graph.node(NodeId{i});
    const Json& got = nodes[i];
    EXPECT_EQ(got["name"], node.name().str());
    EXPECT_EQ(got["op"], std::string(*node.op().name));
    std::vector<std::string> operands;
    for (const NodeId operand : node.operands()) operands.push_back(graph.name(operand).str());
    EXPECT_EQ(got.value("input", std::vector<std::string>()), operands);
    std::vector<int64_t> shape;
    for (const Dim& dim : node.shape()) shape.push_back(dim.is_batch() ? -1 : dim.length());
    std::vector<int64_t> dims;
    for (const Json& dim : got["attr"]["_output_shapes"]["list"]["shape"][0].value("dim", Json::array()))
      dims.push_back(dim.value("size", int64_t{0}));
    EXPECT_EQ(dims, shape) << node.name().str();
  }
  const auto& [variable, value] = graph.updates().front();
  const Json& update = nodes[graph.size()];
  EXPECT_EQ(update["name"], graph.name(variable).str() + ">Update");
  EXPECT_EQ(update["input"], Json({graph.name(value).str(), "^" + graph.name(variable).str()}));
}

TEST(GraphDef, AttributesKeepTheirKinds) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3}, {.dtype = DType::kFloat64});
  ReduceSum(x, {0});
  Constant(graph, 2.5);
  const Json nodes = ReadGraph(graph);
  EXPECT_EQ(nodes[0]["attr"]["dtype"], Json({{"type", 2}}));  // DT_DOUBLE
  EXPECT_EQ(nodes[0]["attr"]["shape"]["shape"]["dim"], Json({{{"size", -1}, {"name", "N"}}, {{"size", 3}}}));
  EXPECT_EQ(nodes[1]["attr"]["T"], Json({{"type", 2}}));
  EXPECT_EQ(nodes[1]["attr"]["count"], Json({{"i", 1}}));
  EXPECT_EQ(nodes[2]["attr"]["value"]["s"], "f32[]{2.5}");
}

TEST(GraphDef, HostileNamesStayDifferentAndLegal) {
  const std::vector<std::string> names = {"a \"b\"", "</script>", "a\\b",     "σ",          "a>20b", "a b",
                                          "_x",      "x_",        ".x",       ">x",         "x:0",   "^x",
                                          "\xFF",    "a;b",       "a>Update", "Encoder/ß/W"};
  Graph graph;
  std::set<std::string> mapped;
  for (const std::string& name : names) {
    Placeholder(graph, name, {2});
    mapped.insert(GraphDefName(name));
  }
  EXPECT_EQ(mapped.size(), names.size());
  const Json nodes = ReadGraph(graph);  // which checks them by TensorFlow's own pattern
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(nodes[i]["name"], GraphDefName(names[i]));
  EXPECT_EQ(GraphDefName("Encoder/FullyConnected_1/W"), "Encoder/FullyConnected_1/W");
  EXPECT_EQ(GraphDefName("Encoder/σ"), "Encoder/>CF>83");
  EXPECT_EQ(GraphDefName("_x"), ".>5Fx");
  EXPECT_EQ(GraphDefName("a>b"), "a>3Eb");
}

}  // namespace
}  // namespace weft
