// Rows 67 to 78: what a program may build and run that is none; and what only a program can ask of files.
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <exception>
#include <functional>
#include <semaphore>
#include <set>
#include <span>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/autodiff/gradients.h"
#include "weft/examples/vae/byte_stream.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/scope.h"
#include "weft/graph/verify.h"
#include "weft/graph/views/text.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/tests/inputs/rows.h"
#include "weft/tests/support/graph_surgery.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

// ---- Ops of a user -------------------------------------------------------------------------------------------------

TensorType SameType(const TypeContext& context) { return context.operand(0); }

// An op in one step that runs `step`; or one that only exists.
constexpr OpDef UserOp(std::string_view name, void (*rule)(LoweringContext&), TypeRule type = SameType) {
  return {.name = name,
          .arity = 1,
          .type = type,
          .formula = [](double x) { return x; },
          .gradient = NotDifferentiable("nobody knows it"),
          .lower = InSteps{rule},
          .samples = []() -> SampleSet { return {}; }};
}

template <StepFunction kRun>
void OneStep(LoweringContext& context) {
  context.steps.push_back({.run = kRun, .reads = {OperandBuffer(0)}, .writes = {StepBuffer::kResult}});
}

void DoNothing(const StepArguments&, uint32_t, uint32_t) {}
constexpr OpDef kOpaque = UserOp("Opaque", OneStep<DoNothing>);

void Throw(const StepArguments&, uint32_t, uint32_t) { throw std::runtime_error("the sensor is unplugged"); }
constexpr OpDef kThrowing = UserOp("Throwing", OneStep<Throw>);

// Runs the session that it is given, from within.
std::function<void()> nested_run;
void RunNested(const StepArguments&, uint32_t, uint32_t) { nested_run(); }
constexpr OpDef kNesting = UserOp("Nesting", OneStep<RunNested>);

constexpr OpDef kEndless = UserOp("Endless", OneStep<DoNothing>, [](const TypeContext&) -> TensorType {
  return {.shape = {Shape::kMaxElements + 1}};
});

// Its type rule waits until another thread has come.
std::binary_semaphore rule_is_reached(0), rule_may_end(0);
constexpr OpDef kSlow = UserOp("Slow", OneStep<DoNothing>, [](const TypeContext& context) {
  rule_is_reached.release();
  rule_may_end.acquire();
  return context.operand(0);
});

constexpr OpDef kLopsided = {
    .name = "Lopsided",
    .arity = 1,
    .type = SameType,
    .formula = [](double x) { return x; },
    .gradient = [](const GradientContext& c) -> Contributions { return {Constant(c.operand(0).graph(), 1.0)}; },
    .lower = InSteps{OneStep<DoNothing>},
    .samples = []() -> SampleSet { return {}; }};

// ---- Cases ---------------------------------------------------------------------------------------------------------

// A graph of its own for each case.
ApiCase In(int row, std::string name, std::string message, const std::function<void(Graph&)>& action) {
  return {.row = row,
          .name = std::move(name),
          .action =
              [action] {
                Graph graph;
                action(graph);
              },
          .message = std::move(message)};
}

Node Input(Graph& graph, const char* name, const Shape& shape, DType dtype = DType::kFloat32) {
  return Placeholder(graph, name, shape, {.dtype = dtype});
}

void AddFromTwoThreads(Graph& graph) {
  const Node x = Input(graph, "X", {2});
  std::jthread other([&] { graph.AddNamed("Y", kSlow, {x}); });
  rule_is_reached.acquire();
  std::exception_ptr thrown;
  try {
    Exp(x);
  } catch (...) {
    thrown = std::current_exception();
  }
  rule_may_end.release();
  other.join();
  EXPECT_EQ(graph.size(), 2U);
  EXPECT_EQ(Exp(graph.Find(Path("Y"))).shape(), Shape({2})) << "the graph is whole";
  if (thrown) std::rethrow_exception(thrown);
}

