// Which steps follow which, column by column.
#include "weft/graph/compile/chain.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "weft/graph/compile/blocks.h"

namespace weft {
namespace {

// How far behind its head a link may stand: keeps the search linear.
constexpr size_t kWindow = 64;

// A strip of fewer columns is no whole line of the cache.
constexpr int64_t kFewestColumns = 32;

bool IsUniform(const BlockProgram& program) {
  return std::all_of(program.reads.begin(), program.reads.end(),
                     [](const Binding& read) { return read.cover == Cover::kFull || read.cover == Cover::kScalar; });
}

// The width of the matrices that a step may be cut into columns of; 0: none.
int64_t OwnColumns(const Link& step) {
  if (step.kind == StepKind::kBlocks && step.program.rows > 1) return step.program.columns;
  if (step.kind == StepKind::kReduction && step.reduction.outer == 1) return step.reduction.inner;
  return 0;
}

// The same step over matrices of `columns` columns. A row of a uniform program is a matrix of any width.
std::optional<Link> Cut(const Link& step, int64_t columns) {
  if (OwnColumns(step) == columns) return step;
  const BlockProgram& program = step.program;
  if (step.kind != StepKind::kBlocks || program.rows != 1 || program.columns % columns != 0) return std::nullopt;
  if (program.columns != columns && !IsUniform(program)) return std::nullopt;
  Link cut = step;
  cut.program.rows = program.columns / columns;
  cut.program.columns = columns;
  return cut;
}

template <class List>
bool Contains(const List& list, BufferId buffer) {
  return std::find(list.begin(), list.end(), buffer) != list.end();
}

// A step that others follow, and what must not be moved across the steps between.
class Chain {
 public:
  explicit Chain(Step head) : step_(std::move(head)) {
    if (step_.kind == StepKind::kOp) {
      if (step_.pieces == Pieces::kNone) return;
      columns_ = step_.columns;
      rows_ = step_.rows;
      for (BufferId write : step_.writes) made_.insert(write);
    } else if (columns_ = OwnColumns(step_); columns_ > 0) {
      Link link = std::exchange(step_, Step{{.kind = StepKind::kStrips, .dtype = step_.dtype}});
      Add(std::move(link));
    }
  }

  bool IsOpen() const { return columns_ >= kFewestColumns; }

  // Joins the chain, or stays where it is and hinders others.
  bool Take(const Step& step) {
    if (std::optional<Link> link = Cut(step, columns_); link && Follows(*link) && !IsHindered(*link)) {
      Add(std::move(*link));
      return true;
    }
    for (BufferId read : step.reads) read_between_.insert(read);
    for (BufferId write : step.writes) written_between_.insert(write);
    return false;
  }

  Step Finish() && {
    if (step_.kind == StepKind::kStrips) {
      if (step_.chain.size() == 1) return {std::move(step_.chain[0])};
      for (const Link& link : step_.chain) step_.rows = std::max(step_.rows, link.program.rows);
      step_.blocks = BlockCount(step_);
    }
    return std::move(step_);
  }

 private:
  // Does it work on what the chain makes, and only in its own columns?
  bool Follows(const Link& link) const {
    if (link.dtype != step_.dtype) return false;
    const bool whole = link.kind == StepKind::kReduction || link.program.rows != rows_;
    if (step_.kind == StepKind::kOp && whole && step_.pieces != Pieces::kWholeColumns) return false;
    bool follows = false;
    for (const Binding& read : link.program.reads) {
      if (!made_.contains(read.buffer)) continue;
      const bool own_columns = read.cover == Cover::kFull || read.cover == Cover::kPerColumn;
      if (!own_columns) return false;
      follows = true;
    }
    return follows;
  }

  bool IsHindered(const Link& link) const {
    const auto written = [this](BufferId buffer) { return written_between_.contains(buffer); };
    const auto touched = [this](BufferId buffer) {
      return written_between_.contains(buffer) || read_between_.contains(buffer);
    };
    return std::any_of(link.reads.begin(), link.reads.end(), written) ||
           std::any_of(link.writes.begin(), link.writes.end(), touched) || OverwritesOperand(link);
  }

  // A product reads all columns of its operands for each piece of its result.
  bool OverwritesOperand(const Link& link) const {
    if (step_.kind != StepKind::kOp) return false;
    const auto operands = std::span(step_.reads).first(step_.op_reads);
    return std::any_of(link.writes.begin(), link.writes.end(),
                       [&](BufferId write) { return Contains(operands, write); });
  }

  void Add(Link link) {
    const bool all_rows = link.kind == StepKind::kReduction || link.program.rows != rows_;
    if (step_.kind == StepKind::kStrips || all_rows) step_.chain_needs_all_rows = true;
    const auto add = [](std::vector<BufferId>& list, BufferId buffer) {
      if (!Contains(list, buffer)) list.push_back(buffer);
    };
    // Only behind the op's own: those are told by position.
    for (BufferId read : link.reads) add(step_.reads, read);
    for (BufferId write : link.writes) {
      add(step_.writes, write);
      made_.insert(write);
    }
    step_.cycles += link.cycles;
    if (step_.kind == StepKind::kStrips) step_.origin = link.origin;
    step_.chain_columns = columns_;
    step_.chain.push_back(std::move(link));
  }

  Step step_;
  int64_t columns_ = 0, rows_ = 0;
  std::set<BufferId> made_, read_between_, written_between_;
};

// Single rows that come from variables alone, such as the scale of a batch normalisation, go first: a chain that reads
// one that is made behind its head would end there.
std::vector<StepId> RowsOfVariablesFirst(const Program& program) {
  std::vector<char> is_known(program.buffers.size(), 0);
  for (BufferId id = 0; id < program.buffers.size(); ++id)
    is_known[id] = program.buffers[id].kind != BufferKind::kArena;
  std::vector<StepId> first, rest;
  for (StepId id = 0; id < program.steps.size(); ++id) {
    const Step& step = program.steps[id];
    const auto known = [&](BufferId buffer) { return is_known[buffer] != 0; };
    const bool is_first = step.kind == StepKind::kBlocks && step.program.rows == 1 &&
                          std::ranges::all_of(step.reads, known) && std::ranges::none_of(step.writes, known);
    for (BufferId write : step.writes) is_known[write] = is_first ? 1 : 0;  // a variable is not what it was
    (is_first ? first : rest).push_back(id);
  }
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

}  // namespace

Program FormChains(Program program) {
  const std::vector<StepId> order = RowsOfVariablesFirst(program);
  std::vector<Step> steps;
  steps.reserve(order.size());
  std::vector<char> taken(order.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    if (taken[i]) continue;
    Chain chain(std::move(program.steps[order[i]]));
    for (size_t k = i + 1; chain.IsOpen() && k < std::min(order.size(), i + kWindow); ++k) {
      if (!taken[k]) taken[k] = chain.Take(program.steps[order[k]]);
    }
    steps.push_back(std::move(chain).Finish());
  }
  program.steps = std::move(steps);
  return program;
}

}  // namespace weft
