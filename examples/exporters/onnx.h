// A part of a graph as an ONNX model: Netron shows it, ONNX Runtime and others run it.
//
//   InferencePart part = InferencePartOf(graph, {z}, {decoder.mean});
//   std::string file = ToOnnx(part, variables);
#pragma once

#include <string>

#include "weft/exporters/inference_part.h"
#include "weft/graph/runtime/variable_store.h"

namespace weft {

struct OnnxOptions {
  std::string description = {};  // the model's doc string, UTF-8
};

// The bytes of a model of IR version 7 over opset 13. N is the dimension `N`. Nodes, and the tensors that they give,
// have the names of weft's nodes and say their scope as doc string; where ONNX needs several operators for one, the
// inner ones are called NAME//0, NAME//1 …. Variables and constants are initializers. An affine layer is a Gemm, and
// batch normalisation of a matrix a BatchNormalization, unless a node within is an output or has other users.
//
// Throws ExportError for names that are no UTF-8, for a shape with N where no input has one, and naming a node that
// cannot be said; GraphError for a variable without a value; ResourceError above the 2 GiB of a protobuf.
std::string ToOnnx(const InferencePart& part, const VariableStore& variables, const OnnxOptions& options = {});

}  // namespace weft
