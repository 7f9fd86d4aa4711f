// How ONNX says the ops that have no operator with the same operands and attributes.
#pragma once

namespace weft {

class OnnxNode;

void OnnxElementCount(OnnxNode& node);
void OnnxSquare(OnnxNode& node);
void OnnxExpm1(OnnxNode& node);
void OnnxLog1p(OnnxNode& node);
void OnnxLeakyRelu(OnnxNode& node);
void OnnxElu(OnnxNode& node);
void OnnxCompare(OnnxNode& node);
void OnnxSelect(OnnxNode& node);
void OnnxCast(OnnxNode& node);
void OnnxReduceSum(OnnxNode& node);
void OnnxReduceMax(OnnxNode& node);
void OnnxBroadcastTo(OnnxNode& node);
void OnnxReshape(OnnxNode& node);
void OnnxTranspose(OnnxNode& node);
void OnnxSlice(OnnxNode& node);
void OnnxConcatenate(OnnxNode& node);
void OnnxMatMul(OnnxNode& node);
void OnnxSigmoidCrossEntropy(OnnxNode& node);

}  // namespace weft
