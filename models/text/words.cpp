// Letters to words.
#include "weft/models/text/words.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "weft/models/model_text.h"

namespace weft {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

}  // namespace

std::string ModelSource::Where(size_t at) const {
  const std::string_view before = text_.substr(0, at);
  const size_t line = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto letters =
      std::ranges::count_if(before.substr(line), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return fmt::format("{}, line {}, column {}", title_, std::ranges::count(before, '\n') + 1, letters + 1);
}

void ModelSource::Fail(size_t at, std::string_view got, std::string_view expected) const {
  throw PlacedError(fmt::format("{}: got {}, expected {}", Where(at), got, expected));
}

std::string ModelSource::Placed(size_t at, std::string_view message) const {
  return fmt::format("{}: {}", Where(at), message);
}

ModelLevel::ModelLevel(const ModelSource& source, size_t at, int& depth, int most, std::string_view of)
    : depth_(depth) {
  if (depth >= most)
    throw ResourceError(fmt::format("{}: got more than {} levels of {}, the limit", source.Where(at), most, of));
  ++depth;
}

ModelWords::ModelWords(const ModelSource& source) : source_(source), text_(source.text()) {
  if (text_.size() <= kMaxModelText) return;
  throw ResourceError(
      fmt::format("{}: got {} bytes, expected at most {}", source.Where(0), text_.size(), kMaxModelText));
}

ModelToken ModelWords::Next() {
  using Kind = ModelToken::Kind;
  Skip();
  if (at_ == text_.size()) return {Kind::kEnd, at_, {}};
  const char c = text_[at_];
  if (c == '\n') return Take(Kind::kLine, at_ + 1);
  if (IsLetter(c)) return Take(Kind::kName, EndOfName());
  if (IsDigit(c)) return Take(Kind::kNumber, EndOfNumber());
  if (c == '"') {
    const size_t end = text_.find_first_of("\"\n", at_ + 1);
    if (end == std::string_view::npos || text_[end] == '\n') source_.Fail(at_, "'\"'", "another '\"' on this line");
    return Take(Kind::kString, end + 1);
  }
  if (c == '(' || c == '[') ++brackets_;
  if ((c == ')' || c == ']') && brackets_ > 0) --brackets_;
  return Take(Kind::kSign, at_ + 1);
}

ModelToken ModelWords::Take(ModelToken::Kind kind, size_t end) {
  const ModelToken token = {kind, at_, text_.substr(at_, end - at_)};
  at_ = end;
  return token;
}

void ModelWords::Skip() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && brackets_ > 0)) ++at_;
    else break;
  }
}

// "Encoder/Mean" is a path, "a / b" a quotient.
size_t ModelWords::EndOfName() const {
  const auto at = [this](size_t i) { return i < text_.size() ? text_[i] : '\0'; };
  size_t end = at_;
  while (IsLetter(at(end)) || IsDigit(at(end)) || (at(end) == '/' && IsLetter(at(end + 1)))) ++end;
  return end;
}

size_t ModelWords::EndOfNumber() const {
  double number = 0;
  const char* const begin = text_.data() + at_;
  return at_ + static_cast<size_t>(std::from_chars(begin, text_.data() + text_.size(), number).ptr - begin);
}

}  // namespace weft
