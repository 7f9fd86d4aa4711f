// NameMap: what the tensors of another program are called here, as a table of patterns.
//
//   NameMap map = NameMap::Parse("encoder.body.{n}.0.weight = Encoder/FullyConnected{_n}/W transposed\n", "map.txt");
//   map.Of("encoder.body.1.0.weight");   // {.name = "Encoder/FullyConnected_1/W", .is_transposed = true}
//
// A line a rule: NAME THERE = NAME HERE, perhaps with the word `transposed` behind it, for a matrix that lies the other
// way round; "-" as the name here passes the tensor over; # begins a comment. In a name {n} stands for a number, {_n}
// for the same number as layers are counted here (nothing, _1, _2 …), and * for anything; each side has at most one
// number and one *. The first rule that fits a name holds; a name that none fits stays as it is.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

// A name with holes: {n}, {_n} and *.
class NamePattern {
 public:
  explicit NamePattern(std::string_view text);

  struct Values {
    std::string number = {}, anything = {};
  };
  bool Match(std::string_view name, Values& values) const { return Match(0, name, values); }
  std::string With(const Values& values) const;
  // How often a hole, "{n}", is in it.
  auto Count(std::string_view hole) const { return std::ranges::count(parts_, hole); }

 private:
  bool Match(size_t part, std::string_view name, Values& values) const;

  std::vector<std::string> parts_;  // literal texts and holes
};

class NameMap {
 public:
  // Throws UsageError naming `where` and the line for what is no rule.
  static NameMap Parse(std::string_view text, std::string_view where);

  // What is called `from`, or lies below it behind a '.' or '/', is called `to` before any rule is asked.
  void Rename(std::string from, std::string to) { renames_.emplace_back(std::move(from), std::move(to)); }
  std::string Renamed(const std::string& name) const;

  struct Target {
    std::string name;
    bool is_transposed = false;
    bool is_passed_over = false;
  };
  Target Of(const std::string& name) const;
  // The other way: which name becomes `name`, before it is renamed.
  Target SourceOf(const std::string& name) const;

 private:
  struct Rule {
    NamePattern from, to;
    bool is_transposed, is_passed_over;
  };
  std::vector<std::pair<std::string, std::string>> renames_;
  std::vector<Rule> rules_;
};

}  // namespace weft
