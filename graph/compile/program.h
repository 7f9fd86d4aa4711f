// Program: the immutable plan that Compile makes of a graph. It is data: it can be printed and tested without running a
// kernel, and run by many threads at once, each with a Workspace of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/graph/kernel.h"

namespace weft {

enum class Mode : uint8_t { kInference, kTraining };

using BufferId = uint32_t;
using StepId = uint32_t;
inline constexpr StepId kNoStep = UINT32_MAX;

// Where the bytes of a buffer are: in the arena of a run, in the store, or in the program itself.
enum class BufferKind : uint8_t { kArena, kVariable, kConstant };

// How a buffer's elements lie. The first version knows one layout; the planner may give others (panels) to inner buffers.
enum class Layout : uint8_t { kRowMajor };

struct Buffer {
  BufferKind kind = BufferKind::kArena;
  Layout layout = Layout::kRowMajor;
  NodeId node = kNoNode;  // whose value it holds; kNoNode for scratch
  int64_t bytes = 0;      // padded
  int64_t offset = 0;     // kArena: within the arena; kVariable: index into variables(); kConstant: index into constants()
  bool pinned = false;    // fed or fetched: its bytes in the arena are its own
};

// How a buffer covers the iteration space [rows, columns] of a block program.
enum class Cover : uint8_t { kFull, kPerColumn, kPerRow, kScalar };

struct Binding {
  uint32_t reg;
  Cover cover;
  BufferId buffer;
  bool operator==(const Binding&) const = default;
};

struct Instruction {
  BlockKernel kernel;
  const Attributes* attributes;  // of the node, in the program's graph
  std::vector<uint32_t> inputs;
  uint32_t output;
  NodeId node;
};

// A fused group: instructions over registers of kBlockElements elements.
struct BlockProgram {
  DType dtype = DType::kFloat32;
  int64_t rows = 1, columns = 0;
  uint32_t registers = 0;
  std::vector<Binding> reads = {}, writes = {};
  std::vector<Instruction> instructions = {};
};

// A fold of [outer, length, inner] over `length`; the elements come from registers[source] of a block program over
// [outer · length, inner] (or [outer, length] if inner is 1), so what feeds it needs no buffer.
struct ReductionPlan {
  ReductionKernels kernels = {};
  int64_t outer = 1, length = 0, inner = 1;
  uint32_t source = 0;
  int64_t segments = 1;  // of `length`, each folded by a block of its own; more than one leave partial results
};

enum class StepKind : uint8_t { kBlocks, kReduction, kOp, kCopy };

struct Step {
  StepKind kind = StepKind::kOp;
  StepFunction run = nullptr;             // kOp
  std::vector<BufferId> reads, writes;    // every buffer that the step touches
  std::vector<int64_t> numbers = {};      // kOp: as the lowering rule gave them
  DType dtype = DType::kFloat32;
  BlockProgram program = {};              // kBlocks; kReduction: the prologue; kOp: the epilogue, if it has instructions
  ReductionPlan reduction = {};           // kReduction
  size_t op_reads = 0, op_writes = 0;     // kOp: how many of reads and writes are the op's own, the rest is the epilogue's
  uint32_t blocks = 1;                    // cut by shape only: the unit of work, of determinism and of tracing
  uint32_t grain = 1;                     // blocks per task
  double cycles = 0;                      // estimated, all blocks
  NodeId origin = kNoNode;                // the node that names the step in traces and errors
};

struct ProgramInput {   // a placeholder that must be fed before each run
  NodeId node;
  BufferId buffer;
  bool has_default;
  double default_value;
};

struct ProgramVariable {
  NodeId node;
  BufferId buffer;
  bool read, written;
};

class Program {
 public:
  const Graph& graph() const { return graph_; }  // bound and optimised: ids of steps and buffers are its ids
  Mode mode() const { return mode_; }
  std::span<const Step> steps() const { return steps_; }
  const Step& step(StepId id) const { return steps_[id]; }
  std::span<const Buffer> buffers() const { return buffers_; }
  std::span<const ProgramInput> inputs() const { return inputs_; }
  std::span<const BufferId> outputs() const { return outputs_; }  // in the order of the fetches
  std::span<const ProgramVariable> variables() const { return variables_; }
  std::span<const Tensor* const> constants() const { return constants_; }  // owned by attributes of the graph
  BufferId random_state() const { return random_state_; }  // kNoBuffer if nothing is random
  static constexpr BufferId kNoBuffer = UINT32_MAX;

  std::span<const StepId> successors(StepId id) const { return std::span(successors_).subspan(first_successor_[id], first_successor_[id + 1] - first_successor_[id]); }
  uint32_t predecessor_count(StepId id) const { return predecessor_counts_[id]; }
  bool sequential() const { return sequential_; }  // not worth more than one thread between steps
  int64_t arena_bytes() const { return arena_bytes_; }
  bool has_updates() const;

 private:
  friend class ProgramBuilder;
  Graph graph_;
  Mode mode_ = Mode::kInference;
  std::vector<Step> steps_;
  std::vector<Buffer> buffers_;
  std::vector<ProgramInput> inputs_;
  std::vector<BufferId> outputs_;
  std::vector<ProgramVariable> variables_;
  std::vector<const Tensor*> constants_;
  BufferId random_state_ = kNoBuffer;
  std::vector<StepId> successors_;  // of all steps in a row, most urgent first
  std::vector<uint32_t> first_successor_, predecessor_counts_;
  bool sequential_ = true;
  int64_t arena_bytes_ = 0;
};

}  // namespace weft
