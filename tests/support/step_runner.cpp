// The shortest executor there is.
#include "weft/tests/support/step_runner.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace weft {
namespace {

constexpr std::byte kUntouched{0xA5};
constexpr size_t kGuardBytes = 256;

// Aligned bytes with a guard behind what a kernel may touch.
struct Memory {
  explicit Memory(int64_t bytes)
      : padded(static_cast<size_t>(PaddedByteSize(bytes))),
        storage(DType::kFloat64, {static_cast<int64_t>((padded + kGuardBytes) / 8)}) {
    std::ranges::fill(storage.bytes(), kUntouched);
  }
  bool guard_is_whole() const {
    return std::ranges::all_of(storage.bytes().subspan(padded), [](std::byte b) { return b == kUntouched; });
  }

  size_t padded;
  Tensor storage;
};

bool Is(StepBuffer buffer, StepBuffer mark) {
  return (static_cast<uint32_t>(buffer) & static_cast<uint32_t>(mark)) != 0;
}

}  // namespace

Tensor RunSteps(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes, const TensorType& type,
                const StepOrder& order) {
  std::vector<TensorType> types;
  for (const Tensor& operand : operands) types.push_back(operand.type());
  LoweringContext context = {.operands = types, .result = type, .attributes = attributes};
  std::get<InSteps>(*op.lower).rule(context);

  Memory result(ByteSize(type.dtype, type.shape));
  std::vector<Memory> scratch;
  for (int64_t bytes : context.scratch_bytes) scratch.emplace_back(bytes);
  const auto address = [&](StepBuffer buffer) -> std::byte* {
    if (Is(buffer, StepBuffer::kResult)) return result.storage.bytes().data();
    if (Is(buffer, StepBuffer::kScratch)) {
      const uint32_t i = static_cast<uint32_t>(buffer) & ~static_cast<uint32_t>(StepBuffer::kScratch);
      return scratch[i].storage.bytes().data();
    }
    return const_cast<std::byte*>(operands[static_cast<uint32_t>(buffer)].bytes().data());  // only ever read
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
  if (!result.guard_is_whole() || !std::ranges::all_of(scratch, &Memory::guard_is_whole)) {
    throw std::logic_error(std::string(*op.name) + " wrote behind its padding");
  }
  Tensor value(type.dtype, type.shape);
  std::memcpy(value.bytes().data(), result.storage.bytes().data(), value.bytes().size());
  return value;
}

}  // namespace weft
