// One matrix product of the network, as a library does it: products.cpp times it, products_LIBRARY.cpp says how.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct ProductShape {
  std::string name;  // "dX 512->784"
  int64_t rows, columns, depth;
  bool transpose_left, transpose_right;  // how the operands lie in memory, row by row
};

// `copies` products of one shape, each with memory of its own: going round them, nothing is in a cache.
class Product {
 public:
  virtual ~Product() = default;
  virtual void SetOperands(int copy, std::span<const float> left, std::span<const float> right) = 0;
  virtual std::span<const float> result(int copy) = 0;
  virtual void Run(int copy) = 0;
};

// Operands as they are in a training step: the weights belong to the model, the rest is data.
enum class Weights : uint8_t { kNone, kRight };

std::unique_ptr<Product> MakeProduct(const ProductShape& shape, Weights weights, int copies, int threads);
std::string LibraryVersion();
