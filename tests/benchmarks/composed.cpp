// The training step of the autoencoder, composed by hand from oneDNN's matmul on plain rows and OpenMP loops: no graph,
// no autodiff. Not a peer but a mark: what can be had without a product of one's own.
//
//   OMP_NUM_THREADS=2 composed
//
// 784 → [512, batch normalisation, relu] × 3 → 2 means, 2 log variances → z → the same × 3 → 784; Adam; batch 128. A
// bias that batch normalisation cancels is left out, and mean and log variance are one product.
#include "weft/tests/benchmarks/answers.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <vector>

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

namespace {

constexpr int kPixels = 784, kHidden = 512, kLatent = 2, kHeads = 2 * kLatent, kBatch = 128;
constexpr int kLane = 64;  // columns that a thread takes at a time: 256 bytes a row

// GCC 12 leaves masked sums scalar; vectors of its own it does not.
typedef float Vector __attribute__((vector_size(64)));
constexpr int kVector = 16, kVectors = kLane / kVector;
Vector& At(float* p) { return *reinterpret_cast<Vector*>(p); }

// Huge pages, whole lines, and no two arrays at the same place in a page.
float* Allocate(size_t count) {
  constexpr size_t kArena = size_t{128} << 20, kPage = 4096;
  static char* arena = [] {
    void* memory = std::aligned_alloc(size_t{2} << 20, kArena);
    if (memory == nullptr) throw std::bad_alloc();
    madvise(memory, kArena, MADV_HUGEPAGE);
    std::memset(memory, 0, kArena);
    return static_cast<char*>(memory);
  }();
  static size_t used = 0, arrays = 0;
  char* const result = arena + used + 64 * (5 * arrays++ % 61);
  used += (count * sizeof(float) + 2 * kPage - 1) / kPage * kPage;
  if (used > kArena) throw std::bad_alloc();
  return reinterpret_cast<float*>(result);
}

// C[rows, columns] = op(A) · op(B), row by row.
class Product {
 public:
  Product() = default;
  Product(int rows, int columns, int depth, float* a, bool transpose_a, float* b, bool transpose_b, float* c) {
    using dnnl::memory;
    const auto matrix = [](int height, int width, bool transposed) {
      return memory::desc({height, width}, memory::data_type::f32,
                          transposed ? memory::dims{1, height} : memory::dims{width, 1});
    };
    const memory::desc left = matrix(rows, depth, transpose_a), right = matrix(depth, columns, transpose_b),
                       result = matrix(rows, columns, false);
    matmul_ = dnnl::matmul(dnnl::matmul::primitive_desc({left, right, result}, Engine()));
    arguments_ = {{DNNL_ARG_SRC, {left, Engine(), a}},
                  {DNNL_ARG_WEIGHTS, {right, Engine(), b}},
                  {DNNL_ARG_DST, {result, Engine(), c}}};
  }
  void Run() {
    static dnnl::stream stream(Engine());
    matmul_.execute(stream, arguments_);
    stream.wait();
  }

 private:
  static dnnl::engine& Engine() {
    static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
  }
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

// All parameters in one array, all gradients in another: Adam is one loop.
class Parameters {
 public:
  static constexpr size_t kCapacity = size_t{2} << 20;
  float *weights = Allocate(kCapacity), *gradients = Allocate(kCapacity);

  size_t Take(size_t count, int fan_in) {
    const size_t at = used_;
    used_ += (count + kVector - 1) / kVector * kVector;
    if (used_ > kCapacity) throw std::bad_alloc();
    const float bound = 1 / std::sqrt(static_cast<float>(fan_in));
    std::uniform_real_distribution<float> uniform(-bound, bound);
    for (size_t i = 0; i < count; ++i) weights[at + i] = uniform(random_);
    return at;
  }
  void Adam() {
    ++step_;
    const float rate = static_cast<float>(1e-3 / (1 - std::pow(0.9, step_))),
                scale = static_cast<float>(1 / std::sqrt(1 - std::pow(0.999, step_)));
    float *w = weights, *g = gradients, *m = mean_, *v = square_;
#pragma omp parallel for simd schedule(static) aligned(w, g, m, v : 64)
    for (size_t i = 0; i < used_; ++i) {
      m[i] = 0.9F * m[i] + 0.1F * g[i];
      v[i] = 0.999F * v[i] + 0.001F * g[i] * g[i];
      w[i] -= rate * m[i] / (std::sqrt(v[i]) * scale + 1e-8F);
    }
  }

