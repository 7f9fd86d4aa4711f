// Bad inputs and the answer that each must get, as tables: 82 rows, of one or more cases. Rows 1 to 66 and 79 to 82 are
// what a user may do to the tool, 67 to 78 what a program may do to the library.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "weft/tests/examples/child_process.h"

namespace weft {

inline constexpr int kRows = 82;

// Where a case finds what it needs: data sets, a run of two epochs (8 and 16 steps) of 16 hidden units, its newest
// model, and a directory of its own.
struct Place {
  std::filesystem::path data, run, model, own;
};

// The tool as a process.
struct ToolCase {
  int row;
  std::string name;
  std::vector<std::string> arguments;  // {data}, {run}, {model} and {own} stand for the places
  int code = 0;
  // Of an error: part of its one sentence, otherwise of what the tool prints; "…" stands for anything.
  std::string message = {};
  std::function<void(const Place&)> prepare = nullptr;
  std::function<void(Launch&)> change = nullptr;      // how the process is started
  std::function<void(const Place&)> check = nullptr;  // afterwards
  bool writes = false;                                // files in the place of its own; otherwise all are kept
};

std::vector<ToolCase> CommandLineRows();  // 1 … 15
std::vector<ToolCase> DataRows();         // 16 … 34
std::vector<ToolCase> CheckpointRows();   // 35 … 61
std::vector<ToolCase> WritingRows();      // 62 … 66
std::vector<ToolCase> NumericRows();      // 79 … 82

// The library in this process.
struct ApiCase {
  int row;
  std::string name;
  std::function<void()> action;  // throws an Error
  std::string message = {};      // part of its sentence, as above; "": it throws nothing
};

std::vector<ApiCase> GraphRows();      // 67 … 78
std::vector<ApiCase> InProcessRows();  // of 33, 50, 51, 54 and 62 to 64, what needs a program to ask for it

// Does `text` have the parts of `pattern` between "…", in this order?
bool Matches(std::string_view text, std::string_view pattern);

}  // namespace weft
