// MemoryPlan: where in one arena the buffers of a program lie.
#pragma once

#include "weft/graph/compile/program.h"

namespace weft {

// Gives every arena buffer an offset and sets arena_bytes. Two buffers may share bytes if every step that touches the
// first comes before the writer of the second in the partial order of the data; a fused group may write where it reads
// for the last time. Pinned buffers share with nobody. Throws ResourceError if the arena cannot be addressed.
Program PlanMemory(Program program, bool reuse);

}  // namespace weft
