// The fenced blocks of a page.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct Block {
  std::string language = {};  // the first word behind the fence
  std::string file = {};      // the second one: the file in the tree that the block is a part of; "" for none
  std::string text = {};
  int line = 0;  // of the page, where the text begins
};

inline std::vector<Block> BlocksOf(const std::string& page) {
  constexpr std::string_view kFence = "```";
  std::vector<Block> blocks;
  std::istringstream lines(page);
  bool is_open = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with(kFence)) {
      is_open = !is_open;
      if (!is_open) continue;
      Block block = {.line = number + 1};
      std::istringstream(line.substr(kFence.size())) >> block.language >> block.file;
      blocks.push_back(block);
    } else if (is_open) {
      blocks.back().text += line + "\n";
    }
  }
  if (is_open) throw std::runtime_error("a block is never closed: line " + std::to_string(blocks.back().line));
  return blocks;
}

}  // namespace weft
