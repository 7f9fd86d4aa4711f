// The interpreter of fused groups and folds.
#include "weft/graph/runtime/block_program.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "weft/graph/compile/blocks.h"

namespace weft {
namespace {

constexpr size_t kRegisterBytes = kBlockElements * sizeof(float);
constexpr size_t kMaxValues = 4 * kMaxInstructions;  // an op has at most three operands
constexpr size_t kMaxOperands = 3;

// Memory of one thread for one block. Not initialised: 124 KiB, of which a group touches what it uses.
struct Registers {
  alignas(kAlignment) std::byte memory[kMaxInstructions + 1][kRegisterBytes + kAlignment];
  alignas(kAlignment) std::byte splats[kMaxValues][kAlignment];

  std::byte* at(uint32_t reg) { return memory[reg]; }
};

template <class T>
void Splat(const std::byte* from, std::byte* to) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  for (size_t i = 0; i < kAlignment; i += sizeof(T)) std::memcpy(to + i, &value, sizeof(T));
}

// Runs the instructions over one block. Afterwards `values` holds where every value lies.
class Block {
 public:
  Block(const BlockProgram& program, BufferAddresses buffers, Registers& registers, int64_t row, int64_t column,
        uint32_t count)
      : program_(program),
        buffers_(buffers),
        registers_(registers),
        row_(row),
        column_(column),
        count_(count),
        size_(SizeOf(program.dtype)) {
    // Kernels work in whole vectors. Where the block ends inside a buffer they would touch the neighbour's elements,
    // which another thread may own: then everything goes through registers.
    const bool at_end = row + 1 == program.rows && column + count == program.columns;
    ragged_ = count * size_ % kAlignment != 0 && !at_end;
  }

  void Run() {
    for (const Binding& read : program_.reads) Load(read);
    for (const Instruction& instruction : program_.instructions) {
      outputs_[instruction.output] = registers_.at(instruction.reg);
    }
    for (const Binding& write : program_.writes) {
      if (!ragged_ && !write.at_end) outputs_[write.value] = Address(write);
    }
    for (const Instruction& instruction : program_.instructions) Execute(instruction);
    for (const Binding& write : program_.writes) {
      if (ragged_ || values_[write.value].data != Address(write))
        std::memcpy(Address(write), values_[write.value].data, count_ * size_);
    }
  }

  const BlockInput& value(uint32_t id) const { return values_[id]; }

 private:
  std::byte* Address(const Binding& binding) const {
    const int64_t element = binding.cover == Cover::kFull        ? row_ * program_.columns + column_
                            : binding.cover == Cover::kPerColumn ? column_
                            : binding.cover == Cover::kPerRow    ? row_
                                                                 : 0;
    return buffers_[binding.buffer] + element * static_cast<int64_t>(size_);
  }

  void Load(const Binding& read) {
    const bool repeats = read.cover == Cover::kPerRow || read.cover == Cover::kScalar;
    if (!repeats) {
      values_[read.value] = {Address(read), 1};
      return;
    }
    std::byte* const splat = registers_.splats[read.value];
    if (size_ == sizeof(float)) Splat<float>(Address(read), splat);
    else Splat<double>(Address(read), splat);
    values_[read.value] = {splat, 0};
  }

  void Execute(const Instruction& instruction) {
    std::array<BlockInput, kMaxOperands> inputs;
    for (size_t i = 0; i < instruction.inputs.size(); ++i) inputs[i] = values_[instruction.inputs[i]];
    void* const output = outputs_[instruction.output];
    instruction.kernel({.dtype = program_.dtype,
                        .count = count_,
                        .inputs = std::span(inputs.data(), instruction.inputs.size()),
                        .outputs = std::span(&output, 1),
                        .attributes = instruction.attributes});
    values_[instruction.output] = {output, 1};
  }

