// The main program of benchmarks that are registered at its start.
#pragma once

#include <benchmark/benchmark.h>

namespace weft {

inline int RunBenchmarks(int count, char** arguments, void (*register_all)()) {
  register_all();
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace weft
