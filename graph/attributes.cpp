// Identity and text of attributes.
#include "weft/graph/attributes.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include "weft/graph/error.h"

namespace weft {
namespace {

bool SameBits(const AttributeValue& a, const AttributeValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&a))
    return **tensor == *std::get<std::shared_ptr<const Tensor>>(b);
  if (const auto* number = std::get_if<double>(&a))
    return std::bit_cast<uint64_t>(*number) == std::bit_cast<uint64_t>(std::get<double>(b));
  return a == b;
}

size_t Mixed(size_t hash, size_t more) { return hash * 31 + more; }

struct Hash {
  template <class T>
  size_t operator()(const T& v) const {
    return std::hash<T>{}(v);
  }
  size_t operator()(double v) const { return std::hash<uint64_t>{}(std::bit_cast<uint64_t>(v)); }
  size_t operator()(const Shape& v) const {
    size_t hash = v.rank();
    for (const Dim& dim : v) hash = Mixed(hash, std::hash<int64_t>{}(dim.length()));
    return hash;
  }
  size_t operator()(const std::vector<int64_t>& v) const {
    size_t hash = v.size();
    for (int64_t number : v) hash = Mixed(hash, std::hash<int64_t>{}(number));
    return hash;
  }
  size_t operator()(const std::shared_ptr<const Tensor>& v) const {
    const auto bytes = v->bytes();
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

size_t HashOf(const AttributeValue& value) { return std::visit(Hash{}, value); }

// The shortest text that reads back to the same double, marked as floating-point.
std::string NumberText(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";  // 'n' as in inf and nan
  return text;
}

// Control characters and broken UTF-8 become \xNN, so the result is one line of valid text.
std::string Quoted(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return '"' + Escaped(result, SIZE_MAX) + '"';
}

std::string KeyText(const std::string& key) {
  constexpr std::string_view kBare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  return !key.empty() && key.find_first_not_of(kBare) == std::string::npos ? key : Quoted(key);
}

std::string TensorText(const Tensor& tensor) {
  std::string text = fmt::format("{}{}{{", Name(tensor.dtype()), ToString(tensor.shape()));
  const auto append = [&text](auto values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) text += ", ";
      text += fmt::format("{}", values[i]);
    }
  };
  switch (tensor.dtype()) {
    case DType::kFloat32: append(tensor.values<float>()); break;
    case DType::kFloat64: append(tensor.values<double>()); break;
    case DType::kInt64: append(tensor.values<int64_t>()); break;
    case DType::kBool: append(tensor.values<bool>()); break;
  }
  return text + "}";
}

// A cursor over the text that throws with what it expected.
class Reader {
 public:
  explicit Reader(std::string_view& text) : text_(text) {}

  [[noreturn]] void Fail(std::string_view expected) const {
    throw GraphError(fmt::format("attribute: got '{}', expected {}", Escaped(text_, 40), expected));
  }
  bool Accept(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void Expect(std::string_view token) {
    if (!Accept(token)) Fail(fmt::format("'{}'", token));
  }
  template <class T>
  T Number() {
    T value{};
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) Fail("a number");
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return value;
  }
  // Calls `item` for each element between `open` and `close`.
  template <class Item>
  void List(std::string_view open, std::string_view close, const Item& item) {
    Expect(open);
    if (Accept(close)) return;
    do item();
    while (Accept(", "));
    Expect(close);
  }
  // Not through Dim, which keeps one negative number for N.
  int64_t Length() {
    const auto length = Number<int64_t>();
    if (length < 0) throw GraphError(fmt::format("attribute: got length {}, expected 0 or more", length));
    return length;
  }
  Shape ShapeText() {
    std::vector<Dim> dims;
    List("[", "]", [&] { dims.push_back(Accept("N") ? kBatch : Dim(Length())); });
    return Shape(dims);
  }
  std::string QuotedText() {
    std::string result;
    Expect("\"");
    while (!text_.empty() && text_.front() != '"') {
      if (Accept("\\x")) {
        unsigned byte = 0;
        if (text_.size() < 2 || std::from_chars(text_.data(), text_.data() + 2, byte, 16).ptr != text_.data() + 2)
          Fail("two hexadecimal digits");
        result += static_cast<char>(byte);
        text_.remove_prefix(2);
        continue;
      }
      Accept("\\");
      if (text_.empty()) break;
      result += text_.front();
      text_.remove_prefix(1);
    }
    Expect("\"");
    return result;
  }
  bool Truth() {
    const bool value = Accept("true");
    if (!value) Expect("false");
    return value;
  }
  // Counts before it allocates: the shape is only a claim of the text.
  template <class T, class Item>
  Tensor TensorOf(const Shape& shape, const Item& item) {
    std::vector<T> values;
    List("{", "}", [&] { values.push_back(item()); });
    const int64_t expected = ElementCount(shape);
    if (static_cast<int64_t>(values.size()) != expected)
      throw GraphError(fmt::format("attribute: got {} values, expected {}", values.size(), expected));
    Tensor tensor(kDTypeOf<T>, shape);
    std::copy(values.begin(), values.end(), tensor.values<T>().begin());
    return tensor;
  }
  Tensor TensorText(DType dtype) {
    const Shape shape = ShapeText();
    switch (dtype) {
      case DType::kFloat32: return TensorOf<float>(shape, [this] { return Number<float>(); });
      case DType::kFloat64: return TensorOf<double>(shape, [this] { return Number<double>(); });
      case DType::kInt64: return TensorOf<int64_t>(shape, [this] { return Number<int64_t>(); });
      case DType::kBool: break;
    }
    return TensorOf<bool>(shape, [this] { return Truth(); });
  }

