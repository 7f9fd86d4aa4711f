// Everything is compared with the network first: names by the map, shapes the way they lie in the file.
#include "weft/examples/vae/import.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/exporters/npz.h"
#include "weft/examples/vae/advice.h"
#include "weft/examples/vae/directory.h"
#include "weft/examples/vae/existing.h"
#include "weft/examples/vae/failure.h"
#include "weft/examples/vae/model_file.h"
#include "weft/examples/vae/name_map.h"
#include "weft/examples/vae/printable.h"
#include "weft/examples/vae/report.h"
#include "weft/graph/error.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/graph/runtime/variable_store.h"

namespace weft {
namespace {

// The state dict of a variational autoencoder of PyTorch modules: encoder.body and decoder.body are sequences of
// (Linear, BatchNorm1d, ReLU), whose Linear.weight is [out, in].
constexpr std::string_view kTorchMap = R"(
encoder.body.{n}.0.weight       = Encoder/FullyConnected{_n}/W transposed
encoder.body.{n}.0.bias         = Encoder/FullyConnected{_n}/b
encoder.body.{n}.1.weight       = Encoder/BatchNormalization{_n}/gamma
encoder.body.{n}.1.bias         = Encoder/BatchNormalization{_n}/beta
encoder.body.{n}.1.running_mean = Encoder/BatchNormalization{_n}/moving_mean
encoder.body.{n}.1.running_var  = Encoder/BatchNormalization{_n}/moving_variance
encoder.mean.weight             = Encoder/Mean/W transposed
encoder.mean.bias               = Encoder/Mean/b
encoder.logvar.weight           = Encoder/LogVariance/W transposed
encoder.logvar.bias             = Encoder/LogVariance/b
decoder.body.{n}.0.weight       = Decoder/FullyConnected{_n}/W transposed
decoder.body.{n}.0.bias         = Decoder/FullyConnected{_n}/b
decoder.body.{n}.1.weight       = Decoder/BatchNormalization{_n}/gamma
decoder.body.{n}.1.bias         = Decoder/BatchNormalization{_n}/beta
decoder.body.{n}.1.running_mean = Decoder/BatchNormalization{_n}/moving_mean
decoder.body.{n}.1.running_var  = Decoder/BatchNormalization{_n}/moving_variance
decoder.out.weight              = Decoder/Logits/W transposed
decoder.out.bias                = Decoder/Logits/b
*.num_batches_tracked           = -
)";

constexpr std::string_view kForeignAdvice =
    "of a PyTorch state dict, safetensors.torch.save_file and numpy.savez write files that can be read";
constexpr uint64_t kMostMapBytes = 1 << 20;

NameMap MapOf(const ImportOptions& options) {
  if (!options.map.empty()) RequireExists(options.map);
  const std::string name = Printable(options.map.native());
  NameMap map = options.map.empty() ? NameMap::Parse(kTorchMap, "of the PyTorch reference")
                                    : NameMap::Parse(ReadWhole(options.map, kMostMapBytes), name);
  for (const std::string& rename : options.renames) {
    const size_t equals = rename.find('=');
    map.Rename(rename.substr(0, equals), rename.substr(equals + 1));
  }
  return map;
}

using Tensors = NamedTensors;

// An npz file is a zip archive; all else must be safetensors.
Tensors ReadTensors(const std::filesystem::path& path) {
  constexpr std::string_view kZip = "PK";
  const FileSystem system;
  const InputFile file(system, path);
  std::string start(std::min<uint64_t>(file.size(), kZip.size()), '\0');
  file.Read(0, std::as_writable_bytes(std::span(start)));
  if (start == kZip) return ReadNpz(path);
  const SafetensorsHeader header = ReadSafetensorsHeader(file);
  Tensors tensors;
  for (const SafetensorsEntry& entry : header.entries)
    tensors.emplace(entry.name.str(), ReadSafetensorsTensor(file, header, entry));
  return tensors;
}

Shape Transposed(const Shape& shape) { return shape.rank() == 2 ? Shape{shape[1], shape[0]} : shape; }

Tensor Transposed(const Tensor& matrix) {
  Tensor result(DType::kFloat32, Transposed(matrix.shape()));
  const auto rows = static_cast<size_t>(matrix.shape()[0].length()),
             columns = static_cast<size_t>(matrix.shape()[1].length());
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column)
      result.values<float>()[column * rows + row] = matrix.values<float>()[row * columns + column];
  }
  return result;
}

// What the file has for the network, by our names, and how many of its tensors nobody wants.
struct Claims {
  struct Claim {
    std::string source;  // the name in the file
    bool is_transposed;
  };
  std::multimap<std::string, Claim> by_name = {};
  int64_t passed_over = 0;

  std::map<std::string, Shape> Shapes(const Tensors& tensors) const {
    std::map<std::string, Shape> shapes;
    for (const auto& [name, claim] : by_name) {
      const Shape& shape = tensors.at(claim.source).shape();
      shapes.emplace(name, claim.is_transposed ? Transposed(shape) : shape);
    }
    return shapes;
  }
};

