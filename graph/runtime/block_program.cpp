// The interpreter of fused groups and folds.
#include "weft/graph/runtime/block_program.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "weft/graph/compile/blocks.h"
#include "weft/graph/runtime/panels.h"

namespace weft {
namespace {

constexpr size_t kRegisterBytes = kBlockElements * sizeof(float);
constexpr size_t kMaxValues = 4 * kMaxInstructions;  // an op has at most three operands
constexpr size_t kMaxOperands = 16;                  // of a combination

// Memory of one thread for the registers of a group. Not initialised: a group touches what it uses of 126 KiB.
struct Registers {
  alignas(kAlignment) std::byte memory[(kMaxInstructions + 1) * (kRegisterBytes + kAlignment)];
};

// Bytes from row to row in a register: whole vectors.
int64_t RegisterStride(int64_t row_bytes) { return CeilDivide(row_bytes, kAlignment) * kAlignment; }

// Where a program's buffers lie; those in strips have the elements of `piece` only.
struct Memory {
  BufferAddresses buffers;
  std::byte* strips = nullptr;
  Piece piece = {};
};

// Runs the instructions block by block. After each, `value` tells where every value lies.
class Block {
 public:
  Block(const BlockProgram& program, const Memory& memory, Registers& registers)
      : program_(program),
        memory_(memory),
        registers_(registers),
        size_(static_cast<int64_t>(SizeOf(program.dtype))),
        width_(PanelWidth(program.dtype)),
        panel_rows_(PanelRows(program)),
        register_bytes_((in_panels() ? static_cast<size_t>(panel_rows_ * kPanelRowBytes) : kRegisterBytes) +
                        kAlignment) {
    const auto alike = [](const Binding& binding) {
      return binding.cover == Cover::kScalar || (binding.cover == Cover::kFull && binding.layout == Layout::kPanels);
    };
    is_one_long_row_ = in_panels() && std::all_of(program.reads.begin(), program.reads.end(), alike) &&
                       std::all_of(program.writes.begin(), program.writes.end(), alike);
  }

  // Rows [row, row + rows) of the columns [column, column + count).
  void Run(int64_t row, int64_t rows, int64_t column, int64_t count) {
    row_ = row;
    rows_ = kernel_rows_ = static_cast<uint32_t>(rows);
    column_ = column;
    count_ = kernel_count_ = static_cast<uint32_t>(count);
    // Kernels work in whole vectors. Where rows end inside a buffer they would touch their neighbours' elements: then
    // everything goes through registers.
    const bool at_end = row + 1 == program_.rows && column + count == program_.columns;
    ragged_ = count * size_ % kAlignment != 0 && !at_end;
    register_stride_ = in_panels() ? kPanelRowBytes : RegisterStride(count * size_);
    if (is_one_long_row_) {
      kernel_rows_ = 1;
      kernel_count_ = rows_ * static_cast<uint32_t>(width_);
    }
    for (const Binding& read : program_.reads) {
      const bool shared = read.cover == Cover::kPerRow || read.cover == Cover::kScalar;
      values_[read.value] = {Address(read), shared ? 0U : 1U, RowStride(read)};
    }
    for (const Instruction& instruction : program_.instructions) {
      for (size_t i = 0; i < instruction.outputs.size(); ++i)
        outputs_[instruction.outputs[i]] = {Register(instruction.registers[i]), register_stride_};
    }
    for (const Binding& write : program_.writes) {
      if (!IsStoredLate(write)) outputs_[write.value] = {Address(write), RowStride(write)};
    }
    for (const Instruction& instruction : program_.instructions) Execute(instruction);
    for (const Binding& write : program_.writes) {
      if (IsStoredLate(write)) Store(write);
    }
  }

  const BlockInput& value(uint32_t id) const { return values_[id]; }
  // One more than the program has is there.
  std::byte* Register(uint32_t index) const { return registers_.memory + index * register_bytes_; }
  // Most rows of a block, if `count` of its columns are taken at a time.
  int64_t most_rows(int64_t count) const { return in_panels() ? panel_rows_ : RowsPerBlock(program_.dtype, count); }

 private:
  bool in_panels() const { return program_.layout == Layout::kPanels; }

