// RFC 8259 as far as the format needs it: strings, unsigned integers, lists of them, objects.
#include "weft/tests/fuzz/header_reference.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "weft/graph/path.h"
#include "weft/graph/shape.h"

namespace weft {
namespace {

struct Refused {};

void Must(bool holds) {
  if (!holds) throw Refused();
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void Skip() {
    while (at_ < text_.size() && (Now() == ' ' || Now() == '\t' || Now() == '\n' || Now() == '\r')) ++at_;
  }
  bool Accept(char c) {
    Skip();
    if (at_ == text_.size() || Now() != c) return false;
    ++at_;
    return true;
  }
  void Expect(char c) { Must(Accept(c)); }
  void ExpectEnd() {
    Skip();
    Must(at_ == text_.size());
  }

  template <class Member>
  void Object(const Member& member) {
    Expect('{');
    if (Accept('}')) return;
    do {
      const std::string key = String();
      Expect(':');
      member(key);
    } while (Accept(','));
    Expect('}');
  }

  std::vector<uint64_t> Integers() {
    std::vector<uint64_t> integers;
    Expect('[');
    if (Accept(']')) return integers;
    do integers.push_back(Integer());
    while (Accept(','));
    Expect(']');
    return integers;
  }

  std::string String() {
    Expect('"');
    std::string string;
    while (Next('"') != '"') {
      const unsigned char c = Take();
      if (c == '\\') Escape(string);
      else if (c < 0x20) throw Refused();
      else if (c < 0x80) string.push_back(static_cast<char>(c));
      else Utf8(c, string);
    }
    ++at_;
    return string;
  }

 private:
  char Now() const { return text_[at_]; }
  char Next(char) const {
    Must(at_ < text_.size());
    return Now();
  }
  unsigned char Take() {
    Must(at_ < text_.size());
    return static_cast<unsigned char>(text_[at_++]);
  }

  uint64_t Integer() {
    Skip();
    const size_t begin = at_;
    uint64_t number = 0;
    while (at_ < text_.size() && Now() >= '0' && Now() <= '9') {
      number = number * 10 + static_cast<uint64_t>(Now() - '0');
      ++at_;
      Must(number <= uint64_t{1} << 53);
    }
    Must(at_ > begin && (text_[begin] != '0' || at_ == begin + 1));
    Must(at_ == text_.size() || (Now() != '.' && Now() != 'e' && Now() != 'E'));
    return number;
  }

  uint32_t FourDigits() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(Take() | 0x20));
      const unsigned char raw = static_cast<unsigned char>(text_[at_ - 1]);
      Must(digit != std::string_view::npos && (raw >= '0'));  // | 0x20 makes digits of control characters
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    return code;
  }

  void Escape(std::string& string) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const unsigned char c = Take();
    if (const size_t i = kLetters.find(static_cast<char>(c)); i != std::string_view::npos)
      return string.push_back(kMeanings[i]);
    Must(c == 'u');
    uint32_t code = FourDigits();
    Must(code < 0xDC00 || code > 0xDFFF);
    if (code >= 0xD800 && code <= 0xDBFF) {
      Must(Take() == '\\' && Take() == 'u');
      const uint32_t low = FourDigits();
      Must(low >= 0xDC00 && low <= 0xDFFF);
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    Encode(code, string);
  }

  static void Encode(uint32_t code, std::string& string) {
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
    string.push_back(static_cast<char>(kLead[more] | code >> (6 * more)));
    for (int i = more; i-- > 0;) string.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3F)));
  }

  void Utf8(unsigned char lead, std::string& string) {
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    Must(lead >= 0xC2 && lead <= 0xF4);
    uint32_t code = lead & (0x3FU >> more);
    for (int i = 0; i < more; ++i) {
      const unsigned char c = Take();
      Must((c & 0xC0) == 0x80);
      code = code << 6 | (c & 0x3FU);
    }
    constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    Must(code >= kLeast[more] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF));
    Encode(code, string);
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool IsName(const std::string& name) {
  const bool whole = !name.empty() && name.front() != '/' && name.back() != '/' && name.find("//") == std::string::npos;
  return whole && name.size() <= Path::kMaxBytes &&
         std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

ReferenceTensor Tensor(Scanner& scanner, const std::string& name) {
  ReferenceTensor tensor = {.name = name, .dtype = {}, .shape = {}, .range = {}};
  std::set<std::string> fields;
  scanner.Object([&](const std::string& field) {
    Must(fields.insert(field).second);
    if (field == "dtype") tensor.dtype = scanner.String();
    else if (field == "shape") tensor.shape = scanner.Integers();
    else if (field == "data_offsets") tensor.range = scanner.Integers();
    else throw Refused();
  });
  Must(fields.size() == 3 && IsName(name));
  Must(tensor.dtype == "F32" || tensor.dtype == "F64" || tensor.dtype == "I64" || tensor.dtype == "BOOL");
  Must(tensor.shape.size() <= Shape::kMaxRank && tensor.range.size() == 2);
  Must(std::ranges::all_of(tensor.shape, [](uint64_t length) { return length <= Shape::kMaxElements; }));
  return tensor;
}

std::map<std::string, std::string> Strings(Scanner& scanner) {
  std::map<std::string, std::string> strings;
  scanner.Object([&](const std::string& key) { Must(strings.emplace(key, scanner.String()).second); });
  return strings;
}

template <class Read>
auto Whole(std::string_view text, const Read& read) -> std::optional<decltype(read(std::declval<Scanner&>()))> {
  try {
    Scanner scanner(text);
    auto result = read(scanner);
    scanner.ExpectEnd();
    return result;
  } catch (Refused) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<ReferenceHeader> ReadHeaderByTheRules(std::string_view text) {
  return Whole(text, [](Scanner& scanner) {
    ReferenceHeader header;
    std::set<std::string> keys;
    scanner.Object([&](const std::string& key) {
      Must(keys.insert(key).second);
      if (key == "__metadata__") header.metadata = Strings(scanner);
      else header.tensors.push_back(Tensor(scanner, key));
    });
    return header;
  });
}

std::optional<std::map<std::string, std::string>> ReadStringsByTheRules(std::string_view text) {
  return Whole(text, Strings);
}

}  // namespace weft
