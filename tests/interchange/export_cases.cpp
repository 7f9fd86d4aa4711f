// weft_export_cases DIRECTORY: writes graphs as ONNX and as JavaScript, and in cases.json what goes in and what must
// come out, as weft computes it. Scripts of other languages read the files and compare (exports_test.mjs,
// check_onnx.py).
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "weft/exporters/fold_normalization.h"
#include "weft/exporters/javascript.h"
#include "weft/exporters/onnx.h"
#include "weft/graph/runtime/session.h"
#include "weft/graph/scope.h"
#include "weft/ops/all_ops.h"
#include "weft/ops/operators.h"
#include "weft/ops/ops.h"
#include "weft/tests/interchange/trained_autoencoder.h"
#include "weft/tests/support/op_matrix.h"

namespace weft {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Json JsonOf(const std::string& name, const Tensor& tensor) {
  std::vector<int64_t> dims;
  for (const Dim dim : tensor.shape()) dims.push_back(dim.length());
  const Tensor numbers = tensor.Cast(DType::kFloat64);
  std::vector<Json> values;
  for (double value : numbers.values<double>()) {  // JSON has no infinity
    if (std::isfinite(value)) values.emplace_back(value);
    else values.emplace_back(std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
  }
  return {{"name", name}, {"dtype", std::string(Name(tensor.dtype()))}, {"shape", dims}, {"values", values}};
}

class Cases {
 public:
  explicit Cases(fs::path directory) : directory_(std::move(directory)) { fs::create_directories(directory_); }
  ~Cases() { std::ofstream(directory_ / "cases.json") << cases_.dump(); }

  struct Options {
    int64_t batch = 1;  // N
    std::string kind = "graph";
    bool fold = false;  // batch normalisation
  };

  // The graph from these values to `outputs`: what the file gives must be what a session of the whole graph gives.
  void Add(const std::string& name, Graph& graph, VariableStore& variables, const std::map<NodeId, Tensor>& values,
           const std::vector<Node>& outputs, const Options& options) {
    std::vector<Feed> feeds;
    Json input_list = Json::array(), output_list = Json::array();
    std::vector<NodeId> inputs, output_ids;
    for (const auto& [id, value] : values) {
      feeds.push_back({graph.node(id), value});
      inputs.push_back(id);
      input_list.push_back(JsonOf(graph.name(id).str(), value));
    }
    Session session(graph, variables, {.threads = 1});
    const std::vector<Tensor> results = session.Run(feeds, outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      output_ids.push_back(outputs[i].id());
      output_list.push_back(JsonOf(outputs[i].name().str(), results[i]));
    }
    InferencePart part = InferencePartOf(graph, inputs, output_ids);
    if (options.fold) part = FoldBatchNormalization(std::move(part), variables);
    const std::string file = fmt::format("{}", cases_.size());
    std::ofstream(directory_ / (file + ".onnx"), std::ios::binary) << ToOnnx(part, variables, {.description = name});
    std::ofstream(directory_ / (file + ".js")) << ToJavaScript(part, variables, "run");
    cases_.push_back({{"name", name},
                      {"kind", options.kind},
                      {"file", file},
                      {"n", options.batch},
                      {"inputs", input_list},
                      {"outputs", output_list}});
  }

