// Copying with strides: along rows where neighbours stay neighbours or repeat, in square tiles where they do not.
#include "weft/ops/layout/strided.h"

#include <algorithm>
#include <array>

namespace weft {
namespace {

// 32 × 32 elements of 8 bytes, read and written: 16 KiB, half an L1; a row of f32 is two cache lines.
constexpr int64_t kTile = 32;
constexpr int64_t kTilesPerBlock = kElementsPerBlock / (kTile * kTile);

// The numbers of a step: offset, then the lengths, then the strides.
struct Axis {
  int64_t length, stride, to_stride;  // read with stride, written with to_stride
};
struct Loops {
  std::array<Axis, Shape::kMaxRank> axes;  // as in the result, last axis last
  size_t rank = 0;
  int64_t offset = 0;
  int64_t elements = 1;

  explicit Loops(std::span<const int64_t> numbers) : rank(numbers.size() / 2), offset(numbers[0]) {
    for (size_t a = rank; a-- > 0;) {
      axes[a] = {.length = numbers[1 + a], .stride = numbers[1 + rank + a], .to_stride = elements};
      elements *= axes[a].length;  // the checked count of the result's shape, once more
    }
  }
  // The axis along which the operand's elements are neighbours, if that is not the last one: then tiles pay.
  size_t NeighbourAxis() const {
    if (rank < 2 || axes[rank - 1].stride <= 1) return rank;
    size_t a = 0;
    while (a < rank && axes[a].stride != 1) ++a;
    return a;
  }
};

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Row by row: elements [begin, end) of the result.
template <class T>
void CopyRows(const Loops& loops, const T* from, T* to, ElementRange range) {
  std::array<int64_t, Shape::kMaxRank> index = {};
  const int64_t length = loops.rank == 0 ? 1 : loops.axes[loops.rank - 1].length;
  const int64_t stride = loops.rank == 0 ? 1 : loops.axes[loops.rank - 1].stride;
  const size_t outer = loops.rank == 0 ? 0 : loops.rank - 1;
  int64_t row = range.begin / length, at = loops.offset;
  for (size_t a = outer; a-- > 0;) {
    index[a] = row % loops.axes[a].length;
    row /= loops.axes[a].length;
    at += index[a] * loops.axes[a].stride;
  }
  for (int64_t e = range.begin, column = range.begin % length; e < range.end; column = 0) {
    const int64_t count = std::min(length - column, range.end - e);
    const T* in = from + at + column * stride;
    if (stride == 1) std::copy_n(in, count, to + e);
    else if (stride == 0) std::fill_n(to + e, count, *in);
    else
      for (int64_t i = 0; i < count; ++i) to[e + i] = in[i * stride];
    e += count;
    for (size_t a = outer; a-- > 0;) {  // the next row
      at += loops.axes[a].stride;
      if (++index[a] < loops.axes[a].length) break;
      at -= loops.axes[a].length * loops.axes[a].stride;
      index[a] = 0;
    }
  }
}

// Tiles [begin, end) over the last axis, the neighbour axis, and all others.
template <class T>
void CopyTiles(const Loops& loops, size_t neighbour, const T* from, T* to, int64_t begin, int64_t end) {
  const Axis& rows = loops.axes[neighbour];
  const Axis& columns = loops.axes[loops.rank - 1];
  const int64_t row_tiles = CeilDivide(rows.length, kTile), column_tiles = CeilDivide(columns.length, kTile);
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t column = tile % column_tiles * kTile, row = tile / column_tiles % row_tiles * kTile;
    int64_t rest = tile / column_tiles / row_tiles;
    int64_t in = loops.offset + row + column * columns.stride, out = row * rows.to_stride + column;
    for (size_t a = loops.rank - 1; a-- > 0;) {
      if (a == neighbour) continue;
      const int64_t index = rest % loops.axes[a].length;
      rest /= loops.axes[a].length;
      in += index * loops.axes[a].stride;
      out += index * loops.axes[a].to_stride;
    }
    const int64_t height = std::min(kTile, rows.length - row), width = std::min(kTile, columns.length - column);
    for (int64_t r = 0; r < height; ++r) {
      for (int64_t c = 0; c < width; ++c) to[out + r * rows.to_stride + c] = from[in + r + c * columns.stride];
    }
  }
}

int64_t TileCount(const Loops& loops, size_t neighbour) {
  const int64_t rows = loops.axes[neighbour].length, columns = loops.axes[loops.rank - 1].length;
  return loops.elements / rows / columns * CeilDivide(rows, kTile) * CeilDivide(columns, kTile);
}

template <class T>
void CopyBlocks(const StepArguments& step, uint32_t begin, uint32_t end) {
  const Loops loops(step.numbers);
  if (loops.elements == 0) return;
  const T* from = reinterpret_cast<const T*>(step.reads[0]);
  T* to = reinterpret_cast<T*>(step.writes[0]);
  const size_t neighbour = loops.NeighbourAxis();
  if (neighbour == loops.rank) return CopyRows(loops, from, to, ElementsOfBlocks(loops.elements, begin, end));
  const int64_t tiles = TileCount(loops, neighbour);
  CopyTiles(loops, neighbour, from, to, std::min(tiles, begin * kTilesPerBlock), std::min(tiles, end * kTilesPerBlock));
}

StepFunction CopyOf(DType dtype) {
  switch (SizeOf(dtype)) {
    case 1: return CopyBlocks<uint8_t>;
    case 4: return CopyBlocks<uint32_t>;
    default: return CopyBlocks<uint64_t>;
  }
}

}  // namespace

