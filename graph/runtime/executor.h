// The executor: runs a program step by step, or as soon as what a step waits for is done. It has no threads of its own.
#pragma once

#include <stop_token>

#include "weft/graph/compile/program.h"
#include "weft/graph/runtime/run_observer.h"
#include "weft/graph/runtime/task_runner.h"
#include "weft/graph/runtime/workspace.h"

namespace weft {

// Runs all steps. The floating-point environment is the default one inside every task, whatever the host has set, and
// the host's own afterwards. `runner` nullptr: on this thread alone, in the order of the steps. Once `stop` is
// requested no step begins, and the workspace is stopped. Throws OpError if a kernel throws (std::bad_alloc as it is).
void Execute(const Program& program, Workspace& workspace, TaskRunner* runner, const std::stop_token& stop = {},
             RunObserver* observer = nullptr);

// Is this thread in the middle of a step? Then it may not wait for another run.
bool IsInsideStep();

}  // namespace weft
