// vae graph in its formats. What browsers and Graphviz make of them is asked by tests/web.
#include <nlohmann/json.hpp>

#include "weft/examples/vae/graph_json.h"
#include "weft/examples/vae/graph_page.h"
#include "weft/graph/scope.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

const std::vector<std::string> kSmall = {"--hidden", "16", "--batch", "8"};

TEST(GraphJson, TellsEverythingOfANode) {
  Graph graph;
  const Node x = Placeholder(graph, "In/X", {kBatch, 4}),
             w = Constant(graph, Tensor::Of<float>({4, 2}, std::vector<float>(8, 0.5F)));
  const Node y = Named("Out/Y", MatMul(x, w));
  graph.AddToCollection("results", y);
  graph.Rename(y, "Result");
  const Json json = GraphJson(graph, 10), &node = json["nodes"][2];
  EXPECT_EQ(node["name"], "Out/Y");
  EXPECT_EQ(node["scope"], "Out");
  EXPECT_EQ(node["op"], "MatMul");
  EXPECT_EQ(node["type"], "f32[N, 2]");
  EXPECT_EQ(node["shape"], Json({"N", 2}));
  EXPECT_EQ(node["operands"], Json({0, 1}));
  EXPECT_EQ(node["attributes"], Json({{"transpose_left", false}, {"transpose_right", false}}));
  EXPECT_EQ(node["bytes"], 10 * 2 * 4);
  EXPECT_EQ(node["flops"], 2 * 10 * 4 * 2);
  EXPECT_EQ(json["nodes"][1]["attributes"]["value"]["values"], Json(std::vector<double>(8, 0.5)));
  EXPECT_EQ(json["edges"],
            Json::parse(R"([{"source": 0, "target": 2, "operand": 0}, {"source": 1, "target": 2, "operand": 1}])"));
  EXPECT_EQ(json["collections"], Json({{"results", {2}}}));
  EXPECT_EQ(json["aliases"], Json({{"Result", 2}}));
}

TEST(GraphJson, LeavesOutTheNumbersOfALargeConstantOnly) {
  Graph graph;
  Constant(graph, Tensor(DType::kFloat32, {100}));
  Constant(graph, Tensor(DType::kFloat32, {101}));
  const Json json = GraphJson(graph, 1);
  EXPECT_TRUE(json["nodes"][0]["attributes"]["value"].contains("values"));
  EXPECT_FALSE(json["nodes"][1]["attributes"]["value"].contains("values"));
}

TEST(GraphJson, CountsOperationsOfAnElementOnce) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 3});
  const Node sum = ReduceSum(Exp(x)), same = Reshape(x, {kBatch, 3, 1});
  EXPECT_EQ(OperationsOf(graph, sum.operand(0).id(), 5), 15);
  EXPECT_EQ(OperationsOf(graph, sum.id(), 5), 15);
  EXPECT_EQ(OperationsOf(graph, same.id(), 5), 0);
}

TEST(GraphPage, HasTheFormulaOfEveryOp) {
  const auto formulas = OpFormulas();
  for (const OpDef* op : AllOps()) EXPECT_TRUE(formulas.contains(*op->name)) << *op->name;
}

TEST(GraphPage, FetchesWhatNobodyReads) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch}), v = Variable("V", Constant(graph, 0.0));
  const Node y = Exp(x);
  graph.AddUpdate(v, v + 1.0);
  const CompileOptions request = AllOf(graph, 7);
  EXPECT_EQ(request.fetches, std::vector<NodeId>{y.id()});
  EXPECT_EQ(request.batch, 7);
}

TEST(GraphCommand, WritesAFileAndKeepsOneThatIsThere) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "graph.json";
  const std::vector<std::string> command =
      std::vector<std::string>{"graph", "--format", "json", "--out", file.string()} + kSmall;
  EXPECT_EQ(RunTool(command).out, "wrote " + file.string() + "\n");
  EXPECT_EQ(Json::parse(ReadFile(file))["format"], "weft graph");
  ExpectError(RunTool(command), 5, "--force replaces it");
  EXPECT_EQ(RunTool(command + std::vector<std::string>{"--force"}).code, 0);
}

TEST(GraphCommand, ReadsAGraphInTheTextForm) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory / "graph.txt";
  const std::string text = "weft graph 1\n\"A \\\"b\\\"/X\" = Placeholder() {dtype=f32 shape=[N]} : f32[N]\n";
  WriteFile(file, text);
  EXPECT_EQ(RunTool({"graph", "--format", "text", "--text", file.string()}).out, text);
  WriteFile(file, "weft graph 1\nX = Nothing() : f32[]\n");
  ExpectError(RunTool({"graph", "--text", file.string()}), 4,
              "line 2, column 5: got 'Nothing() : f32[]', expected a known op");
  for (const std::string option : {"--hidden", "--model", "--beta"}) {
    ExpectError(RunTool({"graph", "--text", file.string(), option, "1"}), 2,
                "contradiction: " + option + " and --text: got both");
  }
}

TEST(GraphCommand, SaysWhichFormatsTakeAnOption) {
  ExpectError(RunTool({"graph", "--format", "html", "--depth", "1"}), 2,
              "expected --depth with --format dot or svg only");
  ExpectError(RunTool({"graph", "--measure"}), 2, "expected --measure with --format html only");
  ExpectError(RunTool({"graph", "--format", "json", "--scope", "Loss"}), 2, "dot or svg or text only");
}

// What is in them is asked where they are made: tests/interchange.
TEST(GraphCommand, WritesForOnnxAndForTensorBoard) {
  const TemporaryDirectory directory;
  const std::string onnx = directory / "graph.onnx", logs = directory / "logs";
  const auto written = [](const std::string& format, const std::string& out) {
    return RunTool(std::vector<std::string>{"graph", "--format", format, "--out", out} + kSmall);
  };
  EXPECT_EQ(written("onnx", onnx).out, "wrote " + onnx + "\n");
  EXPECT_THAT(ReadFile(onnx), testing::HasSubstr("Decoder/Mean"));
  EXPECT_THAT(written("tensorboard", logs).out, testing::StartsWith("wrote " + logs + "/events.out.tfevents."));
  ASSERT_EQ(Contents(logs).size(), 1U);
  EXPECT_THAT(Contents(logs).begin()->second, testing::HasSubstr("Decoder/Mean"));
  ExpectError(RunTool({"graph", "--format", "tensorboard"}), 2, "expected a directory");
  ExpectError(RunTool({"graph", "--format", "onnx", "--text", "x"}), 2, "expected --text with --format");
}

TEST(GraphCommand, SaysWhatASvgNeeds) {
  Launch launch;
  launch.in_child = [] { setenv("PATH", "/nowhere", 1); };
  ExpectError(RunTool(std::vector<std::string>{"graph", "--format", "svg"} + kSmall, launch), 2, "install graphviz");
}

}  // namespace
}  // namespace weft