std::vector<int64_t> RowMajorStrides(const Shape& shape) {
  const std::span<const Dim> dims(shape.begin(), shape.rank());
  std::vector<int64_t> strides;
  for (size_t axis = 0; axis < shape.rank(); ++axis) strides.push_back(ElementCount(dims.subspan(axis + 1)));
  return strides;
}

StridedRead StridedRead::Normalized() const {
  if (std::ranges::find(lengths, 0) != lengths.end()) return {.lengths = {0}, .strides = {1}};
  StridedRead result = {.lengths = {}, .strides = {}, .offset = offset};
  for (size_t axis = 0; axis < lengths.size(); ++axis) {
    if (lengths[axis] == 1) continue;
    if (!result.lengths.empty() && result.strides.back() == lengths[axis] * strides[axis]) {
      result.lengths.back() = ElementCount(Shape{result.lengths.back(), lengths[axis]});
      result.strides.back() = strides[axis];
    } else {
      result.lengths.push_back(lengths[axis]);
      result.strides.push_back(strides[axis]);
    }
  }
  return result;
}

bool StridedRead::is_contiguous() const {
  const StridedRead read = Normalized();
  return read.lengths.empty() || (read.lengths.size() == 1 && read.strides[0] == 1);
}

void LowerStridedRead(LoweringContext& context, const StridedRead& read) {
  const StridedRead loops = read.Normalized();
  std::vector<int64_t> numbers = {loops.offset};
  numbers.insert(numbers.end(), loops.lengths.begin(), loops.lengths.end());
  numbers.insert(numbers.end(), loops.strides.begin(), loops.strides.end());
  const Loops decoded(numbers);
  const size_t neighbour = decoded.NeighbourAxis();
  const bool in_tiles = neighbour != decoded.rank;
  const int64_t tile_blocks = in_tiles ? CeilDivide(TileCount(decoded, neighbour), kTilesPerBlock) : 0;
  context.steps.push_back({.run = CopyOf(context.result.dtype),
                           .reads = {OperandBuffer(0)},
                           .writes = {StepBuffer::kResult},
                           .numbers = std::move(numbers),
                           .blocks = in_tiles ? static_cast<uint32_t>(tile_blocks) : BlocksOfElements(decoded.elements),
                           .block_cycles = kElementsPerBlock});
}

template <class Number>
Values<Number> ReadInOrder(const Values<Number>& operand, const StridedRead& read, const Shape& shape) {
  Values<Number> result(shape);
  for (size_t e = 0; e < result.elements.size(); ++e) {
    auto rest = static_cast<int64_t>(e), at = read.offset;
    for (size_t a = read.lengths.size(); a-- > 0;) {
      at += rest % read.lengths[a] * read.strides[a];
      rest /= read.lengths[a];
    }
    result.elements[e] = operand.elements[static_cast<size_t>(at)];
  }
  return result;
}

template Values<double> ReadInOrder(const Values<double>&, const StridedRead&, const Shape&);
template Values<Complex> ReadInOrder(const Values<Complex>&, const StridedRead&, const Shape&);

}  // namespace weft
