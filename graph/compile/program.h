// Program: the immutable plan that Compile makes of a graph. It is data: it can be printed and tested without running a
// kernel, and run by many threads at once, each with a Workspace of its own.
#pragma once

#include <algorithm>
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

// Elements of one register of the block interpreter: 4 KiB in either dtype, so eight registers fill an L1 of 32 KiB.
constexpr uint32_t BlockElements(DType dtype) { return dtype == DType::kFloat32 ? kBlockElements : kBlockElements / 2; }

// Where the bytes of a buffer are: in the arena of a run, in the store, or in the program itself.
// kInStrip: made and read by one chain, a strip at a time, in memory of the thread that runs it.
enum class BufferKind : uint8_t { kArena, kInStore, kInProgram, kInStrip };

struct Buffer {
  BufferKind kind = BufferKind::kArena;
  Layout layout = Layout::kRowMajor;
  NodeId node = kNoNode;  // whose value it holds; kNoNode for scratch
  int64_t bytes = 0;      // padded; of panels: whole ones
  int64_t offset = 0;     // kArena, kInStrip: within that memory; otherwise: index into `variables` or `constants`
  bool pinned = false;    // fed or fetched: its bytes in the arena are its own
};

// How a buffer covers the iteration space [rows, columns] of a block program.
enum class Cover : uint8_t { kFull, kPerColumn, kPerRow, kScalar };

struct Binding {
  uint32_t value;
  Cover cover;
  BufferId buffer;
  Layout layout = Layout::kRowMajor;  // of a full cover
  int64_t strip = -1;                 // where the buffer lies in the memory of strips, if it is in one
  bool at_end = false;  // of a write: an instruction behind the one that makes the value still reads these bytes
};

// A fused group has at most this many instructions: their registers (4 KiB each) fit on the stack of any thread.
inline constexpr size_t kMaxInstructions = 30;

struct Instruction {
  BlockKernel kernel;
  const Attributes* attributes;     // of the node, in the program's graph
  std::vector<uint32_t> inputs;     // values
  std::vector<uint32_t> outputs;    // values
  std::vector<uint32_t> registers;  // where the outputs lie, unless they are written straight to a buffer
  NodeId node;
};

// A fused group: instructions over values of a block each, in registers of BlockElements(dtype) elements.
struct BlockProgram {
  DType dtype = DType::kFloat32;
  Layout layout = Layout::kRowMajor;  // its order: kPanels, panel by panel
  int64_t rows = 1, columns = 0;
  uint32_t values = 0, registers = 0;
  std::vector<Binding> reads = {}, writes = {};
  std::vector<Instruction> instructions = {};
};

// A fold of [outer, length, inner] over `length`; the elements are `source`, a value of the step's block program, which
// runs over [outer · length, inner] (over [outer, length] if inner is 1): what feeds a fold needs no buffer.
struct ReductionPlan {
  ReductionKernels kernels = {};
  int64_t outer = 1, length = 0, inner = 1;
  uint32_t source = 0;
  // `length` is cut into segments of this many; more than one leave partial results [outer, segments, inner].
  int64_t segment = 0, segments = 1;
};

// kStrips: nothing but its chain, strip by strip. kGuard: reads scalars and stops the run, before any variable is
// written, if one of them is not finite.
enum class StepKind : uint8_t { kBlocks, kReduction, kOp, kStrips, kCopy, kGuard };

// What a step of the program is, and what a link of its chain is, too.
struct Link {
  StepKind kind = StepKind::kOp;
  std::vector<BufferId> reads = {}, writes = {};  // every buffer that is touched, by the chain too
  DType dtype = DType::kFloat32;
  BlockProgram program = {};     // kBlocks; kReduction: the prologue
  ReductionPlan reduction = {};  // kReduction
  uint32_t blocks = 1;           // cut by shape only: the unit of work, of determinism and of tracing
  double cycles = 0;             // estimated, all blocks
  NodeId origin = kNoNode;       // the node that names it in traces and errors
};

struct Step : Link {
  StepFunction run = nullptr;          // kOp
  std::vector<int64_t> numbers = {};   // kOp: as the lowering rule gave them
  size_t op_reads = 0, op_writes = 0;  // kOp: how many of reads and writes are the op's own, the rest is the chain's
  Pieces pieces = Pieces::kNone;       // kOp, of a matrix:
  int64_t rows = 0, columns = 0;       // kCopy too, where the layouts of the two differ; rows: kStrips
  // Links over matrices of one width that need nothing of other columns, in order. kStrips: run on one strip of columns
  // after the other. kOp: run on each piece of its result.
  std::vector<Link> chain = {};
  int64_t chain_columns = 0;                 // their width
  std::vector<BufferId> chain_streams = {};  // kOp: matrices in panels that the chain touches, beside its own
  bool chain_needs_all_rows = false;         // one of them folds columns, or is a row of another height
  int64_t strip_bytes = 0;                   // memory of the buffers in strips
  uint32_t grain = 1;                        // blocks per task
};

struct ProgramInput {  // a placeholder that must be fed before each run
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

// Made by Compile and never changed after: the rooms of the compiler hand it on by value, runs share it as const.
struct Program {
  static constexpr BufferId kNoBuffer = UINT32_MAX;

  Graph graph;  // bound and optimised: the ids of steps and buffers are its ids
  Mode mode = Mode::kInference;
  std::vector<Step> steps = {};
  std::vector<Buffer> buffers = {};
  std::vector<ProgramInput> inputs = {};
  std::vector<BufferId> outputs = {};  // in the order of the fetches
  std::vector<TensorType> output_types = {};
  std::vector<ProgramVariable> variables = {};
  std::vector<const Tensor*> constants = {};  // owned by attributes of the graph
  BufferId random_state = kNoBuffer;          // i64[2]: seed, run number; none if nothing is random

  // Who waits for whom, filled by Schedule. The successors of all steps in a row, most urgent first.
  std::vector<StepId> successor_list = {};
  std::vector<uint32_t> first_successor = {}, predecessor_counts = {};
  bool sequential = true;  // not worth more than one thread between the steps
  int64_t arena_bytes = 0;

  std::span<const StepId> successors(StepId id) const {  // the steps that wait for step `id`
    return std::span(successor_list).subspan(first_successor[id], first_successor[id + 1] - first_successor[id]);
  }
  bool has_updates() const {
    return std::any_of(variables.begin(), variables.end(),
                       [](const ProgramVariable& variable) { return variable.written; });
  }
};

}  // namespace weft
