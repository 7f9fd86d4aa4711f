// The golden values that a make_golden.py wrote, by name, and how far a tensor is from one.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "weft/graph/runtime/safetensors.h"

namespace weft {

// `folder` is that of the tests: models or ops.
inline std::filesystem::path GoldenPath(const std::string& name, const std::string& folder = "models") {
  return std::filesystem::path(WEFT_SOURCE_DIR) / "tests" / folder / "golden" / name;
}

class GoldenFile {
 public:
  explicit GoldenFile(const std::string& folder = "models") {
    const FileSystem system;
    const InputFile file(system, GoldenPath("golden.safetensors", folder));
    const SafetensorsHeader header = ReadSafetensorsHeader(file);
    metadata_ = header.metadata;
    for (const SafetensorsEntry& entry : header.entries) {
      tensors_.emplace(entry.name.str(), ReadSafetensorsTensor(file, header, entry));
    }
  }

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  const Tensor& operator[](const std::string& name) const { return tensors_.at(name); }
  double Scalar(const std::string& name) const { return tensors_.at(name).Cast(DType::kFloat64).values<double>()[0]; }
  // All below `scope`, by what follows it.
  std::map<std::string, Tensor> Within(const std::string& scope) const {
    std::map<std::string, Tensor> found;
    for (const auto& [name, tensor] : tensors_) {
      if (name.starts_with(scope + "/")) found.emplace(name.substr(scope.size() + 1), tensor);
    }
    return found;
  }

 private:
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Tensor> tensors_;
};

// The largest |got − expected|, divided by the largest |expected| or by `floor`; infinite for other shapes.
inline double RelativeError(const Tensor& got, const Tensor& expected, double floor = 1e-6) {
  if (got.shape() != expected.shape()) return INFINITY;
  const Tensor a = got.Cast(DType::kFloat64), b = expected.Cast(DType::kFloat64);
  double error = 0, largest = floor;
  for (size_t i = 0; i < b.values<double>().size(); ++i) {
    const double difference = std::abs(a.values<double>()[i] - b.values<double>()[i]);
    error = std::isfinite(difference) ? std::max(error, difference) : INFINITY;
    largest = std::max(largest, std::abs(b.values<double>()[i]));
  }
  return error / largest;
}

}  // namespace weft
