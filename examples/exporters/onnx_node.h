// A node on its way into ONNX.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weft/exporters/inference_part.h"
#include "weft/graph/tensor.h"

namespace onnx {
class GraphProto;
}

namespace weft {

int32_t OnnxType(DType dtype);

using OnnxAttribute = std::pair<std::string_view, std::variant<int64_t, float, std::vector<int64_t>>>;

// The graph that is written, one operator behind the other.
class OnnxGraph {
 public:
  OnnxGraph(const InferencePart& part, onnx::GraphProto& file) : part_(part), file_(file) {}

  const Graph& graph() const { return part_.graph; }
  void AddInitializer(const std::string& name, DType dtype, const Shape& shape, std::span<const std::byte> bytes);
  // One operator, which gives the tensor `name`.
  void AddOperator(std::string_view op, const std::string& name, std::string_view scope,
                   std::span<const std::string> operands, std::span<const OnnxAttribute> attributes);
  // The tensor i64[1] that is N, found from the first input that has it. Throws ExportError if none has.
  std::string BatchSize();

 private:
  const InferencePart& part_;
  onnx::GraphProto& file_;
  bool has_batch_size_ = false;
};

// What a rule sees of the node that it writes. A value is the name of a tensor; the last operator gives that of the
// node.
class OnnxNode {
 public:
  using Attributes = std::initializer_list<OnnxAttribute>;
  using Values = std::initializer_list<std::string>;

  // `reads` stand for the operands, which ONNX may stretch by itself.
  OnnxNode(OnnxGraph& file, NodeId id, std::vector<std::string> reads)
      : file_(file), id_(id), reads_(std::move(reads)) {}

  const TensorType& type() const { return file_.graph().type(id_); }
  const TensorType& operand_type(size_t i) const { return file_.graph().type(file_.graph().operands(id_)[i]); }
  const weft::Attributes& attributes() const { return file_.graph().attributes(id_); }
  const std::string& operand(size_t i) const { return reads_[i]; }
  std::span<const std::string> operands() const { return reads_; }

  // An operator within the node, and what it gives.
  std::string Inner(std::string_view op, Values values, Attributes attributes = {});
  void Result(std::string_view op, std::span<const std::string> values, Attributes attributes = {});
  void Result(std::string_view op, Values values, Attributes attributes = {}) {
    Result(op, std::span(values.begin(), values.size()), attributes);
  }

  std::string Number(double value);                       // a scalar of the type of the node
  std::string Integers(std::span<const int64_t> values);  // i64[size]
  std::string Lengths(const Shape& shape);                // i64[rank], with N as it is in this run

 private:
  std::string InnerName();

  OnnxGraph& file_;
  const NodeId id_;
  const std::vector<std::string> reads_;
  int inner_ = 0;
};

}  // namespace weft
