// The DOT view, read back by Graphviz itself: its JSON output says which boxes, arrows and clusters it saw, and with
// which text.
#include "weft/graph/views/dot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <locale>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/models/layers.h"
#include "weft/models/training/optimizers.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

// What `dot -T<format>` makes of the text, drawn by one of its engines.
std::string Rendered(const std::string& dot, const std::string& format, const std::string& engine = "dot") {
  const TemporaryDirectory directory;
  WriteFile(directory / "in.dot", dot);
  const std::string command = "dot -K" + engine + " -T" + format + " " + (directory / "in.dot").string() + " > " +
                              (directory / "out").string() + " 2> " + (directory / "errors").string();
  const int status = system(command.c_str());
  EXPECT_EQ(status, 0) << "is Graphviz installed? dot says: " << ReadFile(directory / "errors") << "\nof\n" << dot;
  EXPECT_THAT(ReadFile(directory / "errors"), IsEmpty()) << dot;
  return ReadFile(directory / "out");
}

// The text that is painted for an object, one string a line.
std::vector<std::string> PaintedLines(const json& object) {
  std::vector<std::string> lines;
  for (const char* layer : {"_ldraw_", "_hldraw_", "_tldraw_"}) {
    if (!object.contains(layer)) continue;
    for (const json& stroke : object[layer]) {
      if (stroke["op"] == "T") lines.push_back(stroke["text"]);
    }
  }
  return lines;
}

// What Graphviz saw. Boxes are known by the first line of their label.
struct Seen {
  std::map<std::string, std::vector<std::string>> boxes;  // first line → all lines
  std::map<std::string, std::set<std::string>> clusters;  // label → first lines of the boxes in it
  std::multimap<std::string, std::string> arrows;         // "A -> B" → label
  std::map<std::string, std::string> shapes;              // first line → shape
  std::set<std::string> ids;
};

Seen SeenBy(const std::string& dot) {
  const json picture = json::parse(Rendered(dot, "json"));
  Seen seen;
  std::map<int, std::string> names;
  for (const json& object : picture.value("objects", json::array())) {
    const std::vector<std::string> lines = PaintedLines(object);
    const std::string name = lines.empty() ? "" : lines[0];
    names[object["_gvid"]] = name;
    if (object.contains("nodes") || object.contains("subgraphs")) continue;
    EXPECT_TRUE(seen.boxes.emplace(name, lines).second) << "two boxes '" << name << "'";
    seen.ids.insert(object["name"].get<std::string>());
    seen.shapes[name] = object["shape"];
  }
  for (const json& object : picture.value("objects", json::array())) {
    if (!object.contains("nodes")) continue;
    for (int id : object["nodes"]) seen.clusters[names[object["_gvid"]]].insert(names[id]);
  }
  for (const json& edge : picture.value("edges", json::array())) {
    const std::vector<std::string> lines = PaintedLines(edge);
    seen.arrows.emplace(names[edge["tail"]] + " -> " + names[edge["head"]], lines.empty() ? "" : lines[0].substr(1));
  }
  return seen;
}

Node Parameter(Graph& graph, std::string_view name, const Shape& shape) {
  const Scope scope(graph, name);
  const Node initial = Named("Initial", BroadcastTo(Constant(graph, 0.5), shape));
  return Variable("Value", initial);
}

// Loss = Σ (X·W + b)², X and W on the outside, the rest in Layer and Loss.
struct SmallModel {
  Graph graph;
  Node x = Placeholder(graph, "X", {kBatch, 3});
  Node h = FullyConnected("Layer", x, 2);
  Node loss = Named("Loss/Total", ReduceMean(Square(h * 2.0)));
};

TEST(Dot, OfNothingIsAnEmptyPicture) { EXPECT_THAT(SeenBy(ToDot(Graph())).boxes, IsEmpty()); }