 private:
  float *mean_ = Allocate(kCapacity), *square_ = Allocate(kCapacity);
  size_t used_ = 0;
  int step_ = 0;
  std::mt19937 random_{1};
};

// inputs → 512, batch normalisation, relu. The layer that reads z has two inputs, and its products are loops.
struct Layer {
  int inputs;
  float *x, *dx;  // dx: nullptr if nobody wants it
  float *w, *dw, *gamma, *dgamma, *beta, *dbeta;
  float *normal = Allocate(kBatch * kHidden), *y = Allocate(kBatch * kHidden), *dy = Allocate(kBatch * kHidden);
  std::array<float, kHidden> inverse_deviation;
  Product forward, back, weights;

  Layer(Parameters& parameters, int count, float* from, float* gradient) : inputs(count), x(from), dx(gradient) {
    const auto take = [&parameters](size_t size, int fan_in, float*& value, float*& slope) {
      const size_t at = parameters.Take(size, fan_in);
      value = parameters.weights + at;
      slope = parameters.gradients + at;
    };
    take(static_cast<size_t>(inputs) * kHidden, inputs, w, dw);
    take(kHidden, 1, gamma, dgamma);
    take(kHidden, 1, beta, dbeta);
    std::fill_n(gamma, kHidden, 1.0F);
    std::fill_n(beta, kHidden, 0.0F);
    if (inputs == kLatent) return;
    forward = Product(kBatch, kHidden, inputs, x, false, w, false, normal);
    weights = Product(inputs, kHidden, kBatch, x, true, dy, false, dw);
    if (dx != nullptr) back = Product(kBatch, inputs, kHidden, dy, false, w, true, dx);
  }

  void Forward() {
    if (inputs != kLatent) forward.Run();
#pragma omp parallel for schedule(static)
    for (int column = 0; column < kHidden; column += kLane) {
      if (inputs == kLatent) ForwardFromLatent(column);
      NormaliseColumns(column);
    }
  }

  void ForwardFromLatent(int column) {
    for (int row = 0; row < kBatch; ++row) {
      const float z0 = x[row * kLatent], z1 = x[row * kLatent + 1];
      for (int i = column; i < column + kLane; ++i) normal[row * kHidden + i] = z0 * w[i] + z1 * w[kHidden + i];
    }
  }

  void NormaliseColumns(int column) {
    float* const h = normal + column;
    float shift[kLane], sum[kLane] = {}, squares[kLane] = {}, mean[kLane], inverse[kLane];
    for (int i = 0; i < kLane; ++i) shift[i] = h[i];  // what is subtracted beforehand cannot cancel later
    for (int row = 0; row < kBatch; ++row)
      for (int i = 0; i < kLane; ++i) {
        const float value = h[row * kHidden + i] - shift[i];
        sum[i] += value;
        squares[i] += value * value;
      }
    for (int i = 0; i < kLane; ++i) {
      const float m = sum[i] / kBatch, variance = squares[i] / kBatch - m * m;
      mean[i] = m + shift[i];
      inverse_deviation[column + i] = inverse[i] = 1 / std::sqrt(std::max(variance, 0.0F) + 1e-5F);
    }
    for (int row = 0; row < kBatch; ++row)
      for (int i = 0; i < kLane; ++i) {
        const float value = (h[row * kHidden + i] - mean[i]) * inverse[i];
        h[row * kHidden + i] = value;
        y[row * kHidden + column + i] = std::max(0.0F, value * gamma[column + i] + beta[column + i]);
      }
  }

  void Backward() {
#pragma omp parallel for schedule(static)
    for (int column = 0; column < kHidden; column += kLane) {
      NormaliseBack(column);
      if (inputs == kLatent) WeightsFromLatent(column);
    }
    if (inputs == kLatent) return BackToLatent();
    weights.Run();
    if (dx != nullptr) back.Run();
  }

  // dy, the gradient of y, becomes that of the product.
  void NormaliseBack(int column) {
    Vector of_gamma[kVectors] = {}, of_beta[kVectors] = {};
    for (int row = 0; row < kBatch; ++row)
      for (int i = 0; i < kVectors; ++i) {
        const int at = row * kHidden + column + kVector * i;
        const Vector passed = At(y + at) > 0 ? At(dy + at) : Vector{};
        of_gamma[i] += passed * At(normal + at);
        of_beta[i] += passed;
      }
    Vector scale[kVectors], mean_gamma[kVectors], mean_beta[kVectors];
    for (int i = 0; i < kVectors; ++i) {
      const int at = column + kVector * i;
      At(dgamma + at) = of_gamma[i];
      At(dbeta + at) = of_beta[i];
      Vector deviation;
      std::memcpy(&deviation, &inverse_deviation[at], sizeof(deviation));
      scale[i] = At(gamma + at) * deviation;
      mean_gamma[i] = of_gamma[i] / kBatch;
      mean_beta[i] = of_beta[i] / kBatch;
    }
    for (int row = 0; row < kBatch; ++row)
      for (int i = 0; i < kVectors; ++i) {
        const int at = row * kHidden + column + kVector * i;
        const Vector passed = At(y + at) > 0 ? At(dy + at) : Vector{};
        At(dy + at) = scale[i] * (passed - mean_beta[i] - At(normal + at) * mean_gamma[i]);
      }
  }

