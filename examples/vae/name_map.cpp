// Patterns that are matched and filled.
#include "weft/examples/vae/name_map.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

constexpr std::string_view kNumber = "{n}", kCounter = "{_n}", kAnything = "*", kNothing = "-",
                           kTransposed = "transposed";

std::string_view HoleAt(std::string_view text) {
  for (const std::string_view hole : {kNumber, kCounter, kAnything}) {
    if (text.starts_with(hole)) return hole;
  }
  return {};
}

[[noreturn]] void Refuse(std::string_view where, size_t line, std::string_view text, std::string_view expected) {
  throw UsageError(fmt::format("map: {} line {}: got '{}', expected {}", where, line, Printable(text), expected));
}

auto Numbers(const NamePattern& pattern) { return pattern.Count(kNumber) + pattern.Count(kCounter); }

// The words of a line, without its comment.
std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

// ---- Patterns ------------------------------------------------------------------------------------------------------

NamePattern::NamePattern(std::string_view text) {
  bool in_literal = false;
  while (!text.empty()) {
    const std::string_view hole = HoleAt(text);
    const std::string_view piece = hole.empty() ? text.substr(0, 1) : hole;
    if (hole.empty() && in_literal) parts_.back() += piece;
    else parts_.emplace_back(piece);
    in_literal = hole.empty();
    text.remove_prefix(piece.size());
  }
}

bool NamePattern::Match(size_t part, std::string_view name, Values& values) const {
  if (part == parts_.size()) return name.empty();
  const std::string& text = parts_[part];
  if (text == kAnything) {
    for (size_t length = 0; length <= name.size(); ++length) {
      if (!Match(part + 1, name.substr(length), values)) continue;
      values.anything = name.substr(0, length);
      return true;
    }
    return false;
  }
  if (text != kNumber && text != kCounter)
    return name.starts_with(text) && Match(part + 1, name.substr(text.size()), values);
  const bool counts = text == kCounter;
  const bool has_number = !counts || (name.size() > 1 && name[0] == '_' && name[1] >= '0' && name[1] <= '9');
  if (counts && has_number) name.remove_prefix(1);
  const size_t digits = has_number ? std::min(name.find_first_not_of("0123456789"), name.size()) : 0;
  if (digits == 0 && !counts) return false;
  values.number = digits == 0 ? "0" : name.substr(0, digits);
  return Match(part + 1, name.substr(digits), values);
}

std::string NamePattern::With(const Values& values) const {
  std::string name;
  for (const std::string& part : parts_) {
    if (part == kAnything) name += values.anything;
    else if (part == kNumber) name += values.number;
    else if (part != kCounter) name += part;
    else if (values.number != "0") name += "_" + values.number;
  }
  return name;
}

// ---- The table -----------------------------------------------------------------------------------------------------

NameMap NameMap::Parse(std::string_view text, std::string_view where) {
  NameMap map;
  std::istringstream lines{std::string(text)};
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::vector<std::string> words = Words(line);
    if (words.empty()) continue;
    const bool is_transposed = words.size() == 4 && words[3] == kTransposed;
    if (words.size() < 3 || words[1] != "=" || (words.size() > 3 && !is_transposed))
      Refuse(where, number, line, "NAME = NAME, and perhaps 'transposed' behind them");
    const NamePattern from(words[0]), to(words[2]);
    if (Numbers(from) > 1 || Numbers(to) > Numbers(from) || from.Count(kAnything) > 1 ||
        to.Count(kAnything) > from.Count(kAnything))
      Refuse(where, number, line, "at most one number and one * on the left, and on the right no others");
    map.rules_.push_back(
        {.from = from, .to = to, .is_transposed = is_transposed, .is_passed_over = words[2] == kNothing});
  }
  return map;
}

std::string NameMap::Renamed(const std::string& name) const {
  for (const auto& [from, to] : renames_) {
    if (!name.starts_with(from)) continue;
    const std::string rest = name.substr(from.size());
    if (rest.empty() || rest[0] == '.' || rest[0] == '/') return to + rest;
  }
  return name;
}

NameMap::Target NameMap::Of(const std::string& name) const {
  const std::string renamed = Renamed(name);
  for (const Rule& rule : rules_) {
    NamePattern::Values values;
    if (rule.from.Match(renamed, values))
      return {.name = rule.to.With(values), .is_transposed = rule.is_transposed, .is_passed_over = rule.is_passed_over};
  }
  return {.name = renamed};
}

NameMap::Target NameMap::SourceOf(const std::string& name) const {
  for (const Rule& rule : rules_) {
    NamePattern::Values values;
    if (!rule.is_passed_over && rule.to.Match(name, values))
      return {.name = rule.from.With(values), .is_transposed = rule.is_transposed};
  }
  return {.name = name};
}

}  // namespace weft