std::vector<ApiCase> Shapes() {
  return {
      In(67, "a product of matrices that do not fit",
         "MatMul 'Encoder/MatMul': …\n  operand 0  'X'  f32[N, 512]\n  operand 1  'W'  f32[500, 2]",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {kBatch, 512}), w = Input(graph, "W", {500, 2});
           const Scope scope(graph, "Encoder");
           MatMul(x, w);
         }),
      In(67, "shapes that do not broadcast", "Add …'A'…f32[2, 3]…'B'…f32[4]",
         [](Graph& graph) {
           Input(graph, "A", {2, 3}) + Input(graph, "B", {4});
         }),
      In(67, "the batch and a number", "Add …'A'…f32[N]…'B'…f32[7]",
         [](Graph& graph) { Input(graph, "A", {kBatch}) + Input(graph, "B", {7}); }),
      In(67, "parts of other lengths beside the axis",
         "Concatenate 'Concatenate': operands of different lengths beside the axis\n  operand 0  'A'  f32[2, 3]\n  "
         "operand 1  'B'  f32[2, 4]",
         [](Graph& graph) {
           Concatenate({Input(graph, "A", {2, 3}), Input(graph, "B", {2, 4})}, 0);
         }),
      In(68, "an unknown op", "graph text, line 2, column 5: got 'Frobnicate() : f32[]', expected a known op",
         [](Graph&) { ParseText("weft graph 1\nX = Frobnicate() : f32[]\n", FindOp); }),
      In(68, "too few operands", "Add 'Add': got 1 operands, expected 2",
         [](Graph& graph) { graph.Add(kAdd, {Input(graph, "A", {})}); }),
      In(68, "operands of other types", "Add 'Add': …f32[]…f64[]",
         [](Graph& graph) {
           graph.Add(kAdd, {Input(graph, "A", {}), Input(graph, "B", {}, DType::kFloat64)});
         }),
      In(68, "arithmetic on integers", "Exp 'Exp': …i64[3]",
         [](Graph& graph) { Exp(Input(graph, "A", {3}, DType::kInt64)); }),
      In(68, "an attribute out of range", "Slice 'Slice': got 2 … 9, expected a range within 0 … 5",
         [](Graph& graph) { Slice(Input(graph, "A", {5}), 0, 2, 9); }),
      In(68, "an axis out of range", "axis: got 3, expected -2 … 1 for rank 2",
         [](Graph& graph) {
           ReduceSum(Input(graph, "A", {5, 2}), {3});
         }),
      In(68, "an axis of a scalar", "axis: got -1, but a scalar has none",
         [](Graph& graph) { ReduceSum(Input(graph, "A", {}), kLastAxis); }),
      In(68, "another number of elements", "Reshape 'Reshape': the operand has not as many elements as [4]",
         [](Graph& graph) { Reshape(Input(graph, "A", {5}), {4}); }),
      In(68, "a shape of more elements than the limit", "ElementCount: [1099511627776, 2]: got more than",
         [](Graph& graph) {
           Reshape(Input(graph, "A", {Shape::kMaxElements, 2}), {2, Shape::kMaxElements});
         }),
      In(69, "a name twice", "name 'X': taken by a Placeholder already; stated names are never altered",
         [](Graph& graph) { Input(graph, "X", {}), Input(graph, "X", {}); }),
      In(69, "no name", "name '': is empty", [](Graph& graph) { Input(graph, "", {}); }),
      In(69, "a name with a slash in front", "name '/X': has an empty component",
         [](Graph& graph) { Input(graph, "/X", {}); }),
      In(69, "a name with a control character", "name 'X\\x0a': has a control character",
         [](Graph& graph) { Input(graph, "X\n", {}); }),
      In(69, "a name with a slash within is a path", "",
         [](Graph& graph) { EXPECT_EQ(Input(graph, "A/X", {}).name().parent(), "A"); }),
      In(70, "a cycle in a text", "graph text, line 2, column 9: got 'B) : f32[]', expected a node of the lines above",
         [](Graph&) { ParseText("weft graph 1\nA = Exp(B) : f32[]\nB = Exp(A) : f32[]\n", FindOp); }),
      In(70, "a cycle made by force", "is on a cycle, through '",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {}), a = Named("A", Exp(x)), b = Named("B", Exp(a));
           static Edge back = {b.id(), a.id(), 0};
           Inside(Nodes{}, graph)[Index(a.id())].operands[0] = b.id();
           Inside(Nodes{}, graph)[Index(x.id())].uses = {};
           Inside(Nodes{}, graph)[Index(b.id())].uses = std::span(&back, 1);
           Verify(graph);
         }),
  };
}

