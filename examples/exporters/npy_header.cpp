// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } in any order of keys: no more of Python than that.
#include "weft/exporters/npy_header.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMostHeaderBytes = 10'000;

[[noreturn]] void Refuse(std::string_view name, const std::string& sentence) {
  throw CheckpointError(fmt::format("npy: {}: {}", Escaped(name), sentence));
}

class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  NpyFacts Parse() {
    NpyFacts facts;
    bool has_descr = false, has_order = false, has_shape = false;
    Expect("{");
    while (!Take("}")) {
      const std::string key = String("a key");
      Expect(":");
      if (key == "descr" && !std::exchange(has_descr, true)) facts.descr = String("a type such as '<f4'");
      else if (key == "fortran_order" && !std::exchange(has_order, true)) facts.is_fortran_order = Bool();
      else if (key == "shape" && !std::exchange(has_shape, true)) facts.shape = Tuple();
      else Fail(fmt::format("got the key '{}' (again)", Escaped(key, 40)), "descr, fortran_order and shape, once each");
      if (!Take(",")) {
        Expect("}");
        break;
      }
    }
    if (!has_descr || !has_order || !has_shape) Fail("got too few keys", "descr, fortran_order and shape");
    Skip();
    if (!rest_.empty()) Found("the end of the header");
    return facts;
  }

 private:
  [[noreturn]] void Fail(const std::string& got, std::string_view expected) const {
    Refuse(name_, fmt::format("header: {}, expected {}", got, expected));
  }
  [[noreturn]] void Found(std::string_view expected) const {
    Fail(rest_.empty() ? "got its end" : fmt::format("got '{}'", Escaped(rest_.substr(0, 20), 40)), expected);
  }

  void Skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }

  bool Take(std::string_view token) {
    Skip();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void Expect(std::string_view token) {
    if (!Take(token)) Found(fmt::format("'{}'", token));
  }

  std::string String(std::string_view what) {
    Skip();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) Found(what);
    const size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) Found(what);
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool Bool() {
    if (Take("True")) return true;
    if (!Take("False")) Found("True or False");
    return false;
  }

  Shape Tuple() {
    std::vector<Dim> dims;
    Expect("(");
    while (!Take(")")) {
      dims.emplace_back(Length());
      if (dims.size() > Shape::kMaxRank)
        Fail(fmt::format("got more than {} dimensions", Shape::kMaxRank), "at most so many");
      if (!Take(",")) {
        Expect(")");
        break;
      }
    }
    try {
      const Shape shape(dims);
      ElementCount(shape);  // may overflow, too
      return shape;
    } catch (const ResourceError& error) {
      Refuse(name_, fmt::format("header: overflow: {}", error.what()));
    }
  }

  int64_t Length() {
    Skip();
    int64_t length = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), length);
    if (error != std::errc() || length < 0) Found("a length of at least 0");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return length;
  }

  std::string_view rest_, name_;
};

}  // namespace

NpyFacts ReadNpyHeader(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic)) Refuse(name, "got other first bytes, expected \\x93NUMPY");
  constexpr size_t kVersion = 6;
  if (text.size() < kVersion + 4) Refuse(name, fmt::format("got {} bytes, expected a header", text.size()));
  const auto version = static_cast<unsigned char>(text[kVersion]);
  if (version < 1 || version > 3) Refuse(name, fmt::format("got version {}, expected 1, 2 or 3", version));
  const size_t length_bytes = version == 1 ? 2 : 4, begin = kVersion + 2 + length_bytes;
  size_t length = 0;
  for (size_t i = 0; i < length_bytes && kVersion + 2 + i < text.size(); ++i)
    length |= size_t{static_cast<unsigned char>(text[kVersion + 2 + i])} << (8 * i);
  if (length > kMostHeaderBytes)
    Refuse(name, fmt::format("got a header of {} bytes, expected at most {}", length, kMostHeaderBytes));
  if (text.size() < begin + length) {
    Refuse(name, fmt::format("got {} bytes, expected {} for the header alone", text.size(), begin + length));
  }
  NpyFacts facts = HeaderParser(text.substr(begin, length), name).Parse();
  facts.header_bytes = begin + length;
  return facts;
}

}  // namespace weft
