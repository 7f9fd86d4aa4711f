// How JavaScript says the ops that are no expression of elements.
#pragma once

namespace weft {

class ScriptNode;

void ScriptElementCount(ScriptNode& node);
void ScriptCompare(ScriptNode& node);
void ScriptCast(ScriptNode& node);
void ScriptReduceSum(ScriptNode& node);
void ScriptReduceMax(ScriptNode& node);
void ScriptBroadcastTo(ScriptNode& node);
void ScriptReshape(ScriptNode& node);
void ScriptTranspose(ScriptNode& node);
void ScriptSlice(ScriptNode& node);
void ScriptConcatenate(ScriptNode& node);
void ScriptMatMul(ScriptNode& node);

}  // namespace weft
