// One place for each operand between two guards; what a call may not touch is marked before it and looked at after it.
#include "weft/tests/support/kernel_edges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <random>
#include <string>

#include "weft/ops/all_ops.h"
#include "weft/tests/support/guarded_memory.h"
#include "weft/tests/support/op_matrix.h"
#include "weft/tests/support/step_runner.h"

namespace weft {
namespace {

constexpr size_t kVectorBytes = 64;
constexpr size_t kRows = 3;
constexpr size_t kLargestCount = 1001;
constexpr std::byte kNaN{0xFF};  // what may be read, but is no element
constexpr std::byte kUntouched{0xA5};

size_t WholeVectors(size_t bytes) { return (bytes + kVectorBytes - 1) / kVectorBytes * kVectorBytes; }

// A block kernel, whatever it belongs to.
struct Kernel {
  std::string name;
  BlockKernel run;
  size_t inputs, outputs = 1;
  uint32_t scalars = 0;  // bit i: input i is always one element that all rows share
  const Attributes* attributes = nullptr;
};

// How a call's operands lie. `shared`: this input has one element a row, the same for all rows if `of_all_rows`.
struct Placing {
  size_t rows, count, offset;
  Side side;
  std::optional<size_t> shared = {}, in_place_of = {};
  bool of_all_rows = false;
};

// The elements of all operands, and what a kernel makes of them in the midst of memory.
template <class T>
class KernelAtTheEdge {
 public:
  explicit KernelAtTheEdge(const Kernel& kernel) : kernel_(kernel) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> uniform(0.1, 2);  // of every function's domain
    for (size_t k = 0; k < kernel.inputs; ++k) {
      std::vector<T>& values = values_.emplace_back(kRows * kLargestCount);
      for (T& value : values) value = static_cast<T>(uniform(random));
      inputs_.emplace_back(kRows * kRowStride);
    }
    for (size_t k = 0; k < kernel.outputs; ++k) outputs_.emplace_back(kRows * kRowStride);
  }

  void Check(const Placing& p) {
    const size_t row = WholeVectors(p.count * sizeof(T)), stride = row + (p.rows > 1 ? kVectorBytes : 0);
    const size_t bytes = row + (p.rows - 1) * stride, gap = p.offset * sizeof(T);
    std::vector<BlockInput> inputs;
    for (size_t k = 0; k < kernel_.inputs; ++k) inputs.push_back(Input(p, k, stride, bytes, gap));
    std::vector<BlockOutput> outputs;
    std::vector<std::span<std::byte>> written;
    for (size_t k = 0; k < kernel_.outputs; ++k) {
      const bool in_place = k == 0 && p.in_place_of.has_value();
      const GuardedMemory& memory = in_place ? inputs_[*p.in_place_of] : outputs_[k];
      if (!in_place) Mark(memory, p.side, bytes + gap);
      written.push_back(memory.at(p.side, bytes, gap));
      outputs.push_back({.data = written[k].data(), .row_stride = static_cast<int64_t>(stride)});
    }
    Run(p.rows, p.count, inputs, outputs);
    for (size_t k = 0; k < kernel_.outputs; ++k) {
      const bool in_place = k == 0 && p.in_place_of.has_value();
      ExpectOutput(p, k, written[k], stride);
      ExpectMark(in_place ? inputs_[*p.in_place_of] : outputs_[k], p.side, bytes, gap);
    }
  }

 private:
  static constexpr size_t kRowStride = (kLargestCount * sizeof(T) / kVectorBytes + 3) * kVectorBytes;

  bool IsScalar(size_t k) const { return (kernel_.scalars >> k & 1) != 0; }

  void Run(size_t rows, size_t count, std::span<const BlockInput> inputs, std::span<const BlockOutput> outputs) const {
    kernel_.run({.dtype = kDTypeOf<T>,
                 .rows = static_cast<uint32_t>(rows),
                 .count = static_cast<uint32_t>(count),
                 .inputs = inputs,
                 .outputs = outputs,
                 .attributes = kernel_.attributes});
  }