std::vector<ApiCase> Differentiation() {
  return {
      In(71, "of a node without a gradient", "Opaque 'Opaque': has no gradient: nobody knows it",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {3});
           Gradients(ReduceSum(graph.Add(kOpaque, {x})), {x});
         }),
      In(71, "of more than one number", "Gradients of 'X': got f32[3], expected a floating-point scalar",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {3});
           Gradients(x, {x});
         }),
      In(71, "of what it does not depend on", "Gradients of 'ReduceSum': it does not depend on 'Y'",
         [](Graph& graph) { Gradients(ReduceSum(Input(graph, "X", {3})), {Input(graph, "Y", {3})}); }),
      In(71, "zeros only where they are asked for", "",
         [](Graph& graph) {
           const Node y = Input(graph, "Y", {3});
           const auto gradients =
               Gradients(ReduceSum(Input(graph, "X", {3})), {y}, {.unconnected = Unconnected::kZero});
           EXPECT_EQ(gradients[0].shape(), y.shape());
         }),
  };
}

// A session over Y = X · 2, X f32[N, 2], and a scalar constant.
struct Doubled {
  Graph graph;
  Node x = Input(graph, "X", {kBatch, 2});
  Node two = Named("Two", Constant(graph, 2.0));
  Node y = Named("Y", x* two);
  VariableStore store;
  Session session{graph, store, {.threads = 2}};
};

ApiCase Fed(std::string name, std::string message, const std::function<void(Doubled&)>& action, int row = 72) {
  return {.row = row,
          .name = std::move(name),
          .action =
              [action] {
                Doubled doubled;
                action(doubled);
              },
          .message = std::move(message)};
}

std::vector<ApiCase> Feeding() {
  const Tensor good(DType::kFloat32, {3, 2}), wide(DType::kFloat32, {3, 5}), other(DType::kFloat64, {3, 2});
  return {
      Fed("nothing", "Placeholder 'X': got [N, 2], expected a batch size for N",
          [](Doubled& d) { d.session.Run({}, d.y); }),
      Fed("one of two", "feed 'Z': missing, expected f32[]",
          [good](Doubled& d) {
            const Node z = Input(d.graph, "Z", {});
            d.session.Run({{d.x, good}}, {d.y, Exp(z)});
          }),
      Fed("twice", "feed 'X': given twice",
          [good](Doubled& d) {
            d.session.Run({{d.x, good}, {d.x, good}}, d.y);
          }),
      Fed("another shape", "feed 'X': got f32[3, 5], expected f32[N, 2]",
          [wide](Doubled& d) {
            d.session.Run({{d.x, wide}}, d.y);
          }),
      Fed("another type", "feed 'X': got f64[3, 2], expected f32[N, 2]",
          [other](Doubled& d) {
            d.session.Run({{d.x, other}}, d.y);
          }),
      Fed("a constant", "feed 'Two': is a constant",
          [good](Doubled& d) {
            d.session.Run({{d.x, good}, {d.two, Tensor::Scalar(1.0F)}}, d.two);
          }),
      Fed("nothing bad", "",
          [good](Doubled& d) {
            EXPECT_EQ(d.session.Run({{d.x, good}}, d.y).shape(), good.shape());
          }),
      Fed(
          "a node of another graph, to a session", "got a node of another graph",
          [good](Doubled& d) {
            Doubled stranger;
            d.session.Run({{d.x, good}}, stranger.y);
          },
          73),
      Fed(
          "a node of another graph, to a builder", "got a node of another graph",
          [](Doubled& d) {
            Doubled stranger;
            d.x + stranger.x;
          },
          73),
      Fed(
          "a node of a graph that was moved away", "node 0: got a graph of 0 nodes: it was moved, or is another",
          [](Doubled& d) {
            const Graph moved = std::move(d.graph);
            ReduceSum(d.x);
          },
          73),
      Fed(
          "an input that is not read", "input 'Z': the fetches do not depend on it",
          [](Doubled& d) {
            const Node z = Input(d.graph, "Z", {});
            PreparedRun run = d.session.Prepare({d.y}, {.batch = 3});
            run.Input(z);
          },
          73),
  };
}