  void WeightsFromLatent(int column) {
    float sums[kLatent][kLane] = {};
    for (int row = 0; row < kBatch; ++row)
      for (int latent = 0; latent < kLatent; ++latent) {
        const float z = x[row * kLatent + latent];
        for (int i = 0; i < kLane; ++i) sums[latent][i] += z * dy[row * kHidden + column + i];
      }
    for (int latent = 0; latent < kLatent; ++latent) std::copy_n(sums[latent], kLane, dw + latent * kHidden + column);
  }

  void BackToLatent() {
    for (int row = 0; row < kBatch; ++row)
      for (int latent = 0; latent < kLatent; ++latent) {
        float sum = 0;
        for (int i = 0; i < kHidden; ++i) sum += dy[row * kHidden + i] * w[latent * kHidden + i];
        dx[row * kLatent + latent] = sum;
      }
  }
};

class Autoencoder {
 public:
  explicit Autoencoder(float* images) : x_(images) {
    for (int i = 0; i < 3; ++i) Add(encoder_, i == 0 ? kPixels : kHidden, x_, nullptr);
    for (int i = 0; i < 3; ++i) Add(decoder_, i == 0 ? kLatent : kHidden, z_, dz_);
    heads_ = parameters_.Take(kHeads * kHidden, kHidden);
    heads_bias_ = parameters_.Take(kHeads, kHidden);
    out_ = parameters_.Take(kHidden * kPixels, kHidden);
    out_bias_ = parameters_.Take(kPixels, kHidden);
    Layer& last = decoder_.back();
    out_forward_ = Product(kBatch, kPixels, kHidden, last.y, false, parameters_.weights + out_, false, logits_);
    out_back_ = Product(kBatch, kHidden, kPixels, logits_, false, parameters_.weights + out_, true, last.dy);
    out_weights_ = Product(kHidden, kPixels, kBatch, last.y, true, logits_, false, parameters_.gradients + out_);
  }

  // Returns −ELBO, the mean over the batch.
  double Step() {
    std::normal_distribution<float> normal;
    std::generate_n(epsilon_, kBatch * kLatent, [&] { return normal(random_); });
    for (Layer& layer : encoder_) layer.Forward();
    double loss = Sample();
    for (Layer& layer : decoder_) layer.Forward();
    out_forward_.Run();
    loss += Reconstruction();
    out_weights_.Run();
    out_back_.Run();
    for (auto layer = decoder_.rbegin(); layer != decoder_.rend(); ++layer) layer->Backward();
    SampleBack();
    for (auto layer = encoder_.rbegin(); layer != encoder_.rend(); ++layer) layer->Backward();
    parameters_.Adam();
    return loss / kBatch;
  }

 private:
  void Add(std::vector<Layer>& layers, int inputs, float* first, float* first_gradient) {
    const bool is_first = layers.empty();
    float* const from = is_first ? first : layers.back().y;
    float* const gradient = is_first ? first_gradient : layers.back().dy;
    layers.emplace_back(parameters_, inputs, from, gradient);
  }

  // Means, log variances and z; returns the divergences.
  double Sample() {
    double divergence = 0;
    const float *w = parameters_.weights + heads_, *bias = parameters_.weights + heads_bias_, *h = encoder_.back().y;
#pragma omp parallel for schedule(static) reduction(+ : divergence)
    for (int row = 0; row < kBatch; ++row) {
      for (int head = 0; head < kHeads; ++head) {
        float sum = 0;
        for (int i = 0; i < kHidden; ++i) sum += h[row * kHidden + i] * w[head * kHidden + i];
        head_[row * kHeads + head] = sum + bias[head];
      }
      for (int i = 0; i < kLatent; ++i) {
        const float mean = head_[row * kHeads + i], log_variance = head_[row * kHeads + kLatent + i];
        z_[row * kLatent + i] = mean + std::exp(0.5F * log_variance) * epsilon_[row * kLatent + i];
        divergence += 0.5 * (mean * mean + std::exp(log_variance) - 1 - log_variance);
      }
    }
    return divergence;
  }

