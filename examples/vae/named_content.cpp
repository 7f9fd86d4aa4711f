// Variables as the header of their file has them, nodes as the graph has them.
#include "weft/examples/vae/named_content.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/existing.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/run_directory.h"
#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/graph/views/text.h"
#include "weft/models/model_text.h"
#include "weft/ops/all_ops.h"

namespace weft {
namespace {

// ---- Graphs --------------------------------------------------------------------------------------------------------

constexpr std::string_view kGraphStart = "weft graph ", kModelStart = "weft model ";

void Add(NamedContent& content, std::string_view kind, const Path& name, std::string text) {
  content.things.insert_or_assign(fmt::format("{}{}", kind, name.str()), NamedThing{name, std::move(text)});
}

NamedContent ContentOf(const Graph& graph) {
  NamedContent content;
  const auto names = [&graph](std::span<const NodeId> ids) {
    std::vector<std::string> list;
    for (const NodeId id : ids) list.push_back(graph.name(id).str());
    return fmt::format("{}", fmt::join(list, ", "));
  };
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    const std::string attributes = ToString(graph.attributes(id));
    Add(content, "", graph.name(id),
        fmt::format("{}({}){} : {}", *graph.op(id).name, names(graph.operands(id)),
                    attributes.empty() ? "" : fmt::format(" {{{}}}", attributes), ToString(graph.type(id))));
  }
  for (const auto& [alias, id] : graph.aliases()) Add(content, "alias ", alias, graph.name(id).str());
  for (const auto& [variable, value] : graph.initial_values())
    Add(content, "initial ", graph.name(variable), graph.name(value).str());
  for (const auto& [variable, value] : graph.updates())
    Add(content, "update ", graph.name(variable), graph.name(value).str());
  for (const auto& [key, ids] : graph.collections()) Add(content, "collection ", key, names(ids));
  return content;
}

// What `text` describes, in either of its two languages.
Graph ReadGraph(const std::string& text) {
  if (text.starts_with(kGraphStart)) return ParseText(text, FindOp);
  Graph graph;
  ParseModel(graph, text);
  return graph;
}

bool IsText(const std::filesystem::path& path) {
  const FileSystem system;
  const InputFile file(system, path);
  std::string start(std::min<uint64_t>(file.size(), kGraphStart.size()), '\0');
  file.Read(0, std::as_writable_bytes(std::span(start)));
  return start == kGraphStart || start == kModelStart;
}

// ---- Checkpoints ---------------------------------------------------------------------------------------------------

struct OpenCheckpoint {
  explicit OpenCheckpoint(const std::filesystem::path& path)
      : file(system, path), header(ReadSafetensorsHeader(file)) {}
  FileSystem system;
  InputFile file;
  SafetensorsHeader header;
};

NamedContent ContentOf(std::shared_ptr<const OpenCheckpoint> checkpoint) {
  NamedContent content;
  std::map<std::string, const SafetensorsEntry*> entries;
  for (const SafetensorsEntry& entry : checkpoint->header.entries) {
    entries.emplace(entry.name.str(), &entry);
    Add(content, "", entry.name, ToString(TensorType{.dtype = entry.dtype, .shape = entry.shape}));
  }
  content.metadata = checkpoint->header.metadata;
  content.value = [checkpoint = std::move(checkpoint), entries = std::move(entries)](const std::string& name) {
    return ReadSafetensorsTensor(checkpoint->file, checkpoint->header, *entries.at(name));
  };
  return content;
}

}  // namespace

NamedContent ReadNamedContent(const std::filesystem::path& from) {
  RequireExists(from);
  const std::filesystem::path path = std::filesystem::is_directory(from) ? NewestGeneration(from).weights : from;
  if (!IsText(path)) return ContentOf(std::make_shared<const OpenCheckpoint>(path));
  try {
    return ContentOf(ReadGraph(ReadWhole(path, kMaxTextLine)));
  } catch (const GraphError& error) {
    throw CheckpointError(fmt::format("graph: {}: {}", Printable(path.native()), error.what()));
  }
}

}  // namespace weft