// x → Exp → Exp → …, and its gradient.
void BuildChain(size_t length) {
  Graph graph;
  const Node x = Input(graph, "X", {});
  Node y = x;
  for (size_t i = 1; i < length; ++i) y = Exp(y);
  EXPECT_EQ(Gradients(y, {x}).size(), 1U);
  Verify(graph);
}

std::vector<ApiCase> Sizes() {
  return {
      In(74, "no node", "",
         [](Graph& graph) {
           Verify(graph);
           EXPECT_EQ(ParseText(ToText(graph), FindOp).size(), 0U);
           VariableStore store;
           Session session(graph, store, {.threads = 1});
           EXPECT_TRUE(session.Run(std::span<const Feed>(), std::span<const Node>()).empty());
         }),
      In(74, "one node", "",
         [](Graph& graph) {
           const Node one = Constant(graph, 1.0);
           VariableStore store;
           EXPECT_EQ(Session(graph, store, {.threads = 1}).Run({}, one), Tensor::Scalar(1.0F));
         }),
      {.row = 74,
       .name = "a chain of 100,000 nodes; the nightly test has 1,000,000",
       .action = [] { BuildChain(100'000); }},
      In(74, "a node that 100,000 read", "",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {});
           std::vector<Node> all;
           for (int i = 0; i < 100'000; ++i) all.push_back(Reshape(Tanh(x), {1}));
           const Node sum = ReduceSum(Concatenate(all, 0));
           const Node gradient = Gradients(sum, {x})[0];
           VariableStore store;
           Session session(graph, store, {.threads = 1});
           const Tensor zero = Tensor::Scalar(0.0F);
           EXPECT_EQ(session.Run({{x, zero}}, gradient), Tensor::Scalar(100'000.0F));
         }),
      In(75, "lengths of 0", "",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {kBatch, 0}), w = Input(graph, "W", {0, 3});
           const Node product = MatMul(x, w), sum = ReduceSum(x), mean = ReduceMean(x);
           VariableStore store;
           Session session(graph, store, {.threads = 1});
           const Tensor none(DType::kFloat32, {2, 0}), width(DType::kFloat32, {0, 3}), rows(DType::kFloat32, {0, 0});
           EXPECT_EQ(session.Run({{x, none}, {w, width}}, product), Tensor(DType::kFloat32, {2, 3}))
               << "sums of nothing";
           EXPECT_EQ(session.Run({{x, rows}, {w, width}}, product), Tensor(DType::kFloat32, {0, 3}));
           EXPECT_EQ(session.Run({{x, none}}, sum), Tensor::Scalar(0.0F));
           EXPECT_TRUE(std::isnan(session.Run({{x, none}}, mean).values<float>()[0])) << "0 / 0";
         }),
      In(75, "the largest of nothing",
         "ReduceMax 'ReduceMax': ", [](Graph& graph) { ReduceMax(Input(graph, "X", {0})); }),
  };
}

// Y = Op(X) in a session that is used again afterwards.
ApiCase WithOp(int row, std::string name, std::string message, const OpDef& op, int threads) {
  return In(row, std::move(name), std::move(message), [&op, threads](Graph& graph) {
    const Node x = Input(graph, "X", {2}), y = Named("Y", graph.Add(op, {x})), z = x + 1.0;
    VariableStore store;
    Session session(graph, store, {.threads = threads});
    const Tensor zeros(DType::kFloat32, {2});
    nested_run = [&] { session.Run({{x, zeros}}, z); };
    std::exception_ptr thrown;
    try {
      session.Run({{x, zeros}}, y);
    } catch (...) {
      thrown = std::current_exception();
    }
    EXPECT_EQ(session.Run({{x, zeros}}, z), Tensor::Of<float>({2}, {1, 1})) << "the next run works";
    if (thrown) std::rethrow_exception(thrown);
  });
}

std::vector<ApiCase> Programs() {
  std::vector<ApiCase> cases = {
      In(78, "a gradient rule that gives another shape",
         "Lopsided 'Lopsided': its gradient rule gave f32[] for operand 0, expected f32[3]",
         [](Graph& graph) {
           const Node x = Input(graph, "X", {3});
           Gradients(ReduceSum(graph.Add(kLopsided, {x})), {x});
         }),
      In(78, "a type rule that gives a shape of too many elements",
         "Shape: got length 1099511627777 at axis 0, expected at most",
         [](Graph& graph) { graph.Add(kEndless, {Input(graph, "X", {})}); }),
      In(76, "two threads that build one graph",
         "Exp: got it while another thread adds a node to the graph, expected one at a time", AddFromTwoThreads),
  };
  for (const int threads : {1, 2}) {
    const std::string on = " on " + std::to_string(threads) + " threads";
    cases.push_back(WithOp(77, "a run within an op" + on,
                           "node 'Y' (Nesting): run: got a call from within an op, which would wait for itself",
                           kNesting, threads));
    cases.push_back(
        WithOp(78, "an op that throws" + on, "node 'Y' (Throwing): the sensor is unplugged", kThrowing, threads));
  }
  return cases;
}

}  // namespace

std::vector<ApiCase> GraphRows() {
  std::vector<ApiCase> cases;
  for (const auto& more : {Shapes(), Differentiation(), Feeding(), Sizes(), Programs()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

// ---- Files, as only a program can ask for them ---------------------------------------------------------------------

namespace {

// A checkpoint of W f32[2], and a store to restore to.
struct Files {
  TemporaryDirectory directory;
  std::filesystem::path file = directory / "file";
  VariableStore store;
  FileSystem system;

  Files() {
    store.Set("W", Tensor::Of<float>({2}, {1, 2}));
    Save(store, file);
    store.Set("W", Tensor::Of<float>({2}, {3, 4}));
  }
};

ApiCase WithFiles(int row, std::string name, std::string message, const std::function<void(Files&)>& action) {
  return {.row = row,
          .name = std::move(name),
          .action =
              [action] {
                Files files;
                const std::string before = ReadFile(files.file);
                const Tensor w = files.store.Get("W");
                std::exception_ptr thrown;
                try {
                  action(files);
                } catch (...) {
                  thrown = std::current_exception();
                }
                if (!thrown) return;
                EXPECT_TRUE(ReadFile(files.file) == before) << "the old file is kept";
                EXPECT_EQ(files.directory.Names(), std::set<std::string>{"file"}) << "no half file is left";
                EXPECT_EQ(files.store.Get("W"), w) << "nothing was restored";
                std::rethrow_exception(thrown);
              },
          .message = std::move(message)};
}

int FailWith(int error) {
  errno = error;
  return -1;
}

// Writing fails behind `capacity` bytes.
ApiCase FullAt(int row, int64_t capacity, int error, std::string reason) {
  return WithFiles(row, "full at byte " + std::to_string(capacity), std::move(reason), [capacity, error](Files& files) {
    int64_t left = capacity;
    files.system.write = [&left, error](int, std::span<const std::byte> from) -> int64_t {
      if (left == 0) return FailWith(error);
      const int64_t count = std::min(left, static_cast<int64_t>(from.size()));
      left -= count;
      return count;
    };
    files.store.Set("Long", Tensor(DType::kFloat32, {1024}));
    Save(files.store, files.file, {.file_system = &files.system});
  });
}

ApiCase Changing(bool grows) {
  return {.row = 33,
          .name = grows ? "a file that grows while it is read" : "a file that shrinks while it is read",
          .action =
              [grows] {
                const TemporaryDirectory directory;
                WriteFile(directory / "file", std::string(100, 'x'));
                const ByteStream stream = OpenFile(directory / "file");
                ASSERT_EQ(truncate((directory / "file").c_str(), grows ? 200 : 60), 0);
                std::vector<uint8_t> target(150);
                stream.read(target);
              },
          .message = std::string("file changed while it was read: …/file: got ") + (grows ? "at least 150" : "60") +
                     " bytes, expected 100"};
}

}  // namespace

std::vector<ApiCase> InProcessRows() {
  std::vector<ApiCase> cases = {
      Changing(false),
      Changing(true),
      WithFiles(50, "a missing variable, strictly", "restore: …/file: 1 missing: 'V' f32[3]; nothing was restored",
                [](Files& files) {
                  files.store.Set("V", Tensor(DType::kFloat32, {3}));
                  Restore(files.file, {}, files.store);
                }),
      WithFiles(50, "a missing variable, partially", "",
                [](Files& files) {
                  files.store.Set("V", Tensor(DType::kFloat32, {3}));
                  const RestoreReport report = Restore(files.file, {.partial = true}, files.store);
                  EXPECT_THAT(report.missing, testing::ElementsAre("V")) << "what stayed as it was";
                  EXPECT_THAT(report.restored, testing::ElementsAre("W"));
                }),
      WithFiles(50, "a scope without variables", "scope 'Encodr': no variable is below it. Did you mean 'Encoder'?",
                [](Files& files) {
                  files.store.Set("Encoder/W", Tensor::Scalar(1.0F));
                  Restore(files.file, {.scope = "Encodr"}, files.store);
                }),
      WithFiles(51, "another shape",
                "restore: …/file: 1 mismatched: 'W': got f32[2], expected f32[3]; nothing was restored",
                [](Files& files) {
                  VariableStore store;
                  store.Declare("W", DType::kFloat32, {3});
                  Restore(files.file, {}, store);
                }),
      WithFiles(54, "numbers that are not finite, on request", "",
                [](Files& files) {
                  files.store.Set("W", Tensor::Of<float>({2}, {1, NAN}));
                  EXPECT_THROW(Save(files.store, files.file), NumericError);
                  Save(files.store, files.file, {.allow_nonfinite = true});
                  EXPECT_THROW(Restore(files.file, {}, files.store), NumericError);
                  Restore(files.file, {.allow_nonfinite = true}, files.store);
                }),
      WithFiles(63, "an fsync that fails",
                "write: …/file: the bytes may not have reached the disk; what was there before is "
                "kept: Input/output error",
                [](Files& files) {
                  int syncs = 0;
                  files.system.sync = [&syncs](int) { return ++syncs, FailWith(EIO); };
                  try {
                    Save(files.store, files.file, {.file_system = &files.system});
                  } catch (...) {
                    EXPECT_EQ(syncs, 1) << "a failed fsync is never tried again";
                    throw;
                  }
                }),
      WithFiles(63, "a file system that cannot sync files", "the bytes may not have reached the disk",
                [](Files& files) {
                  files.system.sync = [](int) { return FailWith(EINVAL); };
                  Save(files.store, files.file, {.file_system = &files.system});
                }),
      WithFiles(63, "a file system that cannot sync directories, as is documented", "",
                [](Files& files) {
                  int syncs = 0;
                  files.system.sync = [&syncs](int) { return syncs++ == 0 ? 0 : FailWith(EINVAL); };
                  Save(files.store, files.file, {.file_system = &files.system});
                }),
  };
  for (int64_t capacity = 0; capacity < 4500; capacity += 512) {
    cases.push_back(FullAt(62, capacity, ENOSPC,
                           "write: …/file: got " + std::to_string(capacity) +
                               " of …bytes written, …bytes free; what was there "
                               "before is kept: No space left on device"));
  }
  cases.push_back(FullAt(64, 100, EDQUOT, "…bytes free; what was there before is kept: Disk quota exceeded"));
  return cases;
}

}  // namespace weft