  // As many as the memory of the registers allows: a block is set up once for all of them, which costs more than that
  // they lie in the L2.
  static int64_t PanelRows(const BlockProgram& program) {
    constexpr int64_t kMultiple = kRegisterBytes / kPanelRowBytes;
    const size_t bytes = sizeof(Registers::memory) / (program.registers + 1) - kAlignment;
    return static_cast<int64_t>(bytes) / kPanelRowBytes / kMultiple * kMultiple;
  }

  // What fills up the last panel may be written over.
  bool IsStoredLate(const Binding& write) const {
    return write.at_end || (ragged_ && write.layout == Layout::kRowMajor);
  }

  int64_t RowStride(const Binding& binding) const {
    if (binding.cover != Cover::kFull) return binding.cover == Cover::kPerRow ? size_ : 0;
    return binding.layout == Layout::kPanels ? kPanelRowBytes : program_.columns * size_;
  }

  int64_t FullElement(const Binding& binding) const {
    if (binding.layout == Layout::kRowMajor) return row_ * program_.columns + column_;
    const int64_t inside = column_ & (width_ - 1);  // a power of two: no division here
    if (binding.strip < 0) return (column_ - inside) * program_.rows + row_ * width_ + inside;
    const Piece& piece = memory_.piece;
    return (column_ - inside - piece.column) * (piece.row_end - piece.row) + (row_ - piece.row) * width_ + inside;
  }

  std::byte* Address(const Binding& binding) const {
    const int64_t element = binding.cover == Cover::kFull        ? FullElement(binding)
                            : binding.cover == Cover::kPerColumn ? column_
                            : binding.cover == Cover::kPerRow    ? row_
                                                                 : 0;
    std::byte* const begin = binding.strip < 0 ? memory_.buffers[binding.buffer] : memory_.strips + binding.strip;
    return begin + element * size_;
  }

  void Store(const Binding& write) const {
    const BlockInput& value = values_[write.value];
    const auto* from = static_cast<const std::byte*>(value.data);
    std::byte* to = Address(write);
    for (uint32_t row = 0; row < rows_; ++row, from += value.row_stride, to += RowStride(write))
      std::memcpy(to, from, static_cast<size_t>(count_ * size_));
  }

  void Execute(const Instruction& instruction) {
    std::array<BlockInput, kMaxOperands> inputs;
    for (size_t i = 0; i < instruction.inputs.size(); ++i) inputs[i] = values_[instruction.inputs[i]];
    std::array<BlockOutput, kMaxOperands> outputs;
    for (size_t i = 0; i < instruction.outputs.size(); ++i) outputs[i] = outputs_[instruction.outputs[i]];
    try {
      instruction.kernel({.dtype = program_.dtype,
                          .rows = kernel_rows_,
                          .count = kernel_count_,
                          .inputs = std::span(inputs.data(), instruction.inputs.size()),
                          .outputs = std::span(outputs.data(), instruction.outputs.size()),
                          .attributes = instruction.attributes});
    } catch (...) {
      throw KernelThrew{.node = instruction.node, .cause = std::current_exception()};
    }
    for (size_t i = 0; i < instruction.outputs.size(); ++i)
      values_[instruction.outputs[i]] = {outputs[i].data, 1, outputs[i].row_stride};
  }

  const BlockProgram& program_;
  const Memory memory_;
  Registers& registers_;
  const int64_t size_, width_;
  const int64_t panel_rows_;
  const size_t register_bytes_;
  bool is_one_long_row_;  // rows of a panel, if nothing else is read or written

