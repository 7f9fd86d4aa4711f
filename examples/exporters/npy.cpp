// "\x93NUMPY", version, length of the header, the header as a Python dictionary, the numbers.
#include "weft/exporters/npy.h"

#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "weft/exporters/npy_header.h"
#include "weft/graph/error.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "'<f4' are little-endian numbers");

void CopyBits(const std::byte* from, Tensor& to) {
  if (!to.bytes().empty()) std::memcpy(to.bytes().data(), from, to.bytes().size());
}

template <class T>
void Widen(const std::byte* from, Tensor& to) {
  for (int64_t& value : to.values<int64_t>()) {
    T narrow;
    std::memcpy(&narrow, from, sizeof(T));
    value = narrow;
    from += sizeof(T);
  }
}

// Types that NumPy writes, and what they are here; the first of a dtype is how we write it.
struct Element {
  std::string_view descr;
  size_t bytes;
  DType dtype;
  void (*copy)(const std::byte* from, Tensor& to);
};
constexpr std::array<Element, 6> kElements = {{{"<f4", 4, DType::kFloat32, CopyBits},
                                               {"<f8", 8, DType::kFloat64, CopyBits},
                                               {"<i8", 8, DType::kInt64, CopyBits},
                                               {"|b1", 1, DType::kBool, CopyBits},
                                               {"<i4", 4, DType::kInt64, Widen<int32_t>},
                                               {"|u1", 1, DType::kInt64, Widen<uint8_t>}}};

[[noreturn]] void Refuse(std::string_view name, const std::string& sentence) {
  throw CheckpointError(fmt::format("npy: {}: {}", Escaped(name), sentence));
}

const Element& ElementOf(std::string_view descr, std::string_view name) {
  std::string known;
  for (const Element& element : kElements) {
    if (element.descr == descr) return element;
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", element.descr);
  }
  Refuse(name, fmt::format("got type '{}', expected one of {}", Escaped(descr, 40), known));
}

// Elements of `size` bytes whose first axis runs fastest, in row-major order.
std::vector<std::byte> RowMajor(std::span<const std::byte> bytes, const Shape& shape, size_t size) {
  std::vector<std::byte> result(bytes.size());
  std::array<int64_t, Shape::kMaxRank> stride{}, at{};
  int64_t next = 1;
  for (size_t axis = 0; axis < shape.rank(); ++axis) {
    stride[axis] = next;
    next *= shape[axis].length();
  }
  int64_t from = 0;
  for (size_t to = 0; to < result.size(); to += size) {
    std::memcpy(&result[to], &bytes[static_cast<size_t>(from) * size], size);
    for (size_t axis = shape.rank(); axis-- > 0;) {
      from += stride[axis];
      if (++at[axis] < shape[axis].length()) break;
      from -= stride[axis] * shape[axis].length();
      at[axis] = 0;
    }
  }
  return result;
}

}  // namespace

std::string NpyHeader(DType dtype, const Shape& shape) {
  std::string_view descr;
  for (size_t i = kElements.size(); i-- > 0;) {
    if (kElements[i].dtype == dtype) descr = kElements[i].descr;
  }
  std::string dims;
  for (const Dim& dim : shape) {
    if (dim.is_batch()) throw GraphError(fmt::format("npy: shape: got {}, expected numbers", ToString(shape)));
    dims += fmt::format("{}{}", dims.empty() ? "" : ", ", dim.length());
  }
  if (shape.rank() == 1) dims += ",";  // a tuple of one
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, dims);
  constexpr size_t kBefore = 10;  // magic 6, version 2, length 2
  // Spaces and a newline, so that the numbers begin at a multiple of 64 bytes.
  text.append(63 - (kBefore + text.size()) % 64, ' ').push_back('\n');
  std::string header = "\x93NUMPY\x01";
  header.push_back('\0');
  header.push_back(static_cast<char>(text.size() & 0xFF));
  header.push_back(static_cast<char>(text.size() >> 8));
  return header + text;
}

std::string NpyText(const Tensor& value) {
  std::string text = NpyHeader(value.dtype(), value.shape());
  return text.append(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
}

Tensor ParseNpy(std::span<const std::byte> bytes, std::string_view name) {
  const NpyFacts facts = ReadNpyHeader(bytes, name);
  const Element& element = ElementOf(facts.descr, name);
  const std::span<const std::byte> data = bytes.subspan(facts.header_bytes);
  const auto expected = static_cast<uint64_t>(ElementCount(facts.shape)) * element.bytes;
  if (data.size() != expected) {
    Refuse(name, fmt::format("got {} bytes behind the header, expected {} for '{}' {}", data.size(), expected,
                             element.descr, ToString(facts.shape)));
  }
  const bool reorder = facts.is_fortran_order && facts.shape.rank() > 1;
  const std::vector<std::byte> reordered =
      reorder ? RowMajor(data, facts.shape, element.bytes) : std::vector<std::byte>();
  Tensor value(element.dtype, facts.shape);
  element.copy(reorder ? reordered.data() : data.data(), value);
  if (element.dtype == DType::kBool) {
    for (std::byte each : std::as_const(value).bytes()) {
      if (std::to_integer<int>(each) > 1)
        Refuse(name, fmt::format("got a bool of {}, expected 0 or 1", std::to_integer<int>(each)));
    }
  }
  return value;
}

}  // namespace weft
