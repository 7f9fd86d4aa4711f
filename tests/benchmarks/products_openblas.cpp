// cblas_sgemm. The pthread flavour and the OpenMP one are the same symbol: the caller chooses by LD_LIBRARY_PATH.
#include <cblas.h>

#include "weft/tests/benchmarks/plain_matrices.h"

namespace {

class BlasProduct : public PlainProduct {
 public:
  using PlainProduct::PlainProduct;
  void Run(int copy) override {
    const auto rows = static_cast<int>(shape_.rows), columns = static_cast<int>(shape_.columns),
               depth = static_cast<int>(shape_.depth);
    cblas_sgemm(CblasRowMajor, shape_.transpose_left ? CblasTrans : CblasNoTrans,
                shape_.transpose_right ? CblasTrans : CblasNoTrans, rows, columns, depth, 1, left(copy),
                shape_.transpose_left ? rows : depth, right(copy), shape_.transpose_right ? depth : columns, 0,
                result_of(copy), columns);
  }
};

}  // namespace

std::unique_ptr<Product> MakeProduct(const ProductShape& shape, Weights, int copies, int threads) {
  openblas_set_num_threads(threads);
  return std::make_unique<BlasProduct>(shape, copies);
}

std::string LibraryVersion() { return openblas_get_config(); }
