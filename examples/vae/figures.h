// What a program will take, read off its plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weft/exporters/step_figures.h"
#include "weft/graph/compile/program.h"

namespace weft {

struct ProgramFigures {
  size_t steps = 0;
  size_t buffers = 0;
  int64_t arena_bytes = 0;
  double flops = 0;  // of its matrix products: two for each multiply-add
};

ProgramFigures FiguresOf(const Program& program);

// How many times as fast as one thread so many could run the program, by its estimated cycles: the work over the larger
// of an even share of it and the longest path of steps that wait for each other, the tasks of a step taken in turns.
double SpeedupBound(const Program& program, int threads);

// 1234567 as "1,234,567"
std::string Grouped(int64_t number);

// 1.234e9 as "1.23 GFLOP"
std::string FlopText(double flops);

}  // namespace weft
