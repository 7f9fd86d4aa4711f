// Files that are in the program itself; CMake writes the table (cmake/embed_files.cmake).
#pragma once

#include <span>
#include <string_view>

namespace weft {

struct EmbeddedFile {
  std::string_view name;  // without its folder, "graph.html"
  std::string_view content;
};

std::span<const EmbeddedFile> EmbeddedFiles();

}  // namespace weft
