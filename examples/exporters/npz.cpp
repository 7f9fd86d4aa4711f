// A zip archive with a "NAME.npy" an array.
#include "weft/exporters/npz.h"

#include <shared_mutex>
#include <vector>

#include <fmt/format.h>

#include "weft/exporters/npy.h"
#include "weft/exporters/zip.h"
#include "weft/graph/error.h"
#include "weft/graph/runtime/file_system.h"

namespace weft {
namespace {

constexpr std::string_view kSuffix = ".npy";

}  // namespace

std::string ToNpz(const NamedTensors& arrays) {
  ZipWriter zip;
  for (const auto& [name, value] : arrays)
    zip.Add(name + std::string(kSuffix), NpyHeader(value.dtype(), value.shape()), value.bytes());
  return std::move(zip).Finish();
}

std::string ToNpz(const VariableStore& store, const Path& scope) {
  const std::shared_lock lock(store.mutex());
  const std::vector<Path> paths = store.Paths(scope);
  if (paths.empty()) throw GraphError(fmt::format("npz: scope '{}': got no variable below it", Escaped(scope.str())));
  ZipWriter zip;
  for (const Path& path : paths) {
    const VariableStore::Entry& entry = *store.Find(path);
    if (!entry.initialised) throw GraphError(fmt::format("npz: variable '{}': got no value yet", Escaped(path.str())));
    const VariableStore::Entry::Reading reading(entry);
    zip.Add(path.str() + std::string(kSuffix), NpyHeader(entry.type().dtype, entry.type().shape), reading.bytes());
  }
  return std::move(zip).Finish();
}

NamedTensors ReadNpz(const std::filesystem::path& path) {
  const FileSystem system;
  const InputFile file(system, path);
  NamedTensors arrays;
  for (const ZipEntry& entry : ReadZipDirectory(file)) {
    if (!entry.name.ends_with(kSuffix)) {
      throw CheckpointError(
          fmt::format("npz: {}: got '{}', expected names that end in .npy", file.name(), Escaped(entry.name, 80)));
    }
    arrays.emplace(entry.name.substr(0, entry.name.size() - kSuffix.size()),
                   ParseNpy(ReadZipEntry(file, entry), fmt::format("{}: {}", file.name(), Escaped(entry.name, 80))));
  }
  return arrays;
}

}  // namespace weft
