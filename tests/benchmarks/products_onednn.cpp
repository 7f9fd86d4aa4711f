// oneDNN's matmul primitive on plain rows. Its threads are OpenMP's: OMP_NUM_THREADS.
#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.hpp>

#include "weft/tests/benchmarks/plain_matrices.h"

namespace {

using dnnl::memory;

memory::desc Rows(int64_t rows, int64_t columns, bool transposed) {
  const memory::dims strides = transposed ? memory::dims{1, rows} : memory::dims{columns, 1};
  return {{rows, columns}, memory::data_type::f32, strides};
}

class DnnProduct : public PlainProduct {
 public:
  DnnProduct(const ProductShape& shape, int copies)
      : PlainProduct(shape, copies),
        left_(Rows(shape.rows, shape.depth, shape.transpose_left), engine_, nullptr),
        right_(Rows(shape.depth, shape.columns, shape.transpose_right), engine_, nullptr),
        result_(Rows(shape.rows, shape.columns, false), engine_, nullptr),
        matmul_(dnnl::matmul::primitive_desc({left_.get_desc(), right_.get_desc(), result_.get_desc()}, engine_)) {}

  void Run(int copy) override {
    left_.set_data_handle(left(copy));
    right_.set_data_handle(right(copy));
    result_.set_data_handle(result_of(copy));
    matmul_.execute(stream_, {{DNNL_ARG_SRC, left_}, {DNNL_ARG_WEIGHTS, right_}, {DNNL_ARG_DST, result_}});
    stream_.wait();
  }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  memory left_, right_, result_;
  dnnl::matmul matmul_;
};

}  // namespace

std::unique_ptr<Product> MakeProduct(const ProductShape& shape, Weights, int copies, int) {
  return std::make_unique<DnnProduct>(shape, copies);
}

std::string LibraryVersion() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
}
