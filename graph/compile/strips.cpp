// Which matrices need no memory of the run, and which of the others to bring into the cache.
#include "weft/graph/compile/strips.h"

#include <algorithm>
#include <span>
#include <vector>

#include "weft/graph/compile/blocks.h"

namespace weft {
namespace {

bool Contains(std::span<const BufferId> list, BufferId buffer) {
  return std::find(list.begin(), list.end(), buffer) != list.end();
}

// Does a piece of what the chain works on have at most kMaxPieceBytes? An op promises it.
bool HasSmallPieces(const Step& step) {
  return step.kind == StepKind::kOp ||
         step.rows * CeilDivide(StripColumns(step), PanelWidth(step.dtype)) * kPanelRowBytes <= kMaxPieceBytes;
}

// A matrix that the chain makes and reads, piece by piece.
class StripCandidate {
 public:
  StripCandidate(const Step& step, BufferId buffer) {
    const auto operands = std::span(step.reads).first(step.op_reads);
    const auto results = std::span(step.writes).first(step.op_writes);
    if (Contains(operands, buffer)) return;
    if (Contains(results, buffer)) {
      if (results[0] != buffer) return;
      first_ = last_ = 0;
    }
    for (size_t link = 0; link < step.chain.size(); ++link) {
      const BlockProgram& program = step.chain[link].program;
      for (const auto* list : {&program.reads, &program.writes}) {
        for (const Binding& binding : *list) {
          if (binding.buffer != buffer) continue;
          if (binding.cover != Cover::kFull || binding.layout != Layout::kPanels || program.rows != step.rows) return;
          if (first_ == kNone && list == &program.reads) return;  // made before
          if (first_ == kNone) first_ = link;
          last_ = link;
          is_written_last_ = list == &program.writes;
        }
      }
      // The results of a fold are rows.
      if (step.chain[link].kind == StepKind::kReduction && Contains(step.chain[link].writes, buffer)) return;
    }
    fits_ = first_ != kNone;
  }

  bool fits() const { return fits_; }
  size_t first() const { return first_; }  // the link that writes it first
  // The first link that may make another matrix in its place: the last one that reads it does, element by element.
  size_t free_from(const Step& step) const {
    return step.chain[last_].kind == StepKind::kBlocks && !is_written_last_ ? last_ : last_ + 1;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  size_t first_ = kNone, last_ = kNone;
  bool is_written_last_ = false, fits_ = false;
};

void Place(Program& program, Step& step, const std::vector<uint32_t>& users) {
  if (!HasSmallPieces(step)) return;
  // Neighbours that began at the same offset of a page would hinder each other.
  constexpr int64_t kStride = kMaxPieceBytes + kAlignment;
  std::vector<size_t> free_from;  // of each place
  for (BufferId buffer : step.writes) {
    Buffer& record = program.buffers[buffer];
    const StripCandidate candidate(step, buffer);
    if (record.kind != BufferKind::kArena || record.pinned || users[buffer] != 1 || !candidate.fits()) continue;
    size_t place = 0;
    while (place < free_from.size() && free_from[place] > candidate.first()) ++place;
    const auto end = static_cast<int64_t>(place + 1) * kStride;
    if (end > kStripMemoryBytes) continue;
    if (place == free_from.size()) free_from.push_back(0);
    free_from[place] = candidate.free_from(step);
    record.kind = BufferKind::kInStrip;
    record.offset = end - kStride;
    step.strip_bytes = std::max(step.strip_bytes, end);
    for (Link& link : step.chain) {
      for (auto* list : {&link.program.reads, &link.program.writes}) {
        for (Binding& binding : *list) binding.strip = binding.buffer == buffer ? record.offset : binding.strip;
      }
    }
  }
}

// What the chain will touch in memory, beside the op's own result: brought into the cache while the op works.
void FindStreams(const Program& program, Step& step) {
  const auto results = std::span(step.writes).first(step.op_writes);
  for (const Link& link : step.chain) {
    for (const auto* list : {&link.program.reads, &link.program.writes}) {
      for (const Binding& binding : *list) {
        if (binding.cover == Cover::kFull && binding.layout == Layout::kPanels && link.program.rows == step.rows &&
            program.buffers[binding.buffer].kind != BufferKind::kInStrip && !Contains(results, binding.buffer) &&
            !Contains(step.chain_streams, binding.buffer))
          step.chain_streams.push_back(binding.buffer);
      }
    }
  }
}

}  // namespace

Program PlaceStrips(Program program) {
  std::vector<uint32_t> users(program.buffers.size(), 0);
  for (const Step& step : program.steps) {
    for (BufferId buffer : step.writes) ++users[buffer];
    for (BufferId buffer : step.reads) users[buffer] += Contains(step.writes, buffer) ? 0 : 1;
  }
  for (Step& step : program.steps) {
    if (step.chain.empty()) continue;
    Place(program, step, users);
    if (step.kind == StepKind::kOp) FindStreams(program, step);
  }
  return program;
}

}  // namespace weft
