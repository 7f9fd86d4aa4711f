// The text form: what it looks like, that it comes back, and what it says about text that is none.
#include "weft/graph/views/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/tests/support/thrown.h"
#include "weft/tests/support/toy_ops.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Graph Parsed(std::string_view text) { return ParseText(text, FindToyOp); }

std::string Refusal(const std::string& lines) {
  return Thrown([&] { Parsed("weft graph 1\n" + lines); });
}

void ExpectSameGraph(const Graph& a, const Graph& b) {
  ASSERT_EQ(a.size(), b.size());
  for (uint32_t i = 0; i < a.size(); ++i) {
    const NodeId id{i};
    EXPECT_EQ(a.name(id), b.name(id));
    EXPECT_EQ(&a.op(id), &b.op(id));
    EXPECT_EQ(a.type(id), b.type(id)) << a.name(id).str();
    EXPECT_EQ(a.attributes(id), b.attributes(id)) << a.name(id).str();
    EXPECT_TRUE(std::ranges::equal(a.operands(id), b.operands(id))) << a.name(id).str();
  }
  EXPECT_TRUE(std::ranges::is_permutation(a.aliases(), b.aliases()));
  EXPECT_EQ(a.collections(), b.collections());
  EXPECT_TRUE(std::ranges::equal(a.updates(), b.updates()));
  EXPECT_TRUE(std::ranges::equal(a.initial_values(), b.initial_values()));
}

TEST(Text, IsOneLineANode) {
  Graph graph;
  const Node x = ToyInput(graph, "InputData/X", {kBatch, 784});
  const Node w = ToyVariable(graph, "Encoder/W", {kBatch, 784});
  {
    const Scope scope(graph, "Encoder");
    const Node h = Named("H", graph.Add(kToyBinary, {x, w}, {{"slope", 0.2}, {"axes", std::vector<int64_t>{0, 1}}}));
    graph.SetKind(h, ValueKind::kLogProbability);
    Named("Hidden", h);
    graph.AddInitialValue(w, x);
    graph.AddUpdate(w, ToyUnary(h));
    graph.AddToCollection("layer_tensor/Encoder", h);
    graph.AddToCollection("layer_tensor/Encoder", x);
  }
  EXPECT_EQ(ToText(graph),
            "weft graph 1\n"
            "InputData/X = Placeholder() {dtype=f32 shape=[N, 784]} : f32[N, 784]\n"
            "Encoder/W = Variable() {dtype=f32 shape=[N, 784] trainable=true} : f32[N, 784]\n"
            "Encoder/H = Binary(InputData/X, Encoder/W) {axes=(0, 1) slope=0.2} : f32[N, 784] log probability\n"
            "Encoder/Unary = Unary(Encoder/H) : f32[N, 784]\n"
            "alias Encoder/Hidden = Encoder/H\n"
            "initial Encoder/W <- InputData/X\n"
            "update Encoder/W <- Encoder/Unary\n"
            "collection layer_tensor/Encoder : Encoder/H, InputData/X\n");
  ExpectSameGraph(Parsed(ToText(graph)), graph);
  EXPECT_EQ(ToText(Parsed(ToText(graph))), ToText(graph));
}

TEST(Text, OfNothingIsItsFirstLine) {
  EXPECT_EQ(ToText(Graph()), "weft graph 1\n");
  EXPECT_EQ(Parsed("weft graph 1").size(), 0u);
}

TEST(Text, ForgivesSpacesCommentsAndLineEndings) {
  const Graph graph = Parsed(
      "# made by hand\r\n\r\n"
      "  weft graph 1  \r\n"
      "\t# sources\n"
      "A=Placeholder(){dtype=f32 shape=[2]}:f32[2]\r\n"
      "\n"
      "  B   =  Binary ( A ,A )   { }  :   f32[2]  \n"
      "alias C=B");
  EXPECT_EQ(ToText(graph),
            "weft graph 1\n"
            "A = Placeholder() {dtype=f32 shape=[2]} : f32[2]\n"
            "B = Binary(A, A) : f32[2]\n"
            "alias C = B\n");
}

