// Models as text: the graph is that of the C++ calls, and what is wrong is told with its place.
#include "weft/models/model_text.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/graph/views/text.h"
#include "weft/models/distributions.h"
#include "weft/models/text/functions.h"
#include "weft/models/text/syntax.h"
#include "weft/models/variational_autoencoder.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

std::string ReadFile(const std::string& name) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string ReadAutoencoder() { return ReadFile("models/variational_autoencoder.weft"); }

std::string TextOf(const std::string& model, const ModelParameters& parameters = {}) {
  Graph graph;
  ParseModel(graph, model, parameters);
  return ToText(graph);
}

// What the lines behind the header and `X = Placeholder([N, 4])` make.
std::string Built(const std::string& lines) { return TextOf("weft model 1\nX = Placeholder([N, 4])\n" + lines); }

// ---- The same graph as the compiled one ----------------------------------------------------------------------------

struct Configuration {
  VaeConfig config;
  ModelParameters parameters;
};

TEST(ModelText, GivesTheGraphOfTheCompiledAutoencoder) {
  const std::string model = ReadAutoencoder();
  const std::vector<Configuration> configurations = {
      {{}, {}},
      {{.pixels = 20, .hidden_units = 16, .hidden_layers = 1, .latent_units = 5},
       {{"pixels", 20.0}, {"hidden", 16.0}, {"layers", 1.0}, {"latent", 5.0}}},
      {{.initializer = Initializer::kTorch}, {{"init", "torch"}}},
      {{.hidden_layers = 7, .initializer = Initializer::kGlorot, .beta = 0.25},
       {{"layers", 7.0}, {"init", "glorot"}, {"beta", 0.25}}},
      {{.initializer = Initializer::kHe, .dtype = DType::kFloat64}, {{"init", "he"}, {"dtype", "f64"}}},
  };
  for (const Configuration& each : configurations) {
    Graph compiled;
    BuildVariationalAutoencoder(compiled, each.config);
    EXPECT_EQ(TextOf(model, each.parameters), ToText(compiled));
  }
}

TEST(ModelText, NamesTheRolesOfTheAutoencoder) {
  Graph graph;
  const ModelText model = ParseModel(graph, ReadAutoencoder(), {{"hidden", 8.0}});
  const std::map<std::string, std::string> expected = {{"input", "InputData/X"},
                                                       {"mean", "Encoder/Mean"},
                                                       {"log_variance", "Encoder/LogVariance"},
                                                       {"noise", "Encoder/Epsilon"},
                                                       {"latent", "Encoder/SampleLatentVariable"},
                                                       {"picture", "Decoder/Mean"},
                                                       {"reconstruction", "Loss/Reconstruction"},
                                                       {"divergence", "Loss/KullbackLeibler"},
                                                       {"loss", "Loss/Total"}};
  std::map<std::string, std::string> roles;
  for (const auto& [role, node] : model.roles) roles[role] = node.name().str();
  EXPECT_EQ(roles, expected);
  EXPECT_EQ(std::get<double>(model.parameters.at("hidden")), 8);
  EXPECT_EQ(std::get<double>(model.parameters.at("latent")), 2);
}

TEST(ModelText, ShipsModelsThatAreLegalGraphs) {
  for (const char* name : {"variational_autoencoder.weft", "gaussian_autoencoder.weft"}) {
    Graph graph;
    const ModelText model = ParseModel(graph, ReadFile(std::string("models/") + name), {{"hidden", 5.0}}, name);
    Verify(graph);
    EXPECT_EQ(model.roles.size(), 9U) << name;
  }
}

// ```weft blocks are whole autoencoders.
TEST(ModelText, ReadsTheModelsOfThePages) {
  std::vector<std::string> pages = {"README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(std::string(WEFT_SOURCE_DIR) + "/docs")) {
    if (entry.path().extension() == ".md") pages.push_back("docs/" + entry.path().filename().string());
  }
  const std::string fence = "\n```weft\n";
  int models = 0;
  for (const std::string& name : pages) {
    const std::string page = ReadFile(name);
    for (size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1), ++models) {
      const size_t begin = at + fence.size();
      Graph graph;
      EXPECT_EQ(ParseModel(graph, page.substr(begin, page.find("\n```", begin) - begin + 1), {}, name).roles.size(),
                9U);
    }
  }
  EXPECT_GE(models, 1);
}

