// Rows, and the permutation of an epoch.
#include "weft/models/training/dataset.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "weft/graph/error.h"
#include "weft/graph/op.h"
#include "weft/graph/runtime/crc32c.h"
#include "weft/ops/random/philox.h"

namespace weft {
namespace {

// byte / divisor, correctly rounded for a whole divisor. In two short loops, the first of which only reads: compilers
// make vectors of them.
template <class T>
void Divide(std::span<const uint8_t> bytes, double divisor, T* to) {
  constexpr size_t kAtOnce = 16;
  const T by = static_cast<T>(divisor);
  size_t i = 0;
  for (; i + kAtOnce <= bytes.size(); i += kAtOnce) {
    T numbers[kAtOnce];
    for (size_t k = 0; k < kAtOnce; ++k) numbers[k] = static_cast<T>(bytes[i + k]);
    for (size_t k = 0; k < kAtOnce; ++k) to[i + k] = numbers[k] / by;
  }
  for (; i < bytes.size(); ++i) to[i] = static_cast<T>(bytes[i]) / by;
}

}  // namespace

Rows Rows::OfBytes(std::span<const uint8_t> bytes, int64_t count, double divisor) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (count < 1 || size % count != 0) {
    throw GraphError(fmt::format("rows: got {} bytes, expected {} rows of equal width", size, count));
  }
  if (!(divisor >= 1)) throw GraphError(fmt::format("rows: got divisor {}, expected at least 1", divisor));
  return Rows(Bytes{bytes, divisor}, count, size / count);
}

Rows Rows::Of(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  if (shape.rank() < 1 || shape[0].length() < 1) {
    throw GraphError(fmt::format("rows: got {}, expected at least one row", ToString(tensor.type())));
  }
  const int64_t count = shape[0].length(), width = tensor.size() / count;
  switch (tensor.dtype()) {
    case DType::kFloat32: return Rows(tensor.values<float>(), count, width);
    case DType::kFloat64: return Rows(tensor.values<double>(), count, width);
    case DType::kInt64: return Rows(tensor.values<int64_t>(), count, width);
    case DType::kBool: break;
  }
  throw GraphError(fmt::format("rows: got {}, expected numbers", ToString(tensor.type())));
}

template <class T>
void Rows::GatherAs(std::span<const int64_t> which, std::span<std::byte> to) const {
  T* out = reinterpret_cast<T*>(to.data());
  const auto width = static_cast<size_t>(width_);
  std::visit(
      [&](const auto& source) {
        using Kind = std::decay_t<decltype(source)>;
        for (int64_t row : which) {
          const size_t begin = static_cast<size_t>(row) * width;
          if constexpr (std::is_same_v<Kind, Bytes>) {
            Divide(source.values.subspan(begin, width), source.divisor, out);
          } else {
            std::ranges::transform(source.subspan(begin, width), out, [](auto value) { return static_cast<T>(value); });
          }
          out += width;
        }
      },
      source_);
}

void Rows::Gather(std::span<const int64_t> which, DType dtype, std::span<std::byte> to) const {
  const int64_t expected = ByteSize(dtype, {std::ssize(which), width_});
  if (std::ssize(to) != expected) {
    throw GraphError(fmt::format("rows: got room for {} bytes, expected {}", to.size(), expected));
  }
  switch (dtype) {
    case DType::kFloat32: return GatherAs<float>(which, to);
    case DType::kFloat64: return GatherAs<double>(which, to);
    case DType::kInt64: return GatherAs<int64_t>(which, to);
    case DType::kBool: break;
  }
  throw GraphError("rows: got room for bool, expected numbers");
}

std::string Rows::Checksum() const {
  return std::visit(
      [](const auto& source) {
        if constexpr (std::is_same_v<std::decay_t<decltype(source)>, Bytes>)
          return Crc32cText(std::as_bytes(source.values));
        else return Crc32cText(std::as_bytes(source));
      },
      source_);
}

int64_t SampleCount(const Dataset& dataset) {
  if (dataset.empty()) throw GraphError("data set: got no column, expected at least one");
  const int64_t count = dataset[0].rows.count();
  for (const Column& column : dataset) {
    const Node node = column.node;
    const auto fail = [&node](std::string_view reason) {
      throw GraphError(fmt::format("data set: column '{}': {}", Escaped(node.name().str()), reason));
    };
    if (node.shape().rank() < 1 || !node.shape()[0].is_batch() || node.dtype() == DType::kBool) {
      fail(fmt::format("got {}, expected numbers [N, …]", ToString(node.type())));
    }
    const int64_t width = ElementCount(std::span(node.shape().begin() + 1, node.shape().end()));
    if (column.rows.width() != width) {
      fail(
          fmt::format("got rows of {} numbers, expected {} for {}", column.rows.width(), width, ToString(node.type())));
    }
    if (column.rows.count() != count) {
      fail(fmt::format("got {} rows, expected {} like '{}'", column.rows.count(), count,
                       Escaped(dataset[0].node.name().str())));
    }
  }
  return count;
}

std::string Checksum(const Dataset& dataset) {
  std::string text;
  for (const Column& column : dataset) text += fmt::format("{}{}", text.empty() ? "" : " ", column.rows.Checksum());
  return text;
}

namespace {

// Uniform in 0 … n − 1: words behind the last multiple of n are drawn again.
uint64_t Below(uint64_t n, uint64_t key, uint64_t epoch, uint64_t element) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  for (uint32_t attempt = 0;; ++attempt) {
    const uint64_t word = WordsOf(key, epoch, element, attempt).first;
    if (word < kMost - kMost % n) return word % n;
  }
}

}  // namespace

// Fisher and Yates: each element, from the last on, changes places with one that is not behind it.
void Shuffle(std::span<int64_t> order, uint64_t seed, int64_t epoch) {
  std::iota(order.begin(), order.end(), 0);
  const uint64_t key = RandomKey(seed, StreamHash("Training/Shuffle"));
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[Below(i, key, static_cast<uint64_t>(epoch), i)]);
  }
}

}  // namespace weft
