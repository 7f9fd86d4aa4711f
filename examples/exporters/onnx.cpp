// Which operators are needed is asked from the outputs backwards; then they are written in order.
#include "weft/exporters/onnx.h"

#include <algorithm>
#include <climits>
#include <memory>
#include <variant>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "weft/exporters/exported_ops.h"
#include "weft/exporters/layer_patterns.h"
#include "weft/exporters/onnx_node.h"
#include "weft/exporters/stored_value.h"

namespace weft {
namespace {

constexpr int64_t kIrVersion = 7, kOpset = 13;  // what the tools of 2020 and later read

// How a node is written, and what it then reads.
struct Form {
  std::variant<std::monostate, AffineLayer, NormalizationLayer> layer = {};
  std::vector<NodeId> reads = {};
};

bool IsEmpty(const TensorType& type) { return type.shape.is_bound() && ElementCount(type.shape) == 0; }

// The operands of an elementwise node before they were stretched, where ONNX would stretch them to the same shape.
std::vector<NodeId> Unstretched(const Graph& graph, NodeId id) {
  std::vector<NodeId> reads(graph.operands(id).begin(), graph.operands(id).end());
  for (NodeId& read : reads) {
    const NodeId stretched = read;
    if (!graph.op(stretched).traits.broadcasts) continue;
    read = graph.operands(stretched)[0];
    Shape shape;
    for (NodeId other : reads) shape = *Broadcast(shape, graph.type(other).shape);
    if (shape != graph.type(id).shape) read = stretched;
  }
  return reads;
}

Form FormOf(const InferencePart& part, NodeId id) {
  const Graph& graph = part.graph;
  if (IsEmpty(graph.type(id))) return {};
  if (const auto layer = NormalizationLayerAt(part, id))
    return {.layer = *layer, .reads = {layer->x, layer->gamma, layer->beta, layer->mean, layer->variance}};
  if (const auto layer = AffineLayerAt(part, id)) return {.layer = *layer, .reads = {layer->x, layer->w, layer->bias}};
  if (graph.op(id).is_elementwise()) return {.reads = Unstretched(graph, id)};
  return {.reads = {graph.operands(id).begin(), graph.operands(id).end()}};
}

void SetType(const TensorType& type, const std::string& name, onnx::ValueInfoProto& value) {
  value.set_name(name);
  onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(OnnxType(type.dtype));
  onnx::TensorShapeProto& shape = *tensor.mutable_shape();
  for (const Dim dim : type.shape) {
    if (dim.is_batch()) shape.add_dim()->set_dim_param("N");
    else shape.add_dim()->set_dim_value(dim.length());
  }
}

class Writer {
 public:
  Writer(const InferencePart& part, const VariableStore& variables, onnx::GraphProto& file)
      : part_(part), graph_(part.graph), variables_(variables), file_(file), onnx_(part, file) {}

  void WriteAll() {
    for (NodeId id : part_.inputs) SetType(graph_.type(id), ExportedName(graph_, id), *file_.add_input());
    for (NodeId id : part_.outputs) SetType(graph_.type(id), ExportedName(graph_, id), *file_.add_output());
    const std::vector<const ExportedOp*> rows = RowsOf(graph_);
    std::vector<Form> forms(graph_.size());
    std::vector<bool> needed(graph_.size());
    for (NodeId output : part_.outputs) needed[Index(output)] = true;
    for (auto i = static_cast<uint32_t>(forms.size()); i-- > 0;) {
      if (!needed[i]) continue;
      forms[i] = FormOf(part_, NodeId{i});
      for (NodeId read : forms[i].reads) needed[Index(read)] = true;
    }
    for (uint32_t i = 0; i < forms.size(); ++i) {
      if (needed[i]) Write(NodeId{i}, forms[i], *rows[i]);
    }
  }

 private:
  void Write(NodeId id, const Form& form, const ExportedOp& row) {
    const OpDef& op = graph_.op(id);
    if (op.is_source(SourceKind::kPlaceholder)) return;
    if (op.is_source()) return WriteValue(id, StoredValue(graph_, id, variables_));
    if (IsEmpty(graph_.type(id))) return WriteValue(id, Tensor(graph_.type(id).dtype, graph_.type(id).shape));
    if (std::ranges::count(part_.outputs, id) == 0)
      SetType(graph_.type(id), ExportedName(graph_, id), *file_.add_value_info());
    std::vector<std::string> reads;
    for (NodeId read : form.reads) reads.push_back(ExportedName(graph_, read));
    OnnxNode node(onnx_, id, std::move(reads));
    if (const auto* affine = std::get_if<AffineLayer>(&form.layer)) {
      node.Result("Gemm", node.operands(),
                  {{"transA", int64_t{affine->transpose_x}}, {"transB", int64_t{affine->transpose_w}}});
    } else if (const auto* normalization = std::get_if<NormalizationLayer>(&form.layer)) {
      node.Result("BatchNormalization", node.operands(), {{"epsilon", static_cast<float>(normalization->epsilon)}});
    } else if (const auto* same = std::get_if<std::string_view>(&row.onnx)) {
      node.Result(*same, node.operands());
    } else {
      std::get<void (*)(OnnxNode&)>(row.onnx)(node);
    }
  }

  void WriteValue(NodeId id, const Tensor& value) {
    onnx_.AddInitializer(ExportedName(graph_, id), value.dtype(), value.shape(), value.bytes());
  }

  const InferencePart& part_;
  const Graph& graph_;
  const VariableStore& variables_;
  onnx::GraphProto& file_;
  OnnxGraph onnx_;
};

}  // namespace

std::string ToOnnx(const InferencePart& part, const VariableStore& variables, const OnnxOptions& options) {
  RequireUtf8("description", options.description);
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("weft");
  model.set_producer_version(WEFT_VERSION);
  model.set_doc_string(options.description);
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  model.mutable_graph()->set_name("weft");
  Writer(part, variables, *model.mutable_graph()).WriteAll();
  if (model.ByteSizeLong() > INT_MAX) {
    throw ResourceError(
        fmt::format("export to ONNX: got {} bytes, expected at most {}", model.ByteSizeLong(), INT_MAX));
  }
  return model.SerializeAsString();
}

}  // namespace weft