TEST(ModelText, IsDescribedFunctionByFunction) {
  const std::string page = ReadFile("docs/model_files.md");
  for (std::string_view name : ModelFunctionNames()) {
    const std::string signature = FindModelFunction(name)->signature;
    const bool takes_nodes_alone = signature.starts_with("a") && signature.find('?') == std::string::npos;
    if (takes_nodes_alone) continue;  // "any other op that takes nodes alone", and comparisons
    EXPECT_THAT(page, testing::HasSubstr("`" + std::string(name))) << name;
  }
}

// ---- The language --------------------------------------------------------------------------------------------------

// Text, and the C++ that says the same.
struct Pair {
  const char* lines;
  void (*build)(Graph& graph, Node x);
};

TEST(ModelText, SaysWhatCppSays) {
  const std::vector<Pair> pairs = {
      {"Y = Relu(X)", [](Graph&, Node x) { Named("Y", Relu(x)); }},
      {"y = Relu(X)\nz = Exp(y)", [](Graph&, Node x) { Exp(Relu(x)); }},
      {"y = X * 2 + 1 / X - -X",
       [](Graph&, Node x) {
         const Node left = x * 2, right = 1 / x;
         const Node sum = left + right;
         sum - -x;
       }},
      {"y = (X - 1) / (2 * 3 - 4)", [](Graph&, Node x) { (x - 1) / 2; }},
      {"y = 0.5 * Exp(X)", [](Graph&, Node x) { 0.5 * Exp(x); }},
      {"y = X + ReduceSum(X, [0, 1])",
       [](Graph&, Node x) {
         x + ReduceSum(x, {0, 1});
       }},
      {"y = ReduceMean(X)\nz = ReduceMean(X, axes = -1)",
       [](Graph&, Node x) {
         ReduceMean(x);
         ReduceMean(x, {-1});
       }},
      {"y = Maximum(X, 0)", [](Graph& graph, Node x) { Maximum(x, Constant(graph, 0)); }},
      {"y = Less(0, X)", [](Graph& graph, Node x) { Less(Constant(graph, 0), x); }},
      {"y = Elu(X)\nz = LeakyRelu(X, slope = 0.2)",
       [](Graph&, Node x) {
         Elu(x);
         LeakyRelu(x, 0.2);
       }},
      {"y = MatMul(X, X, transpose_right = true)", [](Graph&, Node x) { MatMul(x, x, {.transpose_right = true}); }},
      {"y = Concatenate([X, Slice(X, 1, 0, 2)], 1)",
       [](Graph&, Node x) {
         Concatenate({x, Slice(x, 1, 0, 2)}, 1);
       }},
      {"y = Cast(Transpose(X, [1, 0]), \"f64\")",
       [](Graph&, Node x) {
         Cast(Transpose(x, {1, 0}), DType::kFloat64);
       }},
      {"y = Reshape(X, [N, 2, 2])",
       [](Graph&, Node x) {
         Reshape(x, {kBatch, 2, 2});
       }},
      {"y = NormalLogProbability(X, X, X)",
       [](Graph&, Node x) {
         NormalLogProbability({x, x}, x);
       }},
      {"y = KullbackLeibler(X, X, X, X)",
       [](Graph&, Node x) {
         KullbackLeibler({x, x}, {x, x});
       }},
      {"y = -BernoulliLogProbability(logits = X, value = X)",
       [](Graph&, Node x) { -BernoulliLogProbability({.logits = x, .value = x}); }},
      {"Y = X", [](Graph&, Node x) { Named("Y", x); }},
      {"A/Y = FullyConnected(X, 3, bias = false)",
       [](Graph&, Node x) { FullyConnected("A/Y", x, 3, {.bias = false}); }},
      {"Y = BatchNormalization(X, 0.99, epsilon = 0.001, unbiased_moving_variance = true, initializer = \"he\")",
       [](Graph&, Node x) {
         BatchNormalization(
             "Y", x,
             {.decay = 0.99, .epsilon = 0.001, .unbiased_moving_variance = true, .initializer = Initializer::kHe});
       }},
      {"Y = FullyConnected(X, 3) : log probability",
       [](Graph& graph, Node x) { graph.SetKind(FullyConnected("Y", x, 3), ValueKind::kLogProbability); }},
      {"Z = 2 * FullyConnected(X, 3)", [](Graph&, Node x) { Named("Z", 2 * FullyConnected(x, 3)); }},
      {"W/Initial = TruncatedNormal([4, 2], dtype = \"f32\")\nW = Variable(W/Initial, trainable = false)\ny = "
       "MatMul(X, W)",
       [](Graph& graph, Node x) {
         MatMul(x, Variable("W", TruncatedNormal(graph, "W/Initial", {4, 2}), {.trainable = false}));
       }},
      {"scope A {\n  scope B { Y = Exp(X) }\n  Z = Log(B/Y)\n}\nscope A { V = Z + A/Z }",
       [](Graph& graph, Node x) {
         const Scope a(graph, "A");
         Node y = x;
         {
           const Scope b(graph, "B");
           y = Named("Y", Exp(x));
         }
         const Node z = Named("Z", Log(y));
         Named("V", z + z);
       }},
      {"block Twice(x, by) {\n y = x * by\n return y + y\n}\nx = Twice(X, by = 3)\nZ = Twice(x, 2)",
       [](Graph&, Node x) {
         const Node y = x * 3, z = y + y, v = z * 2;
         Named("Z", v + v);
       }},
      {"a = 2\nblock A(x) {\n b = a\n a = 3\n return x * a * b\n}\ny = A(X)\nz = y + a",
       [](Graph&, Node x) { x * 3 * 2 + 2; }},
      {"x = X\nrepeat 1 + 2 { x = Relu(x) }\nrepeat 0 { x = Exp(x) }", [](Graph&, Node x) { Relu(Relu(Relu(x))); }},
      {"collection a/B : X, X * 2",
       [](Graph& graph, Node x) {
         graph.AddToCollection("a/B", x);
         graph.AddToCollection("a/B", x * 2);
       }},
  };
  for (const Pair& pair : pairs) {
    Graph graph;
    pair.build(graph, Placeholder(graph, "X", {kBatch, 4}));
    EXPECT_EQ(Built(pair.lines), ToText(graph)) << pair.lines;
  }
}