TEST(Text, QuotesOddNamesAndKeys) {
  Graph graph;
  std::vector<Node> nodes;
  for (const char* name : {"a b", "x,y", "x)", "=", "\"];evil[", "</script>", "back\\slash", "\\x41", "Größe/μ",
                           "\xff\xc3(", "#", "weft graph 1", "update", "alias/a b", "{}", ":", "<-", "a = b"}) {
    nodes.push_back(ToyInput(graph, name));
  }
  graph.Rename(graph.Add(kToyConcat, nodes, {{"", true}, {"a b", int64_t{1}}, {"x=\"1\"", 0.5}}), "all of them");
  graph.Rename(graph.Find("all of them"), "other \"name\"");
  graph.Rename(graph.Find("update"), "alias");
  for (const char* key : {"", " ", "line\nbreak", "key:with,", "\xff"}) graph.AddToCollection(key, nodes[0]);
  const std::string text = ToText(graph);
  ExpectSameGraph(Parsed(text), graph);
  EXPECT_EQ(ToText(Parsed(text)), text);
  EXPECT_THAT(text, AllOf(HasSubstr("\"\\\"];evil[\" = Placeholder()"), HasSubstr("\"back\\\\slash\" ="),
                          HasSubstr("\"\\xff\\xc3(\" ="), HasSubstr("\"Größe/μ\" ="),
                          HasSubstr("update = Placeholder()"), HasSubstr("collection \"line\\x0abreak\" : \"a b\"")));
}

TEST(Text, RoundTripsRandomGraphs) {
  std::mt19937 random(11);
  for (int round = 0; round < 50; ++round) {
    Graph graph;
    for (int i = 0; i < 30; ++i) {
      std::vector<Node> operands;
      for (size_t k = graph.size() == 0 ? 0 : random() % 3; k > 0; --k)
        operands.push_back(graph.node(NodeId{static_cast<uint32_t>(random() % graph.size())}));
      const Scope scope(graph, std::string(1, static_cast<char>('A' + random() % 3)));
      if (operands.empty()) ToyVariable(graph, "V" + std::to_string(i));
      else graph.Add(kToyConcat, operands, {{"number", static_cast<double>(random()) / 7}});
      const Node last = graph.node(NodeId{static_cast<uint32_t>(graph.size() - 1)});
      if (random() % 5 == 0) graph.SetKind(last, static_cast<ValueKind>(random() % 5));
      if (random() % 5 == 0) Named("Stated" + std::to_string(i), last);
      if (random() % 5 == 0) graph.AddToCollection("key" + std::to_string(random() % 3), last);
      if (operands.empty()) graph.AddUpdate(last, graph.node(NodeId{static_cast<uint32_t>(random() % graph.size())}));
    }
    const std::string text = ToText(graph);
    const Graph again = Parsed(text);
    ExpectSameGraph(again, graph);
    EXPECT_EQ(ToText(again), text);
    EXPECT_NO_THROW(Verify(again));
  }
}

TEST(Text, AParsedGraphCanGrow) {
  Graph graph = Parsed(
      "weft graph 1\nX = Placeholder() {dtype=f32 shape=[]} : f32[]\nUnary = Unary(X) : f32[]\nUnary_1 = Unary(X) : "
      "f32[]\n");
  EXPECT_EQ(ToyUnary(graph.Find("X")).name(), Path("Unary_2"));
  EXPECT_EQ(graph.uses(graph.Find("X").id()).size(), 3u);
}

