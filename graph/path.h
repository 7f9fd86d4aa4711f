// Path: the name of a node or variable, "Encoder/H"; names form one tree.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

namespace weft {

class Path {
 public:
  static constexpr size_t kMaxBytes = 512;

  Path() = default;  // the root, above all names
  // Throws GraphError for an empty component ("A//B", "/A", "A/"), a control character, or more than kMaxBytes.
  Path(std::string_view text);  // implicit: a literal is a path
  Path(const char* text) : Path(std::string_view(text)) {}
  Path(std::string text);

  const std::string& str() const { return text_; }
  bool is_root() const { return text_.empty(); }
  Path parent() const;
  std::string_view leaf() const;            // the last component
  Path operator/(const Path& child) const;  // this path, then the child; either may be the root
  // True for `scope` itself and all below it: "Encoder" contains "Encoder/H", but not "Encoder2/H". The root contains
  // all.
  bool IsWithin(const Path& scope) const;

  auto operator<=>(const Path&) const = default;

 private:
  std::string text_;
};

// `*` stands for anything within a component, `**` for anything at all: "Decoder/**", "*/Mean".
bool MatchesGlob(std::string_view pattern, std::string_view path);

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours), "" if all are far away
// (more than a third of the letters).
std::string_view NearestSpelling(std::string_view name, std::span<const std::string_view> candidates);

// ". Did you mean 'X'?", or "" without a near candidate: the end of many messages.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace weft