TEST(Dot, DrawsBoxesArrowsAndClusters) {
  SmallModel model;
  const Seen seen = SeenBy(ToDot(model.graph));
  EXPECT_THAT(seen.boxes,
              UnorderedElementsAre(
                  Pair("X", ElementsAre("X", "f32[N, 3]")), Pair("W", ElementsAre("W", "f32[3, 2]")),
                  Pair("b", ElementsAre("b", "f32[2]")), Pair("MatMul", ElementsAre("MatMul")),
                  Pair("Layer", ElementsAre("Layer", "Add")), Pair("Multiply(·, 2)", ElementsAre("Multiply(·, 2)")),
                  Pair("Square", ElementsAre("Square")), Pair("ReduceSum", ElementsAre("ReduceSum", "axis=0 count=2")),
                  Pair("Total", ElementsAre("Total", "Divide(·, N×2)"))));
  EXPECT_THAT(seen.arrows, UnorderedElementsAre(
                               Pair("X -> MatMul", ""), Pair("W -> MatMul", ""), Pair("MatMul -> Layer", "f32[N, 2]"),
                               Pair("b -> Layer", ""), Pair("Layer -> Multiply(·, 2)", "f32[N, 2]"),
                               Pair("Multiply(·, 2) -> Square", "f32[N, 2]"), Pair("Square -> ReduceSum", "f32[N, 2]"),
                               Pair("ReduceSum -> Total", "f32[]")));
  EXPECT_THAT(seen.clusters, UnorderedElementsAre(Pair("Layer", UnorderedElementsAre("W", "b", "MatMul", "Layer")),
                                                  Pair("Loss", UnorderedElementsAre("Total"))));
  EXPECT_THAT(
      seen.shapes,
      IsSupersetOf({std::pair<const std::string, std::string>("W", "cylinder"), {"X", "invhouse"}, {"Square", "box"}}));
  for (const std::string& id : seen.ids) EXPECT_THAT(id, testing::MatchesRegex("[0-9]+"));
}

TEST(Dot, IsTheSameTextEveryTime) {
  SmallModel a, b;
  EXPECT_EQ(ToDot(a.graph), ToDot(b.graph));
}

TEST(Dot, ParallelEdgesAreTwoArrows) {
  Graph graph;
  const Node x = ToyInput(graph, "X");
  ToyBinary(x, x);
  EXPECT_EQ(SeenBy(ToDot(graph)).arrows.count("X -> Binary"), 2u);
}

TEST(Dot, EscapesWhateverIsInAName) {
  const std::string names[] = {
      "Graph",        "Node",       "digraph",       "subgraph", "strict",       "\"];evil[", "\"",    "\\",
      "\\N\\G\\n\\l", "trailing\\", "{a|b}",         "<b>x",     "&amp;",        "a&lt;b",    "&#65;", "a;b",
      "#comment",     "->",         "[label=\"x\"]", "a\xffz",   "<B>bold<\\B>", "100%",      "$(id)", "`id`",
      "\\\"",         "'",          "Größe μ",       " ",        "</script>"};
  Graph graph;
  std::vector<Node> nodes;
  std::vector<std::string> expected;
  for (const std::string& name : names) {
    nodes.push_back(ToyInput(graph, name));
    expected.insert(expected.end(), 2, Escaped(nodes.back().name().leaf()));
    const Scope scope(graph, "Scope " + std::to_string(nodes.size()));
    ToyInput(graph, name);
  }
  graph.Rename(graph.Add(kToyConcat, nodes), "Everything");
  const std::string dot = ToDot(graph);
  const json picture = json::parse(Rendered(dot, "json"));
  std::multiset<std::string> painted;
  for (const json& object : picture["objects"]) {
    for (const std::string& line : PaintedLines(object)) painted.insert(line);
  }
  EXPECT_THAT(painted, IsSupersetOf(expected));
  EXPECT_THAT(Rendered(dot, "svg"), AllOf(HasSubstr("</svg>"), Not(HasSubstr("</script>"))));
  EXPECT_THAT(Rendered(dot, "plain"), HasSubstr("stop"));
}

TEST(Dot, OfRandomGraphsIsValidUnderAllOptions) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    Graph graph;
    for (int i = 0; i < 40; ++i) {
      std::string path;
      for (size_t k = random() % 4; k > 0; --k) path += std::string(1, static_cast<char>('A' + random() % 3)) + "/";
      std::vector<Node> operands;
      for (size_t k = graph.size() == 0 ? 0 : random() % 4; k > 0; --k)
        operands.push_back(graph.node(NodeId{static_cast<uint32_t>(random() % graph.size())}));
      path += "N" + std::to_string(i);
      if (operands.empty()) ToyVariable(graph, path);
      else graph.AddNamed(path, kToyConcat, operands);
    }
    for (uint32_t i = 0; i < graph.size(); ++i) {
      const NodeId last{static_cast<uint32_t>(graph.size() - 1)};
      if (graph.op(NodeId{i}).is_source()) graph.AddUpdate(graph.node(NodeId{i}), graph.node(last));
    }
    DotOptions options;
    for (size_t k = random() % 3; k > 0; --k)
      options.targets.push_back(NodeId{static_cast<uint32_t>(random() % graph.size())});
    options.depth = static_cast<int>(random() % 5);
    if (random() % 3 == 0) options.scope = Path(std::string(1, static_cast<char>('A' + random() % 3)));
    const std::string dot = ToDot(graph, options);
    // Whether the text is well-formed is the question: the ranking of Graphviz 2.42 gives up on some random clusters.
    EXPECT_THAT(Rendered(dot, "canon", "osage"), HasSubstr("digraph G"));
  }
}

