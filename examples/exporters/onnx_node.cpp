// Names of what has no name in weft hold an empty component, "Loss/Total//0": no node of weft's has one.
#include "weft/exporters/onnx_node.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "weft/exporters/stored_value.h"

namespace weft {

static_assert(std::endian::native == std::endian::little, "raw data of ONNX are little-endian numbers");

int32_t OnnxType(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return onnx::TensorProto::FLOAT;
    case DType::kFloat64: return onnx::TensorProto::DOUBLE;
    case DType::kInt64: return onnx::TensorProto::INT64;
    case DType::kBool: return onnx::TensorProto::BOOL;
  }
  return onnx::TensorProto::UNDEFINED;
}

void OnnxGraph::AddInitializer(const std::string& name, DType dtype, const Shape& shape,
                               std::span<const std::byte> bytes) {
  onnx::TensorProto& tensor = *file_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(OnnxType(dtype));
  for (const Dim dim : shape) tensor.add_dims(dim.length());
  tensor.set_raw_data(bytes.data(), bytes.size());
}

void OnnxGraph::AddOperator(std::string_view op, const std::string& name, std::string_view scope,
                            std::span<const std::string> operands, std::span<const OnnxAttribute> attributes) {
  onnx::NodeProto& node = *file_.add_node();
  node.set_op_type(std::string(op));
  node.set_name(name);
  if (!scope.empty()) node.set_doc_string(std::string(scope));
  for (const std::string& operand : operands) node.add_input(operand);
  node.add_output(name);
  for (const auto& [key, value] : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(std::string(key));
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*integer);
    } else if (const auto* real = std::get_if<float>(&value)) {
      attribute.set_type(onnx::AttributeProto::FLOAT);
      attribute.set_f(*real);
    } else {
      attribute.set_type(onnx::AttributeProto::INTS);
      for (int64_t i : std::get<std::vector<int64_t>>(value)) attribute.add_ints(i);
    }
  }
}

std::string OnnxGraph::BatchSize() {
  std::string name = "//N";
  const std::string shape = "//Shape", axis = "//Axis";
  if (std::exchange(has_batch_size_, true)) return name;
  for (NodeId input : part_.inputs) {
    const Shape& lengths = graph().type(input).shape;
    const auto* const found = std::ranges::find(lengths, kBatch);
    if (found == lengths.end()) continue;
    const int64_t at = found - lengths.begin();
    AddOperator("Shape", shape, {}, {{graph().name(input).str()}}, {});
    AddInitializer(axis, DType::kInt64, {1}, std::as_bytes(std::span(&at, 1)));
    AddOperator("Gather", name, {}, {{shape, axis}}, {});
    return name;
  }
  throw ExportError("export to ONNX: got no input with the batch size N, expected one, as the graph depends on it");
}

std::string OnnxNode::InnerName() { return fmt::format("{}//{}", ExportedName(file_.graph(), id_), inner_++); }

std::string OnnxNode::Inner(std::string_view op, Values values, Attributes attributes) {
  std::string name = InnerName();
  file_.AddOperator(op, name, file_.graph().name(id_).str(), {values.begin(), values.size()},
                    {attributes.begin(), attributes.size()});
  return name;
}

void OnnxNode::Result(std::string_view op, std::span<const std::string> values, Attributes attributes) {
  file_.AddOperator(op, ExportedName(file_.graph(), id_), file_.graph().name(id_).parent().str(), values,
                    {attributes.begin(), attributes.size()});
}

std::string OnnxNode::Number(double value) {
  std::string name = InnerName();
  const Tensor number = Tensor::Scalar(value).Cast(type().dtype);
  file_.AddInitializer(name, number.dtype(), number.shape(), number.bytes());
  return name;
}

std::string OnnxNode::Integers(std::span<const int64_t> values) {
  std::string name = InnerName();
  file_.AddInitializer(name, DType::kInt64, {static_cast<int64_t>(values.size())}, std::as_bytes(values));
  return name;
}

std::string OnnxNode::Lengths(const Shape& shape) {
  std::vector<int64_t> known;  // since the last N
  std::vector<std::string> pieces;
  const auto flush = [&] {
    if (!known.empty()) pieces.push_back(Integers(known));
    known.clear();
  };
  for (const Dim dim : shape) {
    if (!dim.is_batch()) {
      known.push_back(dim.length());
      continue;
    }
    flush();
    pieces.push_back(file_.BatchSize());
  }
  if (pieces.empty()) return Integers(known);
  flush();
  if (pieces.size() == 1) return pieces[0];
  std::string name = InnerName();
  const OnnxAttribute axis = {"axis", int64_t{0}};
  file_.AddOperator("Concat", name, file_.graph().name(id_).str(), pieces, {&axis, 1});
  return name;
}

}  // namespace weft