  // Of the block that runs.
  int64_t row_ = 0, column_ = 0;
  uint32_t rows_ = 0, count_ = 0, kernel_rows_ = 0, kernel_count_ = 0;
  int64_t register_stride_ = 0;
  bool ragged_ = false;
  std::array<BlockInput, kMaxValues> values_;
  std::array<BlockOutput, kMaxValues> outputs_;
};

// The instructions over a piece of their space.
void RunPiece(const BlockProgram& program, const Memory& memory, Registers& registers, const Piece& piece) {
  const int64_t width = BlockColumns(program);
  Block block(program, memory, registers);
  for (int64_t column = piece.column; column < piece.column_end; column += width) {
    const int64_t count = std::min(width, piece.column_end - column);
    const int64_t rows = program.rows > 1 ? block.most_rows(count) : 1;
    for (int64_t row = piece.row; row < piece.row_end; row += rows)
      block.Run(row, std::min(rows, piece.row_end - row), column, count);
  }
}

// ---- Folds ----------------------------------------------------------------------------------------------------------

// Leaves of the join tree over rows: this many rows are joined one after the other, then the leaves pairwise.
constexpr int64_t kLeafRows = 4;
constexpr size_t kMaxLevels = 40;  // rows < 2⁴⁰

// What a row-wise fold takes at a time from panels: the rows of a block, put together.
struct Stage {
  static constexpr int64_t kBytes = int64_t{64} * 1024;
  alignas(kAlignment) std::byte memory[kBytes + kAlignment];
};

// A reduction: runs the step's program block by block and folds what comes out.
class Folder {
 public:
  Folder(const Link& step, const Memory& memory, Registers& registers)
      : step_(step),
        plan_(step.reduction),
        out_(memory.buffers[step.writes[0]]),
        size_(static_cast<int64_t>(SizeOf(step.dtype))),
        in_panels_(step.program.layout == Layout::kPanels),
        block_(step.program, memory, registers) {}

  // Of rows [row, row_end): their segment, one result a row.
  void FoldRows(int64_t row, int64_t row_end, int64_t segment) {
    const int64_t begin = segment * plan_.segment, end = std::min(plan_.length, begin + plan_.segment);
    const int64_t count = end - begin, stride = plan_.segments * size_;
    const bool short_rows = count > 0 && count <= BlockElements(step_.dtype);
    int64_t rows = 1;
    if (short_rows) rows = in_panels_ ? Stage::kBytes / (count * size_) : RowsPerBlock(step_.dtype, count);
    std::byte* out = out_ + (row * plan_.segments + segment) * size_;
    Stage stage;
    for (; row < row_end; row += rows, out += rows * stride) {
      const int64_t here = std::min(rows, row_end - row);
      if (short_rows)
        Fold(plan_.kernels.fold, RowMajorSource(stage, row, here, begin, count), here, count, {out, stride});
      else FoldLongRow(stage, row, begin, end, out);
    }
  }

  // Of columns [column, column_end) of an outer index: a segment of their rows.
  void FoldColumns(int64_t outer, int64_t segment, int64_t column, int64_t column_end) {
    const int64_t first = outer * plan_.length, begin = first + segment * plan_.segment;
    const int64_t end = std::min(first + plan_.length, begin + plan_.segment), width = BlockColumns(step_.program);
    std::byte* const out = out_ + (outer * plan_.segments + segment) * plan_.inner * size_;
    for (; column < column_end; column += width)
      FoldBlockColumns(begin, end, column, std::min(width, column_end - column), out + column * size_);
  }

 private:
  // The elements that are folded, over a block of the step's program.
  BlockInput Source(int64_t row, int64_t rows, int64_t column, int64_t count) {
    block_.Run(row, rows, column, count);
    const BlockInput source = block_.value(plan_.source);
    if (source.stride == 1) return source;
    // One value that a row shares: spread out.
    const auto size = static_cast<size_t>(size_);
    const int64_t stride = RegisterStride(count * size_);
    std::byte* const spread = block_.Register(step_.program.registers);
    for (int64_t r = 0; r < rows; ++r) {
      const auto* const value = static_cast<const std::byte*>(source.data) + r * source.row_stride;
      std::byte* const to = spread + r * stride;
      for (size_t i = 0; i < static_cast<size_t>(count); ++i) std::memcpy(to + i * size, value, size);
    }
    return {spread, 1, stride};
  }

  // The same, row-major: at most BlockElements of a row, and no more bytes than the stage has.
  BlockInput RowMajorSource(Stage& stage, int64_t row, int64_t rows, int64_t column, int64_t count) {
    if (!in_panels_) return Source(row, rows, column, count);
    const int64_t width = BlockColumns(step_.program), stride = count * size_;
    for (int64_t at = 0; at < count; at += width) {
      const int64_t piece = std::min(width, count - at);
      for (int64_t r = 0; r < rows; r += block_.most_rows(piece)) {
        const int64_t here = std::min(block_.most_rows(piece), rows - r);
        const BlockInput source = Source(row + r, here, column + at, piece);
        const auto* from = static_cast<const std::byte*>(source.data);
        std::byte* to = stage.memory + r * stride + at * size_;
        for (int64_t k = 0; k < here; ++k, from += source.row_stride, to += stride) {
          if (piece == width) std::memcpy(to, from, kPanelRowBytes);  // of a known size: no call
          else std::memcpy(to, from, static_cast<size_t>(piece * size_));
        }
      }
    }
    return {stage.memory, 1, stride};
  }

