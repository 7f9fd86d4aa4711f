// Strips: what a chain makes for itself goes round in the caches, instead of through the memory of the run.
#pragma once

#include "weft/graph/compile/program.h"

namespace weft {

// Gives the matrices that one chain alone makes and reads a place in the memory of the thread that runs it, a piece at
// a time, and finds the ones that the chain streams from memory. For a program that is not yet placed in memory.
Program PlaceStrips(Program program);

}  // namespace weft