  BlockInput Input(const Placing& p, size_t k, size_t stride, size_t bytes, size_t gap) {
    const T* const values = values_[k].data();
    if (IsScalar(k) || p.shared == k) {
      const size_t elements = IsScalar(k) || p.of_all_rows ? 1 : p.rows;
      const std::span<std::byte> at = inputs_[k].at(p.side, elements * sizeof(T));
      for (size_t r = 0; r < elements; ++r)
        std::memcpy(at.data() + r * sizeof(T), values + r * kLargestCount, sizeof(T));
      return {.data = at.data(), .stride = 0, .row_stride = elements == 1 ? 0 : int64_t{sizeof(T)}};
    }
    Mark(inputs_[k], p.side, bytes + gap);
    const std::span<std::byte> at = inputs_[k].at(p.side, bytes, gap);
    for (size_t r = 0; r < p.rows; ++r) {
      const std::span<std::byte> row = at.subspan(r * stride, WholeVectors(p.count * sizeof(T)));
      std::ranges::fill(row, kNaN);
      std::memcpy(row.data(), values + r * kLargestCount, p.count * sizeof(T));
    }
    return {.data = at.data(), .stride = 1, .row_stride = static_cast<int64_t>(stride)};
  }

  // Row r of output k in the midst of memory, for each choice of shared operands.
  const std::vector<T>& Expected(const Placing& p, size_t k, size_t r) {
    const auto key = std::make_tuple(p.shared, p.of_all_rows, r);
    auto found = std::ranges::find(expected_keys_, key);
    if (found == expected_keys_.end()) {
      std::vector<std::vector<T>> results(kernel_.outputs, std::vector<T>(kLargestCount + kVectorBytes));
      std::vector<BlockInput> inputs;
      std::vector<BlockOutput> outputs;
      std::vector<std::vector<T>> rows;
      for (size_t i = 0; i < kernel_.inputs; ++i) {
        const bool one = IsScalar(i) || p.shared == i;
        const size_t from = IsScalar(i) || (one && p.of_all_rows) ? 0 : r;
        std::vector<T>& row = rows.emplace_back(kLargestCount + kVectorBytes);
        std::copy_n(values_[i].begin() + static_cast<ptrdiff_t>(from * kLargestCount), kLargestCount, row.begin());
        inputs.push_back({.data = row.data(), .stride = one ? 0U : 1U, .row_stride = 0});
      }
      for (std::vector<T>& result : results) outputs.push_back({.data = result.data(), .row_stride = 0});
      Run(1, kLargestCount, inputs, outputs);
      expected_keys_.push_back(key);
      expected_.push_back(results);
      found = expected_keys_.end() - 1;
    }
    return expected_[static_cast<size_t>(found - expected_keys_.begin())][k];
  }

  void ExpectOutput(const Placing& p, size_t k, std::span<const std::byte> written, size_t stride) {
    const size_t row = WholeVectors(p.count * sizeof(T));
    for (size_t r = 0; r < p.rows; ++r) {
      EXPECT_EQ(std::memcmp(written.data() + r * stride, Expected(p, k, r).data(), p.count * sizeof(T)), 0)
          << kernel_.name << " row " << r << " of " << p.rows << " x " << p.count << " offset " << p.offset;
      if (r + 1 == p.rows) continue;
      EXPECT_TRUE(IsUntouched(written.subspan(r * stride + row, stride - row)))
          << kernel_.name << ": wrote between rows of " << p.count;
    }
  }

  static void Mark(const GuardedMemory& memory, Side side, size_t bytes) {
    const size_t marked = std::min(memory.all().size(), bytes + 2 * kVectorBytes);
    std::ranges::fill(memory.at(side, marked), kUntouched);
  }
  static bool IsUntouched(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == kUntouched; });
  }
  void ExpectMark(const GuardedMemory& memory, Side side, size_t bytes, size_t gap) const {
    const size_t marked = std::min(memory.all().size() - bytes - gap, 2 * kVectorBytes);
    EXPECT_TRUE(IsUntouched(memory.at(side, gap))) << kernel_.name << ": wrote between the row and the edge";
    EXPECT_TRUE(IsUntouched(memory.at(side, marked, bytes + gap))) << kernel_.name << ": wrote on the far side";
  }

  const Kernel& kernel_;
  std::vector<std::vector<T>> values_;
  std::vector<GuardedMemory> inputs_, outputs_;
  std::vector<std::tuple<std::optional<size_t>, bool, size_t>> expected_keys_;
  std::vector<std::vector<std::vector<T>>> expected_;
};