  const BlockProgram& program_;
  const BufferAddresses buffers_;
  Registers& registers_;
  const int64_t row_, column_;
  const uint32_t count_;
  const size_t size_;
  bool ragged_;
  std::array<BlockInput, kMaxValues> values_;
  std::array<std::byte*, kMaxValues> outputs_;
};

// ---- Folds ----------------------------------------------------------------------------------------------------------

// Leaves of the join tree over rows: this many rows are joined one after the other, then the leaves pairwise.
constexpr int64_t kLeafRows = 4;
constexpr size_t kMaxLevels = 40;  // rows < 2⁴⁰

void Join(const Step& step, const void* a, const void* b, void* out, uint32_t count) {
  const BlockInput inputs[] = {{a, 1}, {b, 1}};
  void* const outputs[] = {out};
  step.reduction.kernels.join(
      {.dtype = step.dtype, .count = count, .inputs = inputs, .outputs = outputs, .attributes = nullptr});
}

void FillIdentity(const Step& step, std::byte* to, int64_t count) {
  const double identity = step.reduction.kernels.identity;
  if (step.dtype == DType::kFloat32) std::fill_n(reinterpret_cast<float*>(to), count, static_cast<float>(identity));
  else std::fill_n(reinterpret_cast<double*>(to), count, identity);
}

// [begin, end) of a row: pieces of a block each, folded, then joined as a tree: i with i + half.
void FoldRow(const Step& step, BufferAddresses buffers, Registers& registers, int64_t row, int64_t begin, int64_t end,
             std::byte* out) {
  const size_t size = SizeOf(step.dtype);
  const int64_t elements = BlockElements(step.dtype);
  // A segment has at most BlockElements pieces as SegmentLength cuts it: 64 segments of a row of 2⁴⁰ would need more,
  // and such a row does not fit in memory.
  alignas(kAlignment) std::byte partial[kRegisterBytes + kAlignment];
  alignas(kAlignment) std::byte joined[kRegisterBytes + kAlignment];
  int64_t pieces = 0;
  const auto fold_pieces = [&] {
    while (pieces > 1) {
      const int64_t half = (pieces + 1) / 2;
      Join(step, partial, partial + half * static_cast<int64_t>(size), joined, static_cast<uint32_t>(pieces - half));
      std::memcpy(partial, joined, static_cast<size_t>(pieces - half) * size);
      pieces = half;
    }
  };
  for (int64_t column = begin; column < end; column += elements) {
    const auto count = static_cast<uint32_t>(std::min(elements, end - column));
    Block block(step.program, buffers, registers, row, column, count);
    block.Run();
    BlockInput input = block.value(step.reduction.source);
    if (input.stride == 0) {  // one value repeated: spread out
      std::byte* const spread = registers.at(kMaxInstructions);
      for (uint32_t i = 0; i < count; ++i) std::memcpy(spread + i * size, input.data, size);
      input = {spread, 1};
    }
    void* const slot = partial + static_cast<size_t>(pieces++) * size;
    step.reduction.kernels.fold({.dtype = step.dtype,
                                 .count = count,
                                 .inputs = std::span(&input, 1),
                                 .outputs = std::span(&slot, 1),
                                 .attributes = nullptr});
    if (pieces == elements) fold_pieces();
  }
  fold_pieces();
  if (end > begin) std::memcpy(out, partial, size);
  else FillIdentity(step, out, 1);
}

// Rows [begin, end) of the columns [column, column + count): leaves of kLeafRows rows, joined like the carries of a
// counter.
void FoldColumns(const Step& step, BufferAddresses buffers, Registers& registers, int64_t begin, int64_t end,
                 int64_t column, uint32_t count, std::byte* out) {
  const size_t bytes = count * SizeOf(step.dtype);
  struct Accumulators {
    alignas(kAlignment) std::byte level[kMaxLevels][kRegisterBytes + kAlignment];
  };
  Accumulators accumulators;  // not initialised: as many levels are touched as the rows need
  if (begin >= end) return FillIdentity(step, out, count);
  const auto load = [&](int64_t row) {
    Block block(step.program, buffers, registers, row, column, count);
    block.Run();
    const BlockInput input = block.value(step.reduction.source);
    if (input.stride == 1) return static_cast<const std::byte*>(input.data);
    std::byte* const spread = registers.at(kMaxInstructions);
    for (size_t at = 0; at < bytes; at += kAlignment) std::memcpy(spread + at, input.data, kAlignment);
    return static_cast<const std::byte*>(spread);
  };
  alignas(kAlignment) std::byte leaf[kRegisterBytes + kAlignment];
  uint64_t leaves = 0;
  size_t top = 0;
  for (int64_t row = begin; row < end; row += kLeafRows, ++leaves) {
    std::memcpy(leaf, load(row), bytes);
    for (int64_t next = row + 1; next < std::min(end, row + kLeafRows); ++next)
      Join(step, leaf, load(next), leaf, count);
    size_t level = 0;
    for (; (leaves >> level & 1) != 0; ++level) Join(step, accumulators.level[level], leaf, leaf, count);
    std::memcpy(accumulators.level[level], leaf, bytes);
    top = std::max(top, level);
  }
  // What is left of the counter: from the lowest level up.
  bool first = true;
  for (size_t level = 0; level <= top; ++level) {
    if ((leaves >> level & 1) == 0) continue;
    if (first) std::memcpy(leaf, accumulators.level[level], bytes);
    else Join(step, accumulators.level[level], leaf, leaf, count);
    first = false;
  }
  std::memcpy(out, leaf, bytes);
}

}  // namespace