TEST(ModelText, CommentsSpacesAndLinesWithinBracketsMeanNothing) {
  EXPECT_EQ(
      TextOf("\n# first\nweft model 1\r\n\n  X=Placeholder( [ N,\n 4\n], # so\n dtype=\"f32\")\n\tY = Relu(X)#Z = X"),
      Built("Y = Relu(X)"));
}

// Whatever op there is, a model can say it: by its own name, or as another function does.
TEST(ModelText, CallsEveryOp) {
  const std::set<std::string_view> otherwise = {"Compare",       // Greater, Less, Equal …
                                                "RandomState"};  // the operand of each random op
  const std::vector<std::string_view> names = ModelFunctionNames();
  const std::set<std::string_view> known(names.begin(), names.end());
  EXPECT_EQ(known.size(), names.size());
  for (const OpDef* op : AllOps()) EXPECT_NE(known.contains(*op->name), otherwise.contains(*op->name)) << *op->name;
}

// ---- Parameters ----------------------------------------------------------------------------------------------------

TEST(ModelText, ParametersTakeThePlaceOfDefaults) {
  const std::string model =
      "weft model 1\nparameter width = 4\nparameter twice = 2 * width\nparameter kind = \"f32\"\n"
      "parameter flag = true\nX = Placeholder([N, twice], dtype = kind)\n";
  const ModelParameters defaults = {{"width", 4.0}, {"twice", 8.0}, {"kind", "f32"}, {"flag", true}};
  EXPECT_TRUE(ParametersOf(model) == defaults);
  EXPECT_THAT(TextOf(model), testing::HasSubstr("f32[N, 8]"));
  EXPECT_THAT(TextOf(model, {{"width", 3.0}}), testing::HasSubstr("f32[N, 6]"));
  EXPECT_THAT(TextOf(model, {{"twice", 5.0}, {"kind", "f64"}}), testing::HasSubstr("f64[N, 5]"));
}