  void Fold(BlockKernel kernel, const BlockInput& from, int64_t rows, int64_t count, const BlockOutput& to) const {
    kernel({.dtype = step_.dtype,
            .rows = static_cast<uint32_t>(rows),
            .count = static_cast<uint32_t>(count),
            .inputs = std::span(&from, 1),
            .outputs = std::span(&to, 1),
            .attributes = nullptr});
  }

  // out = a ∘ b
  void Join(const void* a, const void* b, void* out, int64_t count) const {
    const BlockInput inputs[] = {{a, 1, 0}, {b, 1, 0}};
    const BlockOutput output = {out, 0};
    plan_.kernels.join({.dtype = step_.dtype,
                        .rows = 1,
                        .count = static_cast<uint32_t>(count),
                        .inputs = inputs,
                        .outputs = std::span(&output, 1),
                        .attributes = nullptr});
  }

  void FillIdentity(std::byte* to, int64_t count) const {
    const double identity = plan_.kernels.identity;
    if (step_.dtype == DType::kFloat32) std::fill_n(reinterpret_cast<float*>(to), count, static_cast<float>(identity));
    else std::fill_n(reinterpret_cast<double*>(to), count, identity);
  }

  // [begin, end) of a row: pieces of a block each, folded, then joined as a tree: i with i + half.
  void FoldLongRow(Stage& stage, int64_t row, int64_t begin, int64_t end, std::byte* out) {
    const auto size = static_cast<size_t>(size_);
    const int64_t elements = BlockElements(step_.dtype);
    // A segment has at most BlockElements pieces as SegmentLength cuts it: 64 segments of a row of 2⁴⁰ would need more,
    // and such a row does not fit in memory.
    alignas(kAlignment) std::byte partial[kRegisterBytes + kAlignment];
    alignas(kAlignment) std::byte joined[kRegisterBytes + kAlignment];
    int64_t pieces = 0;
    const auto fold_pieces = [&] {
      while (pieces > 1) {
        const int64_t half = (pieces + 1) / 2;
        Join(partial, partial + half * size_, joined, pieces - half);
        std::memcpy(partial, joined, static_cast<size_t>(pieces - half) * size);
        pieces = half;
      }
    };
    for (int64_t column = begin; column < end; column += elements) {
      const int64_t count = std::min(elements, end - column);
      Fold(plan_.kernels.fold, RowMajorSource(stage, row, 1, column, count), 1, count,
           {partial + static_cast<size_t>(pieces++) * size, 0});
      if (pieces == elements) fold_pieces();
    }
    fold_pieces();
    if (end > begin) std::memcpy(out, partial, size);
    else FillIdentity(out, 1);
  }

  // Rows [begin, end) of the columns [column, column + count): leaves of kLeafRows rows, joined like the carries of a
  // counter. Where rows are short, a block holds a power of two of leaves.
  void FoldBlockColumns(int64_t begin, int64_t end, int64_t column, int64_t count, std::byte* out) {
    if (begin >= end) return FillIdentity(out, count);
    const auto bytes = static_cast<size_t>(count * size_);
    struct Accumulators {
      alignas(kAlignment) std::byte level[kMaxLevels][kRegisterBytes + kAlignment];
    };
    Accumulators accumulators;  // not initialised: as many levels are touched as the rows need
    alignas(kAlignment) std::byte sum[kRegisterBytes + kAlignment];
    const auto most = static_cast<uint64_t>(block_.most_rows(count) / kLeafRows);
    uint64_t done = 0;
    size_t top = 0;
    for (int64_t row = begin; row < end;) {
      const auto whole = std::min(most, static_cast<uint64_t>((end - row) / kLeafRows));
      uint64_t leaves = 1;
      if (whole == 0) {  // long rows, or the last few: one leaf, row by row
        const int64_t last = std::min(end, row + kLeafRows);
        std::memcpy(sum, Source(row++, 1, column, count).data, bytes);
        for (; row < last; ++row) Join(sum, Source(row, 1, column, count).data, sum, count);
      } else {
        // So many that the counter has a zero for each of them.
        leaves = std::bit_floor(done == 0 ? whole : std::min(whole, done & (~done + 1)));
        const int64_t rows = static_cast<int64_t>(leaves) * kLeafRows;
        Fold(plan_.kernels.fold_down, Source(row, rows, column, count), rows, count, {sum, 0});
        row += rows;
      }
      auto level = static_cast<size_t>(std::countr_zero(leaves));
      for (; (done >> level & 1) != 0; ++level) Join(accumulators.level[level], sum, sum, count);
      std::memcpy(accumulators.level[level], sum, bytes);
      top = std::max(top, level);
      done += leaves;
    }
    // What is left of the counter: from the lowest level up.
    bool first = true;
    for (size_t level = 0; level <= top; ++level) {
      if ((done >> level & 1) == 0) continue;
      if (first) std::memcpy(sum, accumulators.level[level], bytes);
      else Join(accumulators.level[level], sum, sum, count);
      first = false;
    }
    std::memcpy(out, sum, bytes);
  }