TEST(Dot, EscapesScopesAndAttributes) {
  Graph graph;
  const Scope scope(graph, "\"];evil[/Node");
  graph.AddNamed("A", kToyConcat, {ToyInput(graph, "X")}, {{"text", std::string("line\nbreak \"q\" \\ &amp;")}});
  const Seen seen = SeenBy(ToDot(graph));
  EXPECT_THAT(seen.boxes.at("A"), ElementsAre("A", "Concat", R"(text="line\x0abreak \"q\" \\ &amp;")"));
  EXPECT_THAT(seen.clusters, UnorderedElementsAre(Pair("\"];evil[", UnorderedElementsAre("A", "X")),
                                                  Pair("Node", UnorderedElementsAre("A", "X"))));
}

// ---- What is left out ----------------------------------------------------------------------------------------------

TEST(Dot, DrawsWhatTheTargetsNeed) {
  SmallModel model;
  EXPECT_THAT(SeenBy(ToDot(model.graph, {.targets = {model.h.id()}})).boxes,
              UnorderedElementsAre(Key("X"), Key("W"), Key("b"), Key("MatMul"), Key("Layer")));
  EXPECT_THAT(Thrown([&] { ToDot(model.graph, {.targets = {kNoNode}}); }), HasSubstr("expected one of"));
}

TEST(Dot, DrawsAScopeAndInGreyWhatItReads) {
  SmallModel model;
  const std::string dot = ToDot(model.graph, {.scope = "Layer"});
  const Seen seen = SeenBy(dot);
  EXPECT_THAT(seen.boxes, UnorderedElementsAre(Key("X"), Key("W"), Key("b"), Key("MatMul"), Key("Layer")));
  EXPECT_EQ(seen.shapes.at("X"), "plaintext");
  EXPECT_THAT(seen.clusters, UnorderedElementsAre(Pair("Layer", UnorderedElementsAre("W", "b", "MatMul", "Layer"))));
  EXPECT_THAT(SeenBy(ToDot(model.graph, {.scope = "Lay"})).boxes, IsEmpty());
}

TEST(Dot, LeavesTypesOutIfAsked) {
  SmallModel model;
  EXPECT_THAT(ToDot(model.graph, {.types = false}), Not(HasSubstr("label=\" f32")));
  EXPECT_THAT(SeenBy(ToDot(model.graph, {.types = false})).boxes.at("X"), ElementsAre("X"));
}

TEST(Dot, ConstantsThatAreNamedOrLargeAreDrawn) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {2});
  const Node y = x * Named("Factor", Constant(graph, 0.25)) + Constant(graph, Tensor::Of<float>({2}, {1, 2})) - 3.0;
  Named("Ones", BroadcastTo(Constant(graph, 1.0), {2}));
  const Seen seen = SeenBy(ToDot(graph));
  EXPECT_THAT(seen.boxes,
              UnorderedElementsAre(Key("X"), Pair("Factor", ElementsAre("Factor", "0.25")),
                                   Pair("Constant f32[2]", ElementsAre("Constant f32[2]")), Key("Multiply"), Key("Add"),
                                   Key("Subtract(·, 3)"), Pair("Ones", ElementsAre("Ones", "BroadcastTo(1)"))));
  EXPECT_THAT(seen.arrows, Contains(Pair("Factor -> Multiply", "f32[]"))) << "through a BroadcastTo that is not drawn";
  EXPECT_THAT(SeenBy(ToDot(graph, {.targets = {y.operand(1).operand(0).id()}})).boxes, UnorderedElementsAre(Key("3")))
      << "a target is always drawn";
}

// ---- Folding -------------------------------------------------------------------------------------------------------

TEST(Dot, FoldsDeepScopes) {
  SmallModel model;
  const Seen seen = SeenBy(ToDot(model.graph, {.depth = 0}));
  EXPECT_THAT(seen.boxes, UnorderedElementsAre(Key("X"), Pair("Layer", ElementsAre("Layer", "4 nodes, 2 variables")),
                                               Key("Multiply(·, 2)"), Key("Square"), Key("ReduceSum"), Key("Total")));
  EXPECT_THAT(seen.arrows, IsSupersetOf({std::pair<const std::string, std::string>("X -> Layer", ""),
                                         {"Layer -> Multiply(·, 2)", "f32[N, 2]"}}));
  EXPECT_THAT(seen.clusters, IsEmpty()) << "a scope of one node is no box";
}