Claims ClaimsOf(const Tensors& tensors, const NameMap& map) {
  Claims claims;
  for (const auto& [source, tensor] : tensors) {
    const NameMap::Target target = map.Of(source);
    if (target.is_passed_over) ++claims.passed_over;
    else claims.by_name.insert({target.name, {.source = source, .is_transposed = target.is_transposed}});
  }
  return claims;
}

// Sentences about all that does not fit, kind by kind.
class Misfits {
 public:
  Misfits(const Tensors& tensors, const Claims& claims, const NameMap& map, const VariableStore& variables) {
    for (const Path& path : variables.Paths()) {
      if (!claims.by_name.contains(path.str())) Miss(path.str(), variables.Find(path)->type(), map);
    }
    const std::vector<std::string_view> known(missing_sources_.begin(), missing_sources_.end());
    for (auto at = claims.by_name.begin(); at != claims.by_name.end(); ++at) {
      const auto& [name, claim] = *at;
      const TensorType type = tensors.at(claim.source).type();
      const VariableStore::Entry* entry = variables.Find(name);
      if (entry == nullptr) {
        const std::string_view near = NearestSpelling(map.Renamed(claim.source), known);
        unexpected_.push_back(
            fmt::format("{} {}{}", Quoted(claim.source), ToString(type),
                        near.empty() ? "" : fmt::format(" (did you mean {}?)", Quoted(std::string(near)))));
      } else if (claims.by_name.count(name) > 1) {
        mismatched_.push_back(
            fmt::format("{}: got it with others for {}, expected one", Quoted(claim.source), Quoted(name)));
      } else {
        Compare(claim, type, entry->type());
      }
    }
  }

  void RequireNone(const std::filesystem::path& file) const {
    std::string lists;
    for (const auto& [kind, texts] :
         {std::pair("missing", &missing_), {"unexpected", &unexpected_}, {"mismatched", &mismatched_}}) {
      if (!texts->empty())
        lists += fmt::format("{}{} {}: {}", lists.empty() ? "" : "; ", texts->size(), kind, List(*texts));
    }
    if (lists.empty()) return;
    throw CheckpointError(fmt::format("import: {}: {}; nothing was written: --rename A=B or --map gives other names",
                                      Printable(file.native()), lists));
  }

 private:
  static std::string Quoted(const std::string& name) { return fmt::format("'{}'", Escaped(name, 80)); }

  // At most five: a message has an end.
  static std::string List(const std::vector<std::string>& items) {
    constexpr size_t kNamed = 5;
    const auto named = std::span(items).first(std::min(items.size(), kNamed));
    return fmt::format("{}{}", fmt::join(named, ", "),
                       items.size() > kNamed ? fmt::format(" and {} more", items.size() - kNamed) : "");
  }

  void Miss(const std::string& name, TensorType type, const NameMap& map) {
    const NameMap::Target source = map.SourceOf(name);
    if (source.is_transposed) type.shape = Transposed(type.shape);
    missing_.push_back(fmt::format("{} {}{}", Quoted(source.name), ToString(type),
                                   source.name == name ? "" : fmt::format(" for {}", Quoted(name))));
    missing_sources_.push_back(source.name);
  }

  void Compare(const Claims::Claim& claim, const TensorType& got, const TensorType& wanted) {
    const Shape expected = claim.is_transposed ? Transposed(wanted.shape) : wanted.shape;
    if (got.shape == expected && IsFloating(got.dtype)) return;
    mismatched_.push_back(fmt::format("{}: got {}, expected {}", Quoted(claim.source), ToString(got),
                                      ToString(TensorType{.dtype = DType::kFloat32, .shape = expected})));
  }

  std::vector<std::string> missing_, unexpected_, mismatched_;
  std::vector<std::string> missing_sources_;
};

}  // namespace

void ImportCommand(const ImportOptions& options, Output& output) {
  if (options.out.extension() != ".safetensors") {
    throw UsageError(fmt::format("value: --out: got '{}', expected a file name that ends in .safetensors",
                                 Printable(options.out.native())));
  }
  RequireReplaceable(options.out, options.force);
  RequireExists(options.file);
  const NameMap map = MapOf(options);
  const Tensors tensors = WithAdvice(kForeignAdvice, [&] { return ReadTensors(options.file); });
  const Claims claims = ClaimsOf(tensors, map);
  const Model model = MeasuredModel(claims.Shapes(tensors));
  Graph graph;
  BuildVariationalAutoencoder(graph, model.config);
  VariableStore variables(graph);
  Misfits(tensors, claims, map, variables).RequireNone(options.file);

  for (const auto& [name, claim] : claims.by_name) {
    const Tensor value = tensors.at(claim.source).Cast(DType::kFloat32);
    variables.Set(name, claim.is_transposed ? Transposed(value) : value);
  }
  Save(variables, options.out, {.metadata = DescribeModel(model, graph)});
  Note(fmt::format("imported {} variables from {}, {} tensors passed over", claims.by_name.size(),
                   Printable(options.file.native()), claims.passed_over));
  output.Line(WroteText(options.out));
}

}  // namespace weft
