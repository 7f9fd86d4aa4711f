// NamedContent: a checkpoint or a graph as things with names, so that two can be compared.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "weft/graph/path.h"
#include "weft/graph/tensor.h"

namespace weft {

struct NamedThing {
  Path name;         // that of the node or variable
  std::string text;  // "f32[2, 3]", "Relu(Encoder/A) : f32[N, 2]", of updates and such what stands behind their names
};

struct NamedContent {
  // By name; what is no node or variable has its kind before the name, "update Encoder/W".
  std::map<std::string, NamedThing> things = {};
  std::map<std::string, std::string> metadata = {};
  std::function<Tensor(const std::string& key)> value = nullptr;  // of a checkpoint's variable; nullptr for a graph
};

// Of a checkpoint, the newest one of a run's directory, or a file in the text form of graphs (graph/views/text.h), or a
// model as text (models/model_text.h). Reads no values yet. Throws CheckpointError, also for a graph file that is none,
// and std::system_error.
NamedContent ReadNamedContent(const std::filesystem::path& from);

}  // namespace weft