 private:
  fs::path directory_;
  Json cases_ = Json::array();
};

void AddOps(Cases& cases) {
  for (const OpDef* op : AllOps()) {
    if (op->traits.is_random || op->is_source(SourceKind::kRandomState)) continue;  // refused: export_refusals_test.cpp
    for (const std::unique_ptr<OpGraph>& sample : AllOpGraphs(*op)) {
      VariableStore variables(sample->graph);
      std::map<NodeId, Tensor> values;
      for (const auto& [id, value] : sample->feeds) {
        if (sample->graph.op(id).is_source(SourceKind::kVariable)) variables.Set(sample->graph.name(id), value);
        else values.emplace(id, value);
      }
      cases.Add(sample->label, sample->graph, variables, values, {sample->y()}, {.kind = "op"});
    }
  }
}

Tensor Drawn(const Node& node, int64_t batch, uint64_t seed) {
  return DrawValues({.low = 0, .high = 1}, node.shape().Bound(batch), node.dtype(), seed);
}

void AddAutoencoder(Cases& cases) {
  TrainedAutoencoder model;
  const VariationalAutoencoder& vae = model.vae;
  for (int64_t batch : {1, 3, 128}) {
    const auto add = [&](std::string_view part, const std::vector<Node>& inputs, const std::vector<Node>& outputs) {
      std::map<NodeId, Tensor> values;
      for (const Node& input : inputs) values.emplace(input.id(), Drawn(input, batch, 7 + values.size()));
      for (bool fold : {false, true}) {
        cases.Add(fmt::format("{} batch {}{}", part, batch, fold ? " folded" : ""), model.graph, model.variables,
                  values, outputs, {.batch = batch, .kind = "model", .fold = fold});
      }
    };
    add("encoder", {vae.x}, {vae.encoder.mean, vae.encoder.log_variance, vae.encoder.standard_deviation});
    add("decoder", {vae.encoder.sample}, {vae.decoder.mean});
    add("reconstruction", {vae.x, vae.encoder.epsilon}, {vae.decoder.mean, vae.encoder.sample});
    add("loss", {vae.x, vae.encoder.epsilon}, {vae.loss.total, vae.loss.divergence, vae.loss.reconstruction});
    // What stands within a layer is an output: the layer is written node by node.
    add("within a layer", {vae.x},
        {model.graph.Find("Encoder/BatchNormalization/Centered"), model.graph.Find("Encoder/BatchNormalization/Mean"),
         model.graph.Find("Encoder/FullyConnected"), vae.encoder.mean});
  }
}

// A decoder as it is before training.
void AddDecoder(Cases& cases, const std::string& name, const VaeConfig& config) {
  Graph graph;
  const Node z = Placeholder(graph, "Z", {kBatch, config.latent_units}, {.dtype = config.dtype});
  const Decoder decoder = BuildDecoder(z, config);
  VariableStore variables(graph);
  Initialize(graph, variables);
  cases.Add(name, graph, variables, {{z.id(), Drawn(z, 1, 1)}}, {decoder.mean}, {.kind = "model"});
}

// Shapes with N where only a run can tell the length.
void AddBatchSizes(Cases& cases) {
  Graph graph;
  VariableStore variables;
  const Node x = Placeholder(graph, "X", {3, kBatch, 2});
  const Node rows = Reshape(Transpose(x, {1, 0, 2}), {kBatch, 6});
  const std::vector<Node> outputs = {
      Named("Mean", ReduceMean(x, {0, 1})),
      Named("Count", ElementCount(x, {1, 2})),
      Named("Gram", MatMul(rows, rows, {.transpose_right = true})),
      Named("Repeated", BroadcastTo(Constant(graph, Tensor::Of<float>({2}, {1, -2})), {kBatch, 2})),
      Named("LogSoftmax", LogSoftmax(rows)),
      Named("Joined", Concatenate({rows, Slice(rows, 1, 2, 5)}, 1)),
      Named("Default", Placeholder(graph, "Weight", {kBatch}, {.default_value = 0.5}) * 2),
      Named("Stopped", StopGradient(x)),
  };
  for (int64_t batch : {1, 4}) {
    cases.Add(fmt::format("batch size {}", batch), graph, variables, {{x.id(), Drawn(x, batch, 3)}}, outputs,
              {.batch = batch});
  }
}

// Each elementwise op of f32 where functions end: no number, infinite, nearly so, and nothing.
void AddSpecialValues(Cases& cases) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> numbers = {std::nanf(""), -kInfinity, kInfinity, 0,     -0.0f, 1, -1,
                                      1e-30f,        -1e-30f,    3e38f,     -3e38f};
  std::vector<float> left, right, third;
  for (float a : numbers) {
    for (float b : numbers) {
      left.push_back(a);
      right.push_back(b);
      third.push_back(1);
    }
  }
  const Shape shape = {static_cast<int64_t>(left.size())};
  Graph graph;
  VariableStore variables;
  const std::vector<Node> operands = {Placeholder(graph, "A", shape), Placeholder(graph, "B", shape),
                                      Placeholder(graph, "C", shape)};
  const std::map<NodeId, Tensor> values = {{operands[0].id(), Tensor::Of<float>(shape, left)},
                                           {operands[1].id(), Tensor::Of<float>(shape, right)},
                                           {operands[2].id(), Tensor::Of<float>(shape, third)}};
  for (const OpDef* op : AllOps()) {
    if (!op->is_elementwise()) continue;
    const std::span<const Node> of(operands.data(), static_cast<size_t>(*op->arity));
    const Node y = graph.Add(*op, of, op->samples().samples[0].attributes);
    cases.Add(fmt::format("special values of {}", *op->name), graph, variables, values, {y}, {.kind = "special"});
  }
}

// An input that is an output, one that is not read, a constant and a variable as outputs.
void AddTrivialOutputs(Cases& cases) {
  Graph graph;
  const Node x = Placeholder(graph, "X", {kBatch, 2}), idle = Placeholder(graph, "Idle", {3});
  const Node w = Variable("W", Constant(graph, Tensor::Of<float>({2}, {1, 2}))), one = Named("One", Constant(graph, 1));
  const Node y = Named("Y", x * w);
  VariableStore variables(graph);
  Initialize(graph, variables);
  cases.Add("trivial outputs", graph, variables, {{x.id(), Drawn(x, 2, 1)}, {idle.id(), Drawn(idle, 2, 2)}},
            {x, w, one, y}, {.batch = 2});
}

void AddHostileNames(Cases& cases) {
  Graph graph;
  const std::vector<std::string> names = {"\"quoted\"",
                                          "it's",
                                          "</script><script>alert(1)</script>",
                                          "<!--",
                                          "a`${n}`",
                                          "back\\slash",
                                          "*/ /* x",
                                          "__proto__",
                                          "ä 日本 🙂",
                                          "\u2028line\u2029",
                                          "a b\u00a0c",
                                          "constructor"};
  std::vector<Node> outputs;
  std::map<NodeId, Tensor> values;
  for (const std::string& name : names) {
    const Scope scope(graph, name);
    const Node x = Placeholder(graph, name, {kBatch, 2});
    const Node w = Variable("W", Constant(graph, Tensor::Of<float>({2}, {0.5, -1})));
    values.emplace(x.id(), Drawn(x, 3, values.size()));
    outputs.push_back(graph.node(Named("Y", Expm1(x * w)).id()));
  }
  VariableStore variables(graph);
  Initialize(graph, variables);
  cases.Add("hostile names", graph, variables, values, outputs, {.batch = 3});
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: weft_export_cases DIRECTORY\n";
    return 2;
  }
  weft::Cases cases(argv[1]);
  weft::AddOps(cases);
  weft::AddAutoencoder(cases);
  weft::AddDecoder(cases, "wide decoder", {});  // the tutorial's
  weft::AddDecoder(cases, "decoder in f64", {.hidden_units = 16, .dtype = weft::DType::kFloat64});
  weft::AddBatchSizes(cases);
  weft::AddTrivialOutputs(cases);
  weft::AddSpecialValues(cases);
  weft::AddHostileNames(cases);
}