TEST(Text, RefusalsSayLineAndColumn) {
  const std::string a = "A = Placeholder() {dtype=f32 shape=[2]} : f32[2]\n";
  const std::string v = "V = Variable() {dtype=f32 shape=[2] trainable=true} : f32[2]\n";
  struct Case {
    std::string lines;
    std::string sentence;
  };
  const Case cases[] = {
      {a + "B", "line 3, column 2: got the end, expected '='"},
      {a + "B : C", "line 3, column 3: got ': C', expected '='"},
      {a + "= Unary(A)", "line 3, column 1: got '= Unary(A)', expected a name"},
      {a + "B = Unery(A) : f32[2]", "line 3, column 5: got 'Unery(A) : f32[2]', expected a known op"},
      {a + "B = Unary A", "line 3, column 11: got 'A', expected '('"},
      {a + "B = Unary(C) : f32[2]", "line 3, column 11: got 'C) : f32[2]', expected a node of the lines above"},
      {a + "B = Unary(B) : f32[2]", "line 3, column 11: got 'B) : f32[2]', expected a node of the lines above"},
      {a + "B = Unary(A", "line 3, column 12: got the end, expected ')'"},
      {a + "B = Unary(A,) : f32[2]", "line 3, column 13: got ') : f32[2]', expected a name"},
      {a + "B = Unary(A) f32[2]", "line 3, column 14: got 'f32[2]', expected ':'"},
      {a + "B = Unary(A) : f32[3]", "line 3, column 16: got 'f32[3]', expected f32[2]"},
      {a + "B = Unary(A) : f64[2]", "got 'f64[2]', expected f32[2]"},
      {a + "B = Unary(A) : f32[2] probable", "got 'f32[2] probable', expected f32[2]"},
      {a + "B = Unary(A) :", "line 3, column 15: got the end, expected f32[2]"},
      {a + "B = Unary(A) {slope} : f32[2]", "line 3, column 20: got '} : f32[2]', expected '='"},
      {a + "B = Unary(A) {slope=} : f32[2]", "line 3, column 21: attribute: got '} : f32[2]', expected a number"},
      {a + "B = Unary(A) {slope=1 slope=2} : f32[2]",
       "line 3, column 23: got 'slope=2} : f32[2]', expected another attribute"},
      {a + "B = Unary(A) {slope=1", "line 3, column 22: got the end, expected a name"},
      {a + "μ = Unary(A)", "line 3, column 1: got 'μ = Unary(A)', expected a name"},
      {a + "\"μ\" ? Unary(A)", "line 3, column 5: got '? Unary(A)', expected '='"},
      {a + "\"B = Unary(A)", "expected '\"'"},
      {a + "\"\" = Unary(A) : f32[2]", "name '': is empty"},
      {a + "B//C = Unary(A) : f32[2]", "line 3, column 18: name 'B//C': has an empty component"},
      {a + "B = Unary(A//B) : f32[2]", "name 'A//B': has an empty component"},
      {a + a, "line 3, column 42: name 'A': taken by a Placeholder already"},
      {a + "B = Unary(A, A) : f32[2]", "line 3, column 18: Unary 'B': got 2 operands, expected 1"},
      {"A = Placeholder() : f32[2]", "line 2, column 20: attribute 'dtype': missing"},
      {"A = Placeholder() {dtype=f32 shape=[1, 1, 1, 1, 1, 1, 1]} : f32[2]", "got rank 7"},
      {"B = Unary() : f32[2]", "line 2, column 14: Unary 'B': got 0 operands, expected 1"},
      {a + "alias B", "line 3, column 8: got the end, expected '='"},
      {a + "alias B = C", "line 3, column 11: got 'C', expected a node of the lines above"},
      {a + "alias B = A A", "line 3, column 13: got 'A', expected the end of the line"},
      {a + v + "alias V = A", "line 4, column 12: name 'V': taken by a Variable already"},
      {a + "update A <- A", "line 3, column 14: update of 'A': got a Placeholder, expected a variable"},
      {v + "update V = V", "line 3, column 10: got '= V', expected '<-'"},
      {v + "update V <- V\nupdate V <- V", "line 4, column 14: update of 'V': it has one already"},
      {v + "initial V <- V\ninitial V <- V", "line 4, column 15: initial value of 'V': it has one already"},
      {a + "collection key A", "line 3, column 16: got 'A', expected ':'"},
      {a + "collection key :", "line 3, column 17: got the end, expected a name"},
      {a + "collection key : A,", "line 3, column 20: got the end, expected a name"},
      {a + "colection key : A", "line 3, column 11: got 'key : A', expected '='"},
  };
  for (const Case& c : cases)
    EXPECT_THAT(Refusal(c.lines), AllOf(HasSubstr("graph text, line"), HasSubstr(c.sentence))) << c.lines;
}