  const Link& step_;
  const ReductionPlan& plan_;
  std::byte* const out_;
  const int64_t size_;
  const bool in_panels_;
  Block block_;
};

}  // namespace

void RunBlocks(const BlockProgram& program, BufferAddresses buffers, uint32_t begin, uint32_t end) {
  Registers registers;
  const ElementGrid grid = GridOf(program);
  const int64_t elements = BlockColumns(program);
  for (uint32_t b = begin; b < end; ++b) {
    const auto [row, column] = grid.BlockAt(b);
    RunPiece(program, {buffers}, registers,
             {.row = row,
              .row_end = std::min(program.rows, row + grid.rows_per_block),
              .column = column,
              .column_end = std::min(program.columns, column + elements)});
  }
}

void RunReduction(const Step& step, BufferAddresses buffers, uint32_t begin, uint32_t end) {
  Registers registers;
  Folder folder(step, {buffers}, registers);
  const ReductionPlan& plan = step.reduction;
  const int64_t rows = RowsPerBlock(plan), width = BlockColumns(step.program), pieces = CeilDivide(plan.inner, width);
  for (int64_t block = begin; block < end; ++block) {
    if (plan.inner == 1) {
      const int64_t row = block / plan.segments * rows;
      folder.FoldRows(row, std::min(plan.outer, row + rows), block % plan.segments);
    } else {
      const int64_t part = block / pieces, column = block % pieces * width;  // part = outer · segments + segment
      folder.FoldColumns(part / plan.segments, part % plan.segments, column, std::min(plan.inner, column + width));
    }
  }
}

void RunChain(const Step& step, BufferAddresses buffers, std::byte* strips, const Piece& piece) {
  Registers registers;
  const Memory memory = {buffers, strips, piece};
  for (const Link& link : step.chain) {
    if (link.kind == StepKind::kReduction) {
      Folder folder(link, memory, registers);
      for (int64_t segment = 0; segment < link.reduction.segments; ++segment)
        folder.FoldColumns(0, segment, piece.column, piece.column_end);
    } else {
      Piece own = piece;
      if (step.chain_needs_all_rows) own = {0, link.program.rows, piece.column, piece.column_end};
      RunPiece(link.program, memory, registers, own);
    }
  }
}

size_t ChainStreams(const Step& step, BufferAddresses buffers, const Piece& piece, std::span<Stream> streams) {
  const auto size = static_cast<int64_t>(SizeOf(step.dtype));
  const size_t count = std::min(streams.size(), step.chain_streams.size());
  for (size_t i = 0; i < count; ++i) {
    streams[i] = {buffers[step.chain_streams[i]] + piece.column * step.rows * size + piece.row * kPanelRowBytes,
                  (piece.row_end - piece.row) * kPanelRowBytes};
  }
  return count;
}

void RunStrips(const Step& step, BufferAddresses buffers, uint32_t begin, uint32_t end) {
  const int64_t width = StripColumns(step);
  StripMemory strips;
  for (uint32_t b = begin; b < end; ++b) {
    RunChain(step, buffers, strips.bytes,
             {.row = 0,
              .row_end = step.rows,
              .column = b * width,
              .column_end = std::min(step.chain_columns, (b + 1) * width)});
  }
}

}  // namespace weft