  // Cross entropy of the logits, which become their own gradients.
  double Reconstruction() {
    double loss = 0;
    const float* bias = parameters_.weights + out_bias_;
    std::vector<std::vector<float>> sums(static_cast<size_t>(omp_get_max_threads()), std::vector<float>(kPixels));
#pragma omp parallel for schedule(static) reduction(+ : loss)
    for (int row = 0; row < kBatch; ++row) {
      float* const of_bias = sums[static_cast<size_t>(omp_get_thread_num())].data();
      float* const logits = logits_ + row * kPixels;
      float row_loss = 0;
      for (int i = 0; i < kPixels; ++i) {
        const float logit = logits[i] + bias[i], e = std::exp(-std::fabs(logit)), pixel = x_[row * kPixels + i];
        row_loss += std::max(logit, 0.0F) - logit * pixel + std::log(1 + e);
        logits[i] = ((logit >= 0 ? 1.0F : e) / (1 + e) - pixel) * (1.0F / kBatch);
        of_bias[i] += logits[i];
      }
      loss += row_loss;
    }
    float* const gradient = parameters_.gradients + out_bias_;
    std::fill_n(gradient, kPixels, 0.0F);
    for (const std::vector<float>& each : sums)
      for (int i = 0; i < kPixels; ++i) gradient[i] += each[static_cast<size_t>(i)];
    return loss;
  }

  // From dz and the divergence to the encoder's last layer.
  void SampleBack() {
    float* const bias = parameters_.gradients + heads_bias_;
    std::fill_n(bias, kHeads, 0.0F);
    for (int row = 0; row < kBatch; ++row)
      for (int i = 0; i < kLatent; ++i) {
        const float mean = head_[row * kHeads + i], log_variance = head_[row * kHeads + kLatent + i];
        const float dz = dz_[row * kLatent + i];
        float* const d = dhead_ + row * kHeads;
        d[i] = dz + mean / kBatch;
        d[kLatent + i] = dz * 0.5F * std::exp(0.5F * log_variance) * epsilon_[row * kLatent + i] +
                         0.5F * (std::exp(log_variance) - 1) / kBatch;
        bias[i] += d[i];
        bias[kLatent + i] += d[kLatent + i];
      }
    Layer& last = encoder_.back();
    const float* w = parameters_.weights + heads_;
    float* const dw = parameters_.gradients + heads_;
#pragma omp parallel for schedule(static)
    for (int column = 0; column < kHidden; column += kLane) {
      float sums[kHeads][kLane] = {};
      for (int row = 0; row < kBatch; ++row)
        for (int i = 0; i < kLane; ++i) {
          float sum = 0;
          for (int head = 0; head < kHeads; ++head) {
            sum += dhead_[row * kHeads + head] * w[head * kHidden + column + i];
            sums[head][i] += dhead_[row * kHeads + head] * last.y[row * kHidden + column + i];
          }
          last.dy[row * kHidden + column + i] = sum;
        }
      for (int head = 0; head < kHeads; ++head) std::copy_n(sums[head], kLane, dw + head * kHidden + column);
    }
  }

  Parameters parameters_;
  float *x_, *z_ = Allocate(kBatch * kLatent), *dz_ = Allocate(kBatch * kLatent),
             *epsilon_ = Allocate(kBatch * kLatent);
  float *head_ = Allocate(kBatch * kHeads), *dhead_ = Allocate(kBatch * kHeads), *logits_ = Allocate(kBatch * kPixels);
  std::vector<Layer> encoder_, decoder_;
  size_t heads_, heads_bias_, out_, out_bias_;
  Product out_forward_, out_back_, out_weights_;
  std::mt19937 random_{2};
};

}  // namespace

int main() {
  constexpr int kBatches = 64;
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<float> images(size_t{kBatches} * kBatch * kPixels);
  for (float& pixel : images) pixel = uniform(random) < 0.2F ? uniform(random) : 0;
  float* const input = Allocate(kBatch * kPixels);
  Autoencoder model(input);
  size_t next = 0;
  const auto step = [&] {
    std::copy_n(images.data() + next++ % kBatches * kBatch * kPixels, kBatch * kPixels, input);
    model.Step();
  };
  Answer("oneDNN's products", {{"train_ms", [&](double seconds) { return MedianMilliseconds(step, seconds); }}});
}