template <class T>
void CheckMap(const Kernel& kernel, const EdgeSizes& sizes) {
  KernelAtTheEdge<T> at_the_edge(kernel);
  for (const Side side : kSides) {
    for (const size_t count : sizes.counts) {
      for (const size_t offset : sizes.offsets) {
        if (offset >= kVectorBytes / sizeof(T)) continue;
        at_the_edge.Check({.rows = 1, .count = count, .offset = offset, .side = side});
        at_the_edge.Check({.rows = kRows, .count = count, .offset = offset, .side = side});
      }
      const Placing plain = {.rows = kRows, .count = count, .offset = count % 5, .side = side};
      for (size_t k = 0; k < kernel.inputs; ++k) {
        if ((kernel.scalars >> k & 1) != 0) continue;
        Placing in_place = plain;
        in_place.in_place_of = k;
        at_the_edge.Check(in_place);
        if (kernel.scalars != 0) continue;
        for (const bool of_all_rows : {false, true}) {
          Placing shared = plain;
          shared.shared = k;
          shared.of_all_rows = of_all_rows;
          at_the_edge.Check(shared);
        }
      }
    }
  }
}

// A row-wise fold reads no element past its count, so its rows end at the edge without any padding; a fold of columns
// may read whole vectors. Neither result may depend on what lies there.
template <class T>
void CheckFolds(const ReductionKernels& kernels, const EdgeSizes& sizes) {
  constexpr size_t kMostRows = 9;  // two leaves and a row
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> values(kMostRows * (kLargestCount + kVectorBytes));
  for (T& value : values) value = static_cast<T>(uniform(random));
  const GuardedMemory from(values.size() * sizeof(T)), to(values.size() * sizeof(T));
  const auto check = [&](BlockKernel run, bool down, size_t rows, size_t count, Side side) {
    const size_t row = down ? WholeVectors(count * sizeof(T)) : count * sizeof(T), elements = down ? count : rows;
    const size_t written = down ? row : rows * sizeof(T);
    const auto fold = [&](std::byte* input, std::byte* output) {
      for (size_t r = 0; r < rows; ++r) std::memcpy(input + r * row, values.data() + r * count, count * sizeof(T));
      const BlockInput in = {.data = input, .stride = 1, .row_stride = static_cast<int64_t>(row)};
      const BlockOutput out = {.data = output, .row_stride = down ? int64_t{0} : int64_t{sizeof(T)}};
      run({.dtype = kDTypeOf<T>,
           .rows = static_cast<uint32_t>(rows),
           .count = static_cast<uint32_t>(count),
           .inputs = {&in, 1},
           .outputs = {&out, 1},
           .attributes = nullptr});
    };
    std::vector<std::byte> input(rows * row + kVectorBytes), output(written + kVectorBytes);
    fold(input.data(), output.data());
    std::ranges::fill(from.all(), kNaN);
    std::ranges::fill(to.all(), kUntouched);
    const std::span<std::byte> result = to.at(side, written);
    fold(from.at(side, rows * row).data(), result.data());
    EXPECT_EQ(std::memcmp(result.data(), output.data(), elements * sizeof(T)), 0) << rows << " x " << count << down;
    const std::span<std::byte> beside = to.at(side, kVectorBytes, written);
    EXPECT_TRUE(std::ranges::all_of(beside, [](std::byte b) { return b == kUntouched; })) << rows << " x " << count;
  };
  for (const Side side : kSides) {
    for (const size_t count : sizes.counts) {
      if (count == 0) continue;
      for (const size_t rows : {size_t{1}, size_t{4}, kMostRows}) {
        check(kernels.fold, false, rows, count, side);
        check(kernels.fold_down, true, rows, count, side);
      }
    }
  }
}

