// Data sets: rows of numbers for the inputs of a graph, and the order in which training meets them.
//
//   Dataset dataset = {{vae.x, Rows::OfBytes(images.pixels, images.count)}};   // bytes 0 … 255 are fed as 0 … 1
//   std::vector<int64_t> order(60'000);
//   Shuffle(order, seed, epoch);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "weft/graph/graph.h"
#include "weft/graph/tensor.h"

namespace weft {

// A view of `count` rows of `width` numbers: what it was made of must outlive it.
class Rows {
 public:
  // Row-major; the numbers are byte / divisor. Throws GraphError if the bytes are not `count` rows, and for a divisor
  // below 1.
  static Rows OfBytes(std::span<const uint8_t> bytes, int64_t count, double divisor = 255);
  // One row for each index of the first axis, of f32, f64 or i64.
  static Rows Of(const Tensor& tensor);
  static Rows Of(Tensor&&) = delete;  // it would not outlive the view

  int64_t count() const { return count_; }
  int64_t width() const { return width_; }
  // Writes the rows of these numbers one behind the other, as elements of `dtype` (f32, f64 or i64), and allocates
  // nothing.
  void Gather(std::span<const int64_t> which, DType dtype, std::span<std::byte> to) const;
  // Of all bytes, to tell one data set from another.
  std::string Checksum() const;

 private:
  struct Bytes {
    std::span<const uint8_t> values;
    double divisor;
  };
  using Source = std::variant<Bytes, std::span<const float>, std::span<const double>, std::span<const int64_t>>;

  Rows(Source source, int64_t count, int64_t width) : source_(source), count_(count), width_(width) {}
  template <class T>
  void GatherAs(std::span<const int64_t> which, std::span<std::byte> to) const;

  Source source_;
  int64_t count_, width_;
};

// Row i of each column belongs to sample i.
struct Column {
  Node node;  // what is fed, a placeholder or another: [N, …], with as many numbers a sample as a row has
  Rows rows;
};
using Dataset = std::vector<Column>;

// The number of samples. Throws GraphError, naming the node, for columns of different lengths, for one that does not
// fit its node, and for a data set without columns.
int64_t SampleCount(const Dataset& dataset);

// A name for the content: the checksums of all columns.
std::string Checksum(const Dataset& dataset);

// Fills `order` with 0 … size − 1 in the order of an epoch: any permutation alike, a function of (seed, epoch) alone.
void Shuffle(std::span<int64_t> order, uint64_t seed, int64_t epoch);

}  // namespace weft