TEST(Dot, ArrowsBetweenFoldedScopesAreOne) {
  Graph graph;
  const Node a = ToyInput(graph, "A/X"), b = ToyInput(graph, "A/Y");
  const Scope scope(graph, "B/Deep");
  ToyUnary(ToyBinary(a, b));
  ToyUnary(a);
  EXPECT_THAT(SeenBy(ToDot(graph, {.depth = 0})).arrows, UnorderedElementsAre(Pair("A -> B", "2 values")));
  const Seen seen = SeenBy(ToDot(graph, {.depth = 1}));
  EXPECT_THAT(seen.arrows, UnorderedElementsAre(Pair("X -> Deep", ""), Pair("Y -> Deep", "")));
  EXPECT_THAT(seen.clusters,
              UnorderedElementsAre(Pair("A", UnorderedElementsAre("X", "Y")), Pair("B", UnorderedElementsAre("Deep"))));
}

TEST(Dot, DepthCountsFromTheScope) {
  Graph graph;
  const Node x = ToyInput(graph, "A/B/X");
  const Scope scope(graph, "A/B/C");
  ToyUnary(ToyUnary(x));
  const Seen seen = SeenBy(ToDot(graph, {.scope = "A", .depth = 1}));
  EXPECT_THAT(seen.boxes, UnorderedElementsAre(Key("X"), Pair("C", ElementsAre("C", "2 nodes"))));
  EXPECT_THAT(SeenBy(ToDot(graph, {.scope = "A", .depth = -5})).boxes,
              UnorderedElementsAre(Pair("B", ElementsAre("B", "3 nodes"))));
}

// ---- Updates, initial values, gradients ----------------------------------------------------------------------------

TEST(Dot, UpdatesAreArrowsBackToTheirVariable) {
  Graph graph;
  const Node v = Parameter(graph, "V", {2});
  graph.AddUpdate(v, Named("Next", v * 0.5));
  EXPECT_THAT(SeenBy(ToDot(graph)).arrows,
              UnorderedElementsAre(Pair("Value -> Next", ""), Pair("Value -> Next", "update")));
  EXPECT_THAT(SeenBy(ToDot(graph)).boxes,
              UnorderedElementsAre(Key("Value"), Pair("Next", ElementsAre("Next", "Multiply(·, 0.5)"))));
}

TEST(Dot, InitialValuesAreDrawnIfAsked) {
  Graph graph;
  const Node v = Parameter(graph, "V", {2});
  const Node noise = RandomNormal(graph, "Noise", {2});
  Named("Sum", v + noise);
  EXPECT_THAT(SeenBy(ToDot(graph)).boxes, UnorderedElementsAre(Key("Value"), Key("Noise"), Key("Sum")));
  const Seen seen = SeenBy(ToDot(graph, {.initial_values = true}));
  EXPECT_THAT(seen.boxes, UnorderedElementsAre(Key("Value"), Key("Noise"), Key("Sum"),
                                               Pair("Initial", ElementsAre("Initial", "BroadcastTo(0.5)"))));
  EXPECT_THAT(seen.arrows, Contains(Pair("Initial -> Value", "initial value")));
  EXPECT_EQ(seen.shapes.at("Noise"), "hexagon");
}

TEST(Dot, GradientsHaveTheirOwnClusterOrAreLeftOut) {
  SmallModel model;
  Minimize(model.loss, SGD{});
  const std::string dot = ToDot(model.graph);
  EXPECT_THAT(Rendered(dot, "json"), HasSubstr("\"Gradients\""));
  EXPECT_THAT(dot, HasSubstr("label=\"Gradients\"; style=\"rounded,filled,dashed\""));
  SmallModel plain;
  const Seen forward = SeenBy(ToDot(model.graph, {.gradients = false}));
  EXPECT_EQ(forward.boxes, SeenBy(ToDot(plain.graph)).boxes);
}

TEST(Dot, TakesNamesFromNoLocale) {
  struct Grouped : std::numpunct<char> {
    char do_thousands_sep() const override { return ','; }
    std::string do_grouping() const override { return "\1"; }
  };
  Graph graph;
  ToyChain(graph, 30);
  const std::string expected = ToDot(graph);
  const std::locale before = std::locale::global(std::locale(std::locale(), new Grouped));
  const std::string dot = ToDot(graph);
  std::locale::global(before);
  EXPECT_EQ(dot, expected);
}

}  // namespace
}  // namespace weft