TEST(Text, RefusesWhatIsNoGraphText) {
  EXPECT_EQ(Thrown([] { Parsed(""); }), "graph text: got the end, expected 'weft graph 1'");
  EXPECT_THAT(Thrown([] { Parsed("\n# nothing\n"); }), HasSubstr("got the end, expected 'weft graph 1'"));
  EXPECT_EQ(Thrown([] { Parsed("weft graph 2\n"); }),
            "graph text, line 1, column 1: got 'weft graph 2', expected 'weft graph 1'");
  EXPECT_THAT(Thrown([] { Parsed("\x89PNG\r\n\x1a\n"); }), AllOf(HasSubstr("got '\\x89PNG'"), Not(HasSubstr("\x89"))));
  EXPECT_THAT(Thrown([] { Parsed("<html>" + std::string(100000, 'x')); }), HasSubstr("<html>xxx"));
  EXPECT_LT(Thrown([] { Parsed(std::string(100000, '\x01')); }).size(), 300u);
}

TEST(Text, EndsSomewhereAndIsRefusedOrRead) {
  Graph graph;
  const Node x = ToyInput(graph, "a b/X", {kBatch, 784});
  const Node v = ToyVariable(graph, "V", {kBatch, 784});
  graph.AddUpdate(v, graph.Add(kToyBinary, {x, v},
                               {{"text", std::string("\"\\\n")},
                                {"value", std::make_shared<const Tensor>(Tensor::Of<float>({2}, {1, 2}))}}));
  const std::string text = ToText(graph);
  for (size_t length = 0; length < text.size(); ++length) {
    try {
      const Graph read = Parsed(text.substr(0, length));
      EXPECT_NO_THROW(Verify(read)) << length;
    } catch (const GraphError& error) {
      EXPECT_THAT(error.what(), HasSubstr("graph text")) << length;
    }
  }
}

TEST(Text, HarmedAnywhereIsRefusedOrRead) {
  Graph graph;
  const Node x = ToyInput(graph, "a b/X", {kBatch, 784});
  const Node v = ToyVariable(graph, "V", {kBatch, 784});
  graph.AddUpdate(v, graph.Add(kToyBinary, {x, v},
                               {{"axes", std::vector<int64_t>{1}},
                                {"value", std::make_shared<const Tensor>(Tensor::Of<float>({2}, {1, 2}))}}));
  const std::string text = ToText(graph);
  std::mt19937 random(5);
  const std::string_view letters = "\"\\{}[]()=:,<-N09.e \n#\x01\xff";
  for (int i = 0; i < 5000; ++i) {
    std::string harmed = text;
    for (size_t k = 1 + random() % 3; k > 0; --k) harmed[random() % harmed.size()] = letters[random() % letters.size()];
    try {
      const Graph read = Parsed(harmed);
      EXPECT_NO_THROW(Verify(read)) << harmed;
      EXPECT_EQ(ToText(Parsed(ToText(read))), ToText(read)) << harmed;
    } catch (const Error&) {}
  }
}

TEST(Text, LinesHaveALimit) {
  std::string line = "weft graph 1\n#" + std::string(kMaxTextLine - 1, 'x');
  EXPECT_EQ(Parsed(line).size(), 0u);
  EXPECT_THAT(Thrown<ResourceError>([&] { Parsed(line + "x"); }),
              HasSubstr("line 2: got 67108865 bytes, expected at most 67108864"));
}

TEST(Text, FollowsAMillionNodesInARow) {
  Graph graph;
  ToyChain(graph, 1'000'000);
  const std::string text = ToText(graph);
  const Graph again = Parsed(text);
  EXPECT_EQ(again.size(), graph.size());
  EXPECT_EQ(ToText(again), text);
}

TEST(Text, TakesAsManyUpdatesAsVariables) {
  std::string text = "weft graph 1\n", updates;
  for (int i = 0; i < 100'000; ++i) {
    text += "V" + std::to_string(i) + " = Variable() {dtype=f32 shape=[] trainable=true} : f32[]\n";
    updates += "update V" + std::to_string(i) + " <- V0\n";
  }
  EXPECT_EQ(Parsed(text + updates).updates().size(), 100'000u);
}

}  // namespace
}  // namespace weft
