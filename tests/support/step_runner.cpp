// The shortest executor there is.
#include "weft/tests/support/step_runner.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/graph/runtime/panels.h"

namespace weft {
namespace {

constexpr std::byte kNaN{0xFF};  // floating-point elements of such bytes are NaN
constexpr std::byte kUntouched{0xA5};

// A buffer of a plan: aligned, with its padding, at an unreadable page.
class PaddedBuffer {
 public:
  PaddedBuffer(int64_t bytes, Side side)
      : memory_(static_cast<size_t>(PaddedByteSize(bytes))),
        buffer_(memory_.at(side, static_cast<size_t>(PaddedByteSize(bytes)))) {
    std::ranges::fill(memory_.all(), kUntouched);
    std::ranges::fill(buffer_, kNaN);
  }
  std::byte* data() const { return buffer_.data(); }
  bool is_touched_outside() const {
    const std::byte *const begin = buffer_.data(), *const end = begin + buffer_.size();
    const std::span<std::byte> all = memory_.all();
    const auto touched = [](std::byte b) { return b != kUntouched; };
    return std::any_of<const std::byte*>(all.data(), begin, touched) ||
           std::any_of<const std::byte*>(end, all.data() + all.size(), touched);
  }

 private:
  GuardedMemory memory_;
  std::span<std::byte> buffer_;
};

struct PanelSizes {
  PanelSizes(const TensorType& type)
      : rows(type.shape[0].length()), columns(type.shape[1].length()), size(static_cast<int64_t>(SizeOf(type.dtype))) {
    const int64_t width = PanelWidth(type.dtype);
    filled_up = (columns + width - 1) / width * width;
  }
  int64_t rows, columns, size, filled_up;
};

int64_t BytesIn(Layout layout, const TensorType& type) {
  if (layout == Layout::kRowMajor) return ByteSize(type.dtype, type.shape);
  const PanelSizes sizes(type);
  return ByteSize(type.dtype, {sizes.rows, sizes.filled_up});
}

// What fills up the last panel stays NaN.
void Fill(const Tensor& value, Layout layout, std::byte* to) {
  if (layout == Layout::kRowMajor) {
    std::ranges::copy(value.bytes(), to);
    return;
  }
  const PanelSizes sizes(value.type());
  const auto row = static_cast<size_t>(sizes.columns * sizes.size),
             wide = static_cast<size_t>(sizes.filled_up * sizes.size);
  std::vector<std::byte> filled(wide * static_cast<size_t>(sizes.rows), kNaN);
  for (size_t r = 0; r < static_cast<size_t>(sizes.rows); ++r)
    std::ranges::copy(value.bytes().subspan(r * row, row), filled.begin() + static_cast<ptrdiff_t>(r * wide));
  ToPanels(filled.data(), sizes.rows, sizes.filled_up, sizes.size, 0, sizes.rows, to);
}

Tensor ValueIn(const std::byte* from, Layout layout, const TensorType& type) {
  Tensor value(type.dtype, type.shape);
  if (layout == Layout::kRowMajor) {
    std::memcpy(value.bytes().data(), from, value.bytes().size());
  } else {
    const PanelSizes sizes(type);
    FromPanels(from, sizes.rows, sizes.columns, sizes.size, 0, sizes.rows, value.bytes().data());
  }
  return value;
}

bool Is(StepBuffer buffer, StepBuffer mark) {
  return (static_cast<uint32_t>(buffer) & static_cast<uint32_t>(mark)) != 0;
}

}  // namespace

Tensor RunSteps(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes, const TensorType& type,
                const StepOrder& order, const StepMemory& memory) {
  std::vector<TensorType> types;
  for (const Tensor& operand : operands) types.push_back(operand.type());
  LoweringContext context = {.operands = types,
                             .result = type,
                             .attributes = attributes,
                             .layouts = memory.layouts,
                             .result_layout = memory.result_layout};
  std::get<InSteps>(*op.lower).rule(context);

  std::vector<PaddedBuffer> inputs, scratch;
  for (size_t i = 0; i < operands.size(); ++i) {
    inputs.emplace_back(BytesIn(context.layout(i), types[i]), memory.side);
    Fill(operands[i], context.layout(i), inputs.back().data());
  }
  const PaddedBuffer result(BytesIn(memory.result_layout, type), memory.side);
  for (int64_t bytes : context.scratch_bytes) scratch.emplace_back(bytes, memory.side);
  const auto address = [&](StepBuffer buffer) {
    if (Is(buffer, StepBuffer::kResult)) return result.data();
    if (Is(buffer, StepBuffer::kScratch)) {
      return scratch[static_cast<uint32_t>(buffer) & ~static_cast<uint32_t>(StepBuffer::kScratch)].data();
    }
    return inputs[static_cast<uint32_t>(buffer)].data();
  };
  for (const StepSpec& step : context.steps) {
    std::vector<const std::byte*> reads;
    std::vector<std::byte*> writes;
    for (StepBuffer buffer : step.reads) reads.push_back(address(buffer));
    for (StepBuffer buffer : step.writes) writes.push_back(address(buffer));
    const StepArguments arguments = {.reads = reads,
                                     .writes = writes,
                                     .numbers = step.numbers,
                                     .dtype = type.dtype,
                                     .attributes = &attributes,
                                     .epilogue = nullptr,
                                     .is_result_strip = false};
    const uint32_t piece = std::min(order.blocks_per_call, step.blocks), pieces = (step.blocks + piece - 1) / piece;
    for (uint32_t i = 0; i < pieces; ++i) {
      const uint32_t begin = (order.backwards ? pieces - 1 - i : i) * piece;
      step.run(arguments, begin, std::min(step.blocks, begin + piece));
    }
  }
  if (result.is_touched_outside() || std::ranges::any_of(scratch, &PaddedBuffer::is_touched_outside) ||
      std::ranges::any_of(inputs, &PaddedBuffer::is_touched_outside)) {
    throw std::logic_error(std::string(*op.name) + " wrote outside its buffers");
  }
  return ValueIn(result.data(), memory.result_layout, type);
}

}  // namespace weft