TEST(ModelText, RefusesParametersThatItDoesNotHave) {
  const std::string model = "weft model 1\nparameter hidden = 4\nparameter init = \"he\"\n";
  EXPECT_EQ(Thrown([&] {
              TextOf(model, {{"hiden", 3.0}});
            }),
            "model text: got the parameter 'hiden', expected one of hidden, init. Did you mean 'hidden'?");
  EXPECT_EQ(Thrown([&] {
              TextOf(model, {{"hidden", "wide"}});
            }),
            "model text, line 2, column 11: got a string for parameter 'hidden', expected a number");
  EXPECT_EQ(Thrown([&] {
              TextOf("weft model 1\n", {{"a", 3.0}});
            }),
            "model text: got the parameter 'a', expected none");
}

// ---- Refusals ------------------------------------------------------------------------------------------------------

struct Refusal {
  const char* lines;  // from line 3 on
  const char* message;
};

TEST(ModelText, TellsWhatIsWrongAndWhere) {
  const std::vector<Refusal> refusals = {
      // Words
      {"Y = Relu(X", "line 3, column 11: got the end, expected ')'"},
      {"Y = \"f32", "line 3, column 5: got '\"', expected another '\"' on this line"},
      {"Y = ", "line 3, column 5: got the end, expected an expression"},
      {"Y = 1e999", "line 3, column 5: got '1e999', expected a number of f64"},
      {"Y = X X", "line 3, column 7: got 'X', expected the end of the line"},
      {"Y = X $ 2", "line 3, column 7: got '$', expected the end of the line"},
      {"µ = X", "line 3, column 1: got '"},
      {"5 = X", "line 3, column 1: got '5', expected a statement"},
      {"parametr hidden = 5", "line 3, column 10: got 'hidden', expected '='. Did you mean 'parameter'?"},
      {"Relu(X)", "line 3, column 5: got '(', expected '='"},
      {"# µ: one letter\nY = Relu(µ)", "line 4, column 10: got '"},
      // Statements
      {"scope A {\nY = Exp(X)", "line 4, column 11: got the end, expected a statement"},
      {"scope A { parameter b = 3 }", "line 3, column 11: got 'parameter', expected it at the top"},
      {"block A(x) { Y = x }", "line 3, column 20: got '}', expected 'return' and what the block gives"},
      {"block A(x) {\nreturn x\nY = x }",
       "line 5, column 1: got 'Y', expected '}': return is the last line of a block"},
      {"block A(X) {\nreturn 1\n}",
       "line 3, column 7: got the input 'X', expected inputs with small letters, each once"},
      {"block A(x, x) {\nreturn 1\n}",
       "line 3, column 7: got the input 'x', expected inputs with small letters, each once"},
      {"block Relu(x) {\nreturn x\n}", "line 3, column 7: got 'Relu', which is taken, expected another name"},
      {"parameter Big = 3", "line 3, column 11: got 'Big', expected a parameter with a small letter in front"},
      {"parameter x = X", "line 3, column 15: got a node, expected a number, a string, true or false"},
      {"parameter a = 1\na = 2", "line 4, column 1: got 'a', which is a parameter, expected another name"},
      {"N = Relu(X)", "line 3, column 1: got 'N', which is the batch size, expected another name"},
      {"repeat X { y = X }", "line 3, column 8: got a node, expected a whole number from 0 to 1000"},
      {"repeat 1.5 { y = X }", "line 3, column 8: got 1.5, expected a whole number from 0 to 1000"},
      {"repeat 1001 { y = X }", "line 3, column 8: got 1001, expected a whole number from 0 to 1000"},
      {"role a = X\nrole a = X", "line 4, column 6: got the role 'a' twice, expected it once"},
      {"role a = 3", "line 3, column 10: got a number, expected a node"},
      {"Y = X : logit",
       "line 3, column 1: got the kind 'logit', expected a node and one of plain, logits, probability, "
       "log probability, mask. Did you mean 'logits'?"},
      {"Y = 3", "line 3, column 5: got a number, expected a node, which has a name in the graph"},
      // Names
      {"Y = Relu(Z)", "line 3, column 10: got 'Z', expected a name of the lines above"},
      {"scope Encoder { LogVariance = X * 2 }\ny = Encoder/Logvariance * 2",
       "line 4, column 5: got 'Encoder/Logvariance', expected a name of the lines above. Did you mean "
       "'Encoder/LogVariance'?"},
      {"scope Encoder {\n LogVariance = X * 2\ny = LogVarience\n}",
       "line 5, column 5: got 'LogVarience', expected a name of the "
       "lines above. Did you mean 'LogVariance'?"},
      {"a = 2\nb = X\nc = b/a",
       "line 5, column 5: got 'b/a', expected a name of the lines above; a quotient has spaces, as 'a / b'"},
      {"Y = Relu(X)\nY = Exp(X)",
       "line 4, column 1: name 'Y': taken by a Relu already; stated names are never altered"},
      // Calls
      {"Y = Reluu(X)",
       "line 3, column 5: got 'Reluu', expected a layer, an op or a block of the lines above. Did you mean 'Relu'?"},
      {"Y = FullyConnected(X)",
       "line 3, column 5: got no 'units', expected FullyConnected(x, units, initializer?, bias?)"},
      {"Y = FullyConnected(X, 3, \"torch\", true, 5)",
       "line 3, column 41: got 5 arguments, expected FullyConnected(x, units, initializer?, bias?)"},
      {"Y = FullyConnected(X, unit = 3)",
       "line 3, column 30: got 'unit', expected FullyConnected(x, units, initializer?, bias?). "
       "Did you mean 'units'?"},
      {"Y = FullyConnected(X, x = X)",
       "line 3, column 27: got 'x' twice, expected FullyConnected(x, units, initializer?, bias?)"},
      {"Y = FullyConnected(X, 3, \"glorott\")",
       "line 3, column 26: got \"glorott\" for 'initializer', expected \"tutorial\", "
       "\"torch\", \"glorot\", \"he\". Did you mean 'glorot'?"},
      {"Y = FullyConnected(X, 2.5)", "line 3, column 23: got 2.5 for 'units', expected a whole number"},
      {"Y = FullyConnected(X, 1e300)", "line 3, column 23: got 1e+300 for 'units', expected a whole number"},
      {"Y = FullyConnected(X, 3, bias = 1)", "line 3, column 33: got a number for 'bias', expected true or false"},
      {"Y = FullyConnected(X, 0)", "line 3, column 5: layer 'Y': got 0 units, expected at least 1"},
      {"Y = FullyConnected(X, 1e13)", "line 3, column 5: "},
      {"Y = Relu(3)", "line 3, column 10: got a number for 'a', expected a node"},
      {"Y = Placeholder(3)", "line 3, column 17: got a number for 'shape', expected a shape, as [N, 784]"},
      {"Y = Placeholder([N, X])", "line 3, column 17: got a node for 'shape', expected a whole number"},
      {"Y = 2 * RandomNormalLike(X)",
       "line 3, column 9: got 'RandomNormalLike' without a name of the graph, expected a line of its own"},
      {"y = Placeholder([3])",
       "line 3, column 5: got 'Placeholder' without a name of the graph, expected a line of its own"},
      {"Y = X + ReduceSum(X, 2)", "line 3, column 9: "},
      {"Y = X + \"a\"", "line 3, column 9: got a node + a string, expected numbers and nodes"},
      {"Y = -[X]", "line 3, column 6: got a list, expected a number or a node behind '-'"},
      {"y = 1 / 0", "line 3, column 9: got inf, expected a finite number"},
      {"Y = MatMul(X, X)", "line 3, column 5: MatMul 'MatMul': inner dimensions differ"},
      {"Y = Concatenate([X, 3], 1)", "line 3, column 17: got a number in the list for 'parts', expected nodes"},
      {"S = Sigmoid(X)\nY = SigmoidCrossEntropy(S, X)", "line 4, column 5: SigmoidCrossEntropy"},
      {"block A(x) {\nreturn x\n}\nY = A()", "line 6, column 5: got no 'x', expected A(x)"},
  };
  for (const Refusal& refusal : refusals) {
    const std::string message = Thrown<Error>([&] { Built(refusal.lines); });
    EXPECT_TRUE(message.starts_with(std::string("model text, ") + refusal.message)) << refusal.lines << "\n" << message;
  }
}

