// One walk over both lists of names; what is found goes out as lines or as one JSON object.
#include "weft/examples/vae/diff.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "weft/examples/vae/named_content.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/examples/vae/scope_option.h"
#include "weft/examples/vae/value_difference.h"

namespace weft {
namespace {

struct Changed {
  std::string key;
  std::optional<std::string> a, b;  // nothing: it has none
};

struct Differences {
  int64_t in_both = 0;
  std::vector<std::pair<std::string, std::string>> only_a = {}, only_b = {};  // key, text
  std::vector<Changed> different = {}, metadata = {};
  std::vector<std::pair<std::string, ValueDifference>> values = {};
  bool none() const {
    return only_a.empty() && only_b.empty() && different.empty() && metadata.empty() && values.empty();
  }
};

Path ScopeOf(const NamedContent& a, const NamedContent& b, const std::string& text) {
  std::vector<Path> names;
  for (const NamedContent* side : {&a, &b}) {
    for (const auto& [key, thing] : side->things) names.push_back(thing.name);
  }
  return ScopeAmong(names, text);
}

void CompareMetadata(const NamedContent& a, const NamedContent& b, Differences& found) {
  std::set<std::string> keys;
  for (const NamedContent* side : {&a, &b}) {
    for (const auto& [key, value] : side->metadata) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const auto text = [&key](const NamedContent& side) {
      const auto value = side.metadata.find(key);
      return value == side.metadata.end() ? std::nullopt : std::optional(value->second);
    };
    if (text(a) != text(b)) found.metadata.push_back({.key = key, .a = text(a), .b = text(b)});
  }
}

Differences Compare(const NamedContent& a, const NamedContent& b, const Path& scope) {
  Differences found;
  for (const auto& [key, thing] : b.things) {
    if (thing.name.IsWithin(scope) && !a.things.contains(key)) found.only_b.emplace_back(key, thing.text);
  }
  for (const auto& [key, thing] : a.things) {
    if (!thing.name.IsWithin(scope)) continue;
    const auto other = b.things.find(key);
    if (other == b.things.end()) {
      found.only_a.emplace_back(key, thing.text);
      continue;
    }
    ++found.in_both;
    if (thing.text != other->second.text) {
      found.different.push_back({.key = key, .a = thing.text, .b = other->second.text});
    } else if (a.value && b.value) {
      const ValueDifference difference = Difference(a.value(key), b.value(key));
      if (difference.unequal > 0) found.values.emplace_back(key, difference);
    }
  }
  if (scope.is_root()) CompareMetadata(a, b, found);
  return found;
}

std::string Quoted(const std::optional<std::string>& text) {
  return text ? fmt::format("'{}'", Printable(*text)) : "none";
}

void Print(const Differences& found, Output& output) {
  const auto line = [&output](std::string_view kind, std::string_view key, std::string_view text) {
    output.Line(fmt::format("{:<10} {}{}{}", kind, Printable(key), text.empty() ? "" : ": ", text));
  };
  for (const auto& [key, text] : found.only_a) line("only in A", key, Printable(text));
  for (const auto& [key, text] : found.only_b) line("only in B", key, Printable(text));
  for (const Changed& each : found.different)
    line("different", each.key, fmt::format("A {}, B {}", Printable(*each.a), Printable(*each.b)));
  for (const auto& [key, value] : found.values) {
    line("values", key,
         fmt::format("{} of {} differ, by at most {:.3g}, {:.3g} of the larger{}", value.unequal, value.elements,
                     value.largest, value.largest_relative,
                     value.not_finite > 0 ? fmt::format("; {} are not finite", value.not_finite) : ""));
  }
  for (const Changed& each : found.metadata)
    line("metadata", each.key, fmt::format("A {}, B {}", Quoted(each.a), Quoted(each.b)));
  output.Line(fmt::format("{}: {} names in both, {} only in A, {} only in B, {} of another type, {} of other values",
                          found.none() ? "equal" : "different", found.in_both, found.only_a.size(), found.only_b.size(),
                          found.different.size(), found.values.size()));
}

Json ToJson(const Differences& found) {
  Json json = {{"equal", found.none()}, {"in_both", found.in_both}};
  const auto names = [](const std::vector<std::pair<std::string, std::string>>& side) {
    Json list = Json::array();
    for (const auto& [key, text] : side) list.push_back({{"name", key}, {"type", text}});
    return list;
  };
  const auto changes = [](const std::vector<Changed>& list) {
    Json changed = Json::array();
    const auto text = [](const std::optional<std::string>& side) { return side ? Json(*side) : Json(); };
    for (const Changed& each : list) changed.push_back({{"name", each.key}, {"a", text(each.a)}, {"b", text(each.b)}});
    return changed;
  };
  json["only_in_a"] = names(found.only_a);
  json["only_in_b"] = names(found.only_b);
  json["different"] = changes(found.different);
  json["values"] = Json::array();
  for (const auto& [key, value] : found.values) {
    json["values"].push_back({{"name", key},
                              {"elements", value.elements},
                              {"unequal", value.unequal},
                              {"not_finite", value.not_finite},
                              {"largest_difference", value.largest},
                              {"largest_relative_difference", value.largest_relative}});
  }
  json["metadata"] = changes(found.metadata);
  return json;
}

}  // namespace

bool DiffCommand(const DiffOptions& options, Output& output) {
  const NamedContent a = ReadNamedContent(options.a), b = ReadNamedContent(options.b);
  const Differences found = Compare(a, b, ScopeOf(a, b, options.scope));
  if (options.json) output.Line(LineOf(ToJson(found)));
  else Print(found, output);
  return found.none();
}

}  // namespace weft