 private:
  std::string_view& text_;
};

// The copy constructor of a variant that cannot be without a value (libstdc++ 12) destroys what it has not made where
// memory is short; made from the value itself, it does not.
std::vector<Attributes::Entry> Copied(std::span<const Attributes::Entry> entries) {
  std::vector<Attributes::Entry> copies;
  copies.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    copies.emplace_back(
        key, std::visit([]<class T>(const T& of) { return AttributeValue(std::in_place_type<T>, of); }, value));
  }
  return copies;
}

}  // namespace

Attributes::Attributes(std::initializer_list<Entry> given) {
  std::vector<Entry> entries = Copied(std::span(given.begin(), given.size()));
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
  const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                        [](const Entry& a, const Entry& b) { return a.first == b.first; });
  if (twice != entries.end()) throw GraphError(fmt::format("attribute '{}': given twice", twice->first));
  if (!entries.empty()) entries_ = std::make_shared<const std::vector<Entry>>(std::move(entries));
}

const AttributeValue* Attributes::Find(std::string_view key) const {
  for (const Entry& entry : entries()) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

void Attributes::Set(std::string_view key, AttributeValue value) {
  std::vector<Entry> changed = Copied(entries());
  const auto at = std::lower_bound(changed.begin(), changed.end(), key,
                                   [](const Entry& entry, std::string_view k) { return entry.first < k; });
  if (at != changed.end() && at->first == key) at->second = std::move(value);
  else changed.emplace(at, std::string(key), std::move(value));
  entries_ = std::make_shared<const std::vector<Entry>>(std::move(changed));
}

const AttributeValue& Attributes::At(std::string_view key) const {
  if (const AttributeValue* value = Find(key)) return *value;
  throw GraphError(fmt::format("attribute '{}': missing", key));
}

void Attributes::ThrowWrongType(std::string_view key) {
  throw GraphError(fmt::format("attribute '{}': has another type", key));
}

size_t Attributes::Hash() const {
  size_t hash = 0;
  for (const Entry& entry : entries())
    hash = Mixed(hash, std::hash<std::string>{}(entry.first) * 7 + HashOf(entry.second));
  return hash;
}

bool Attributes::operator==(const Attributes& other) const {
  return entries_ == other.entries_ ||
         std::equal(begin(), end(), other.begin(), other.end(),
                    [](const Entry& a, const Entry& b) { return a.first == b.first && SameBits(a.second, b.second); });
}

std::string ToString(const AttributeValue& value) {
  struct Text {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return NumberText(v); }
    std::string operator()(const std::string& v) const { return Quoted(v); }
    std::string operator()(DType v) const { return std::string(Name(v)); }
    std::string operator()(const Shape& v) const { return weft::ToString(v); }
    std::string operator()(const std::vector<int64_t>& v) const { return fmt::format("({})", fmt::join(v, ", ")); }
    std::string operator()(const std::shared_ptr<const Tensor>& v) const { return TensorText(*v); }
  };
  return std::visit(Text{}, value);
}

std::string ToString(const Attributes& attributes) {
  std::string text;
  for (const auto& [key, value] : attributes)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", KeyText(key), ToString(value));
  return text;
}

AttributeValue ParseAttributeValue(std::string_view& text) {
  Reader reader(text);
  if (text.starts_with("\"")) return reader.QuotedText();
  if (text.starts_with("[")) return reader.ShapeText();
  if (text.starts_with("(")) {
    std::vector<int64_t> list;
    reader.List("(", ")", [&] { list.push_back(reader.Number<int64_t>()); });
    return list;
  }
  if (reader.Accept("true")) return true;
  if (reader.Accept("false")) return false;
  for (DType dtype : kAllDTypes) {
    if (!reader.Accept(Name(dtype))) continue;
    if (!text.starts_with("[")) return dtype;
    return std::make_shared<const Tensor>(reader.TensorText(dtype));
  }
  const std::string_view word = text.substr(0, text.find_first_of(" ,)}]\n"));
  if (word.find_first_of(".en") != std::string_view::npos) return reader.Number<double>();
  return reader.Number<int64_t>();
}

}  // namespace weft