TEST(ModelText, RefusesWhatIsNoModel) {
  const auto refused = [](const std::string& text) { return Thrown([&] { TextOf(text); }); };
  for (const char* text : {"", "weft", "weft graph 1\n", "weft model 2\n", "Y = X"})
    EXPECT_THAT(refused(text), testing::HasSubstr("expected the first line to be 'weft model 1'")) << text;
  EXPECT_EQ(refused("weft graph 1\n"),
            "model text, line 1, column 6: got 'graph', expected the first line to be 'weft model 1'");
  EXPECT_THAT(refused("weft model 1 Y = 3"), testing::HasSubstr("column 14: got 'Y', expected the end of the line"));
  Graph graph;
  EXPECT_THAT(Thrown([&] { ParseModel(graph, "weft model 1\n?", {}, "my.weft"); }),
              testing::StartsWith("my.weft, line 2, column 1: "));
}

TEST(ModelText, HasLimits) {
  const auto refused = [](const std::string& lines) { return Thrown<ResourceError>([&] { Built(lines); }); };
  const auto repeated = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  const std::string head = "weft model 1\n";
  EXPECT_NO_THROW(TextOf(head + std::string(kMaxModelText - head.size(), '#')));
  EXPECT_THAT(Thrown<ResourceError>([&] { TextOf(head + std::string(kMaxModelText - head.size() + 1, '#')); }),
              testing::HasSubstr("got 65537 bytes, expected at most 65536"));
  const auto nested = [&](int depth) { return "Y = " + repeated("(", depth) + "X" + repeated(")", depth); };
  EXPECT_EQ(Built(nested(kMaxModelNesting - 1)), Built("Y = X"));
  EXPECT_THAT(refused(nested(kMaxModelNesting)), testing::HasSubstr("got more than 64 levels of nesting, the limit"));
  EXPECT_THAT(refused("Y = " + repeated("-", 30'000) + "X"), testing::HasSubstr("levels of nesting"));
  EXPECT_THAT(refused(repeated("scope A {", 5000)), testing::HasSubstr("levels of nesting"));
  EXPECT_THAT(refused("Y = " + repeated("[", 30'000)), testing::HasSubstr("levels of nesting"));
  EXPECT_NO_THROW(Built("y = 1" + repeated(" + 1", 10'000))) << "a chain is a loop";
  EXPECT_THAT(refused("block A(x) {\nreturn A(x)\n}\ny = A(X)"),
              testing::HasSubstr("line 4, column 10: got more than 256 levels"));
  EXPECT_THAT(refused("repeat 1000 {\nrepeat 1000 {\nscope A { }\n}\n}"),
              testing::HasSubstr("got more than 250000 statements and expressions"));
}

}  // namespace
}  // namespace weft