template <class T>
void CheckBlocks(const OpDef& op, const EdgeSizes& sizes) {
  const std::string name(*op.name);
  if (op.is_elementwise()) {
    std::vector<Attributes> seen;
    for (const Sample& sample : op.samples().samples) {
      if (std::ranges::find(seen, sample.attributes) != seen.end()) continue;
      seen.push_back(sample.attributes);
      CheckMap<T>({.name = name + " " + ToString(sample.attributes),
                   .run = std::get<PerBlock>(*op.lower).kernel,
                   .inputs = static_cast<size_t>(*op.arity),
                   .attributes = &sample.attributes},
                  sizes);
    }
  }
  if (const auto* reduction = std::get_if<Reduction>(&*op.lower)) {
    CheckFolds<T>(reduction->kernels, sizes);
    CheckMap<T>({.name = name + " join", .run = reduction->kernels.join, .inputs = 2}, sizes);
  }
  if (op.ending != nullptr) {
    CheckMap<T>({.name = "combination that ends in " + name,
                 .run = op.ending->kernel,
                 .inputs = op.ending->inputs,
                 .outputs = op.ending->outputs.size(),
                 .scalars = op.ending->scalars},
                sizes);
  }
}

}  // namespace

EdgeSizes AllEdgeSizes() {
  EdgeSizes sizes;
  for (size_t count = 0; count <= 130; ++count) sizes.counts.push_back(count);
  sizes.counts.insert(sizes.counts.end(), {999, 1000, 1001});
  for (size_t offset = 0; offset < kVectorBytes / sizeof(float); ++offset) sizes.offsets.push_back(offset);
  return sizes;
}

EdgeSizes SomeEdgeSizes() {
  EdgeSizes sizes;
  for (size_t count = 0; count <= 34; ++count) sizes.counts.push_back(count);
  sizes.counts.insert(sizes.counts.end(), {47, 48, 49, 63, 64, 65, 127, 128, 129, 130, 999, 1000, 1001});
  sizes.offsets = {0, 1, 7, 15};
  return sizes;
}

void ExpectBlocksKeepToTheirMemory(const OpDef& op, DType dtype, const EdgeSizes& sizes) {
  if (dtype == DType::kFloat32) CheckBlocks<float>(op, sizes);
  else CheckBlocks<double>(op, sizes);
}

void ExpectStepsKeepToTheirMemory(const OpDef& op, DType dtype) {
  if (!std::holds_alternative<InSteps>(*op.lower)) return;
  std::vector<std::unique_ptr<OpGraph>> graphs = OpGraphs(op, dtype);
  for (const Sample& sample : op.samples().samples) {
    for (const int64_t elements : {999, 20'011}) {
      if (auto stretched = BuildStretched(op, sample, dtype, elements)) graphs.push_back(std::move(stretched));
    }
  }
  for (const auto& graph : graphs) {
    SCOPED_TRACE(graph->label);
    const Node y = graph->y();
    std::vector<Tensor> operands;
    for (const Node& operand : graph->operands) operands.push_back(graph->feeds.at(operand.id()));
    const auto run = [&](const StepMemory& memory) {
      return RunSteps(op, operands, y.attributes(), y.type(), {}, memory);
    };
    const Tensor expected = run({});
    EXPECT_EQ(run({.side = Side::kBegin}), expected);
    if (!op.traits.takes_panels) continue;
    // Each choice of layouts, one bit an operand and one for the result.
    for (uint32_t choice = 1; choice >> (operands.size() + 1) == 0; ++choice) {
      const auto layout = [&](size_t i) { return (choice >> i & 1) != 0 ? Layout::kPanels : Layout::kRowMajor; };
      StepMemory memory = {.result_layout = layout(operands.size())};
      for (size_t i = 0; i < operands.size(); ++i) memory.layouts.push_back(layout(i));
      for (const Side side : kSides) {
        memory.side = side;
        EXPECT_EQ(run(memory), expected) << "layouts " << choice;
      }
    }
  }
}

}  // namespace weft
