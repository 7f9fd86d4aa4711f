// Messages of TensorFlow's GraphDef and StepStats.
#include "weft/exporters/graph_def.h"

#include <algorithm>
#include <chrono>

#include <events.pb.h>
#include <fmt/format.h>

#include "weft/exporters/step_figures.h"
#include "weft/exporters/trace.h"
#include "weft/graph/op.h"

namespace weft {
namespace {

namespace tb = tensorboard;

tb::DataType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return tb::DT_FLOAT;
    case DType::kFloat64: return tb::DT_DOUBLE;
    case DType::kInt64: return tb::DT_INT64;
    case DType::kBool: return tb::DT_BOOL;
  }
  return tb::DT_INVALID;
}

void Fill(tb::TensorShapeProto& proto, const Shape& shape) {
  for (const Dim& dim : shape) {
    tb::TensorShapeProto::Dim& to = *proto.add_dim();
    to.set_size(dim.is_batch() ? -1 : dim.length());
    if (dim.is_batch()) to.set_name("N");
  }
}

// A constant of a few numbers as text, a larger one as its type.
std::string TextOf(const std::shared_ptr<const Tensor>& tensor) {
  constexpr int64_t kFew = 16;
  return tensor->size() <= kFew ? ToString(AttributeValue(tensor)) : ToString(tensor->type());
}

struct AttributeWriter {
  tb::AttrValue& to;

  void operator()(bool value) const { to.set_b(value); }
  void operator()(int64_t value) const { to.set_i(value); }
  void operator()(double value) const { to.set_f(static_cast<float>(value)); }
  void operator()(const std::string& value) const { to.set_s(value); }
  void operator()(DType value) const { to.set_type(TypeOf(value)); }
  void operator()(const Shape& value) const { Fill(*to.mutable_shape(), value); }
  void operator()(const std::vector<int64_t>& value) const {
    to.mutable_list()->mutable_i()->Assign(value.begin(), value.end());
  }
  void operator()(const std::shared_ptr<const Tensor>& value) const { to.set_s(TextOf(value)); }
};

void SetType(tb::NodeDef& node, const TensorType& type) {
  (*node.mutable_attr())["T"].set_type(TypeOf(type.dtype));
  Fill(*(*node.mutable_attr())["_output_shapes"].mutable_list()->add_shape(), type.shape);
}

bool IsPlain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string GraphDefName(std::string_view name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (IsPlain(c) || (i > 0 && std::string_view("_./\\-").find(c) != std::string_view::npos)) text.push_back(c);
    else text += fmt::format("{}>{:02X}", i == 0 ? "." : "", static_cast<unsigned char>(c));
  }
  return text;
}

std::string ToGraphDef(const Graph& graph) {
  tb::GraphDef proto;
  proto.mutable_versions()->set_producer(1);
  const auto name = [&graph](NodeId id) { return GraphDefName(graph.name(id).str()); };
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    tb::NodeDef& node = *proto.add_node();
    node.set_name(name(id));
    node.set_op(std::string(*graph.op(id).name));
    for (const NodeId operand : graph.operands(id)) node.add_input(name(operand));
    for (const auto& [key, value] : graph.attributes(id))
      std::visit(AttributeWriter{(*node.mutable_attr())[Escaped(key)]}, value);
    SetType(node, graph.type(id));
  }
  const auto add_pairs = [&](std::span<const Graph::Pair> pairs, std::string_view what) {
    for (const auto& [variable, value] : pairs) {
      tb::NodeDef& node = *proto.add_node();
      node.set_name(fmt::format("{}>{}", name(variable), what));  // no escape: two hexadecimal digits would follow
      node.set_op("AssignVariable");
      node.add_input(name(value));
      node.add_input("^" + name(variable));
      SetType(node, graph.type(variable));
    }
  };
  add_pairs(graph.updates(), "Update");
  add_pairs(graph.initial_values(), "Initialize");
  return proto.SerializeAsString();
}

std::string ToRunMetadata(const RunTrace& trace) {
  tb::RunMetadata proto;
  const std::vector<TracedRun> runs = trace.Runs();
  if (runs.empty()) return proto.SerializeAsString();
  const TracedRun& run = runs.back();
  const std::vector<StepFigures> figures = StepFiguresOf(*run.program);
  tb::DeviceStepStats& device = *proto.mutable_step_stats()->add_dev_stats();
  device.set_device("/cpu:0");
  std::vector<tb::NodeExecStats*> stats(run.program->steps.size());
  using std::chrono::nanoseconds;
  for (const TracedPiece& piece : run.pieces) {
    const Step& step = run.program->steps[piece.ran.step];
    const int64_t begin = std::chrono::duration_cast<nanoseconds>(piece.ran.started - run.begun).count();
    int64_t end = std::chrono::duration_cast<nanoseconds>(piece.ran.ended - run.begun).count();
    tb::NodeExecStats*& node = stats[piece.ran.step];
    if (node == nullptr) {
      node = device.add_node_stats();
      node->set_node_name(GraphDefName(run.program->graph.name(step.origin).str()));
      node->set_timeline_label(KindOf(*run.program, step, figures[piece.ran.step]));
      node->set_all_start_nanos(begin);
      tb::AllocatorMemoryUsed& memory = *node->add_memory();
      memory.set_allocator_name("buffers");
      memory.set_total_bytes(figures[piece.ran.step].bytes);
    } else {  // the whole step, from the first of its pieces to the last
      end = std::max(end, node->all_start_nanos() + node->all_end_rel_nanos());
      node->set_all_start_nanos(std::min(begin, node->all_start_nanos()));
    }
    node->set_all_end_rel_nanos(end - node->all_start_nanos());
  }
  for (tb::NodeExecStats* node : stats) {
    if (node == nullptr) continue;
    // TensorBoard passes over what took no microsecond.
    const int64_t micros = std::max<int64_t>(1, (node->all_end_rel_nanos() + 500) / 1000);
    node->set_all_start_micros(node->all_start_nanos() / 1000);
    node->set_all_end_rel_micros(micros);
    node->set_op_end_rel_micros(micros);
    node->set_op_end_rel_nanos(node->all_end_rel_nanos());
  }
  return proto.SerializeAsString();
}

}  // namespace weft