void RunBlock(const BlockProgram& program, BufferAddresses buffers, int64_t row, int64_t column, uint32_t count) {
  Registers registers;
  Block(program, buffers, registers, row, column, count).Run();
}

void RunBlocks(const BlockProgram& program, BufferAddresses buffers, uint32_t begin, uint32_t end) {
  Registers registers;
  const ElementGrid grid = GridOf(program);
  const int64_t elements = BlockElements(program.dtype);
  for (uint32_t b = begin; b < end; ++b) {
    const int64_t column = b % grid.pieces * elements;
    const int64_t first = b / grid.pieces * grid.rows_per_block;
    const auto count = static_cast<uint32_t>(std::min(elements, program.columns - column));
    for (int64_t row = first; row < std::min(program.rows, first + grid.rows_per_block); ++row) {
      Block(program, buffers, registers, row, column, count).Run();
    }
  }
}

void RunReduction(const Step& step, BufferAddresses buffers, uint32_t begin, uint32_t end) {
  Registers registers;
  const ReductionPlan& plan = step.reduction;
  const auto size = static_cast<int64_t>(SizeOf(step.dtype));
  const int64_t segments = SegmentCount(plan);
  std::byte* const out = buffers[step.writes[0]];
  if (plan.inner == 1) {
    const int64_t rows = RowsPerBlock(plan);
    for (uint32_t b = begin; b < end; ++b) {
      const int64_t segment = b % segments, first = b / segments * rows;
      for (int64_t row = first; row < std::min(plan.outer, first + rows); ++row) {
        FoldRow(step, buffers, registers, row, segment * plan.segment,
                std::min(plan.length, (segment + 1) * plan.segment), out + (row * segments + segment) * size);
      }
    }
    return;
  }
  const int64_t elements = BlockElements(step.dtype);
  const int64_t pieces = CeilDivide(plan.inner, elements);
  for (uint32_t b = begin; b < end; ++b) {
    const int64_t column = b % pieces * elements, part = b / pieces;  // part = outer · segments + segment
    const int64_t first = part / segments * plan.length, segment = part % segments;
    const auto count = static_cast<uint32_t>(std::min(elements, plan.inner - column));
    FoldColumns(step, buffers, registers, first + segment * plan.segment,
                first + std::min(plan.length, (segment + 1) * plan.segment), column, count,
                out + (part * plan.inner + column) * size);
  }
}

}  // namespace weft
