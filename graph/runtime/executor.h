// The executor: runs a program step by step, or as soon as what a step waits for is done. It has no threads of its own.
#pragma once

#include "weft/graph/compile/program.h"
#include "weft/graph/runtime/task_runner.h"
#include "weft/graph/runtime/workspace.h"

namespace weft {

// Runs all steps. The floating-point environment is the default one inside every task, whatever the host has set, and
// the host's own afterwards. `runner` nullptr: on this thread alone, in the order of the steps.
void Execute(const Program& program, Workspace& workspace, TaskRunner* runner);

// The same on this thread, calling `after(step)` behind each step: traces, and the search for the first bad number.
void ExecuteObserved(const Program& program, Workspace& workspace, void (*after)(void* context, StepId step),
                     void* context);

}  // namespace weft
