// Which variable goes where: scopes, renaming, and all that can be wrong with a file, said at once.
#include "weft/graph/runtime/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/graph/runtime/safetensors.h"

namespace weft {
namespace {

constexpr std::string_view kFormatKey = "weft_format";
constexpr std::string_view kFormat = "1";
constexpr size_t kNamed = 5;  // of each list in a message

const FileSystem& Chosen(const FileSystem* given, const FileSystem& own) { return given != nullptr ? *given : own; }

std::string Quoted(const Path& path) { return fmt::format("'{}'", Escaped(path.str(), 80)); }

// "'A', 'B' and 3 more"
std::string List(const std::vector<std::string>& items) {
  const auto named = std::span(items).first(std::min(items.size(), kNamed));
  const std::string text = fmt::format("{}", fmt::join(named, ", "));
  return items.size() > kNamed ? fmt::format("{} and {} more", text, items.size() - kNamed) : text;
}

bool MatchesAny(const std::vector<std::string>& globs, const Path& path) {
  return std::ranges::any_of(globs, [&path](const std::string& glob) { return MatchesGlob(glob, path.str()); });
}

// The paths of the store below `scope`; an empty list under a name is a misspelt name.
std::vector<Path> PathsIn(const VariableStore& store, const Path& scope) {
  std::vector<Path> paths = store.Paths(scope);
  if (!paths.empty() || scope.is_root()) return paths;
  std::set<std::string> scopes;
  for (const Path& path : store.Paths()) {
    for (Path above = path; !above.is_root(); above = above.parent()) scopes.insert(above.str());
  }
  const std::vector<std::string_view> known(scopes.begin(), scopes.end());
  throw GraphError(fmt::format("scope {}: no variable is below it{}", Quoted(scope), DidYouMean(scope.str(), known)));
}

template <class T>
void RequireFinite(const Path& path, std::span<const std::byte> bytes) {
  const std::span values(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  const auto bad = std::ranges::find_if(values, [](T value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  throw NumericError(fmt::format("variable {}: got {} at index {}, expected a finite number", Quoted(path), *bad,
                                 bad - values.begin()));
}

void RequireFinite(const Path& path, DType dtype, std::span<const std::byte> bytes) {
  if (dtype == DType::kFloat32) RequireFinite<float>(path, bytes);
  if (dtype == DType::kFloat64) RequireFinite<double>(path, bytes);
}

SafetensorsHeader ReadHeader(const InputFile& file, uint64_t max_bytes = SafetensorsLimits::kDefaultHeaderBytes) {
  SafetensorsHeader header = ReadSafetensorsHeader(file, max_bytes);
  if (const auto format = header.metadata.find(std::string(kFormatKey)); format != header.metadata.end()) {
    if (format->second != kFormat) {
      throw CheckpointError(fmt::format("format version: {}: got {}, expected {}: it was written by another version",
                                        file.name(), Escaped(format->second, 40), kFormat));
    }
    header.metadata.erase(format);
  }
  return header;
}

// ---- Restore -------------------------------------------------------------------------------------------------------

struct Renaming {
  Path store, file;
};

// `path` moved from below `from` to below `to`.
Path Moved(const Path& path, const Path& from, const Path& to) {
  if (path == from) return to;
  return to / Path(std::string_view(path.str()).substr(from.is_root() ? 0 : from.str().size() + 1));
}

// The path that the longest matching rule makes of `path`; the path itself if none matches.
Path Renamed(const Path& path, std::span<const Renaming> renamings, Path Renaming::*from, Path Renaming::*to) {
  const Renaming* longest = nullptr;
  for (const Renaming& renaming : renamings) {
    if (path.IsWithin(renaming.*from) && (longest == nullptr || (renaming.*from).IsWithin(longest->*from))) {
      longest = &renaming;
    }
  }
  return longest == nullptr ? path : Moved(path, longest->*from, longest->*to);
}

std::vector<Renaming> Renamings(const RestoreOptions& options) {
  const auto path = [](const std::string& text) { return text.empty() ? Path() : Path(text); };
  std::vector<Renaming> renamings;
  for (const auto& [store, file] : options.rename) renamings.push_back({.store = path(store), .file = path(file)});
  return renamings;
}

// What is to be read, and all that stands against it.
struct RestorePlan {
  std::vector<std::pair<Path, const SafetensorsEntry*>> reads = {};
  std::vector<Path> missing = {}, unexpected = {};
  std::vector<std::string> missing_texts = {}, unexpected_texts = {}, mismatched_texts = {};
};

std::string Described(const Path& path, DType dtype, const Shape& shape) {
  return fmt::format("{} {}", Quoted(path), ToString(TensorType{.dtype = dtype, .shape = shape}));
}

bool IsIncluded(const RestoreOptions& options, const Path& path) {
  return options.include.empty() || MatchesAny(options.include, path);
}

// Pairs the variables of the store with the entries of the file; returns the entries that belong to a variable.
std::set<const SafetensorsEntry*> PlanReads(const SafetensorsHeader& header, const RestoreOptions& options,
                                            std::span<const Renaming> renamings, const VariableStore& store,
                                            RestorePlan& plan) {
  std::map<std::string_view, const SafetensorsEntry*> entries;
  for (const SafetensorsEntry& entry : header.entries) entries.emplace(entry.name.str(), &entry);
  std::set<const SafetensorsEntry*> claimed;
  bool is_any_included = options.include.empty();
  for (const Path& path : PathsIn(store, options.scope)) {
    const TensorType& type = store.Find(path)->type();
    const auto found = entries.find(Renamed(path, renamings, &Renaming::store, &Renaming::file).str());
    if (found != entries.end()) claimed.insert(found->second);
    if (!IsIncluded(options, path)) continue;
    is_any_included = true;
    if (found == entries.end()) {
      plan.missing.push_back(path);
      plan.missing_texts.push_back(Described(path, type.dtype, type.shape));
    } else if (const SafetensorsEntry& entry = *found->second; entry.dtype != type.dtype || entry.shape != type.shape) {
      plan.mismatched_texts.push_back(fmt::format("{}: got {}, expected {}", Quoted(path),
                                                  ToString(TensorType{.dtype = entry.dtype, .shape = entry.shape}),
                                                  ToString(type)));
    } else {
      plan.reads.emplace_back(path, found->second);
    }
  }
  if (!is_any_included) {
    throw GraphError(fmt::format("include '{}': no variable matches",
                                 Escaped(fmt::format("{}", fmt::join(options.include, "', '")))));
  }
  return claimed;
}

RestorePlan PlanRestore(const SafetensorsHeader& header, const RestoreOptions& options, const VariableStore& store) {
  const std::vector<Renaming> renamings = Renamings(options);
  RestorePlan plan;
  const std::set<const SafetensorsEntry*> claimed = PlanReads(header, options, renamings, store, plan);

  // Where in the file the scope may lie, and what lies there for no variable.
  std::vector<Path> scopes = {Renamed(options.scope, renamings, &Renaming::store, &Renaming::file)};
  for (const Renaming& renaming : renamings) {
    if (renaming.store.IsWithin(options.scope)) scopes.push_back(renaming.file);
  }
  for (const SafetensorsEntry& entry : header.entries) {
    const bool in_scope =
        std::ranges::any_of(scopes, [&entry](const Path& scope) { return entry.name.IsWithin(scope); });
    if (!in_scope || claimed.contains(&entry) ||
        !IsIncluded(options, Renamed(entry.name, renamings, &Renaming::file, &Renaming::store)))
      continue;
    plan.unexpected.push_back(entry.name);
    plan.unexpected_texts.push_back(Described(entry.name, entry.dtype, entry.shape));
  }
  return plan;
}

void RequireComplete(const RestorePlan& plan, const RestoreOptions& options, const std::string& file) {
  if (plan.mismatched_texts.empty() && (options.partial || (plan.missing.empty() && plan.unexpected.empty()))) return;
  std::string message = options.scope.is_root() ? "restore" : fmt::format("restore of {}", Quoted(options.scope));
  message += fmt::format(": {}", file);
  std::string_view separator = ": ";
  for (const auto& [kind, texts] : {std::pair("missing", &plan.missing_texts),
                                    {"unexpected", &plan.unexpected_texts},
                                    {"mismatched", &plan.mismatched_texts}}) {
    if (texts->empty()) continue;
    message += fmt::format("{}{} {}: {}", separator, texts->size(), kind, List(*texts));
    separator = "; ";
  }
  throw CheckpointError(message + "; nothing was restored");
}

}  // namespace

void Save(const VariableStore& store, const std::filesystem::path& file, const SaveOptions& options) {
  const std::shared_lock lock(store.mutex());
  std::vector<SafetensorsItem> items;
  std::optional<VariableStore::Entry::Reading> reading;  // one at a time: no second copy of all variables
  std::vector<std::string> without_value;
  for (const Path& path : PathsIn(store, options.scope)) {
    if (MatchesAny(options.exclude, path)) continue;
    const VariableStore::Entry& entry = *store.Find(path);
    if (!entry.initialised) without_value.push_back(Quoted(path));
    items.emplace_back(path, entry.type(), [&reading, &entry] { return reading.emplace(entry).bytes(); });
  }
  if (!without_value.empty()) {
    throw GraphError(fmt::format("save: {}: got no value yet for {}: {}", Escaped(file.string(), 400),
                                 without_value.size(), List(without_value)));
  }
  if (!options.allow_nonfinite) {
    for (const SafetensorsItem& item : items) RequireFinite(item.name, item.type.dtype, item.bytes());
  }
  Metadata metadata = options.metadata;
  if (!metadata.emplace(kFormatKey, kFormat).second) {
    throw GraphError(fmt::format("metadata '{}': the key is reserved", kFormatKey));
  }
  const FileSystem own;
  WriteSafetensors(Chosen(options.file_system, own), file, items, metadata, options.max_header_bytes);
}

RestoreReport Restore(const std::filesystem::path& file, const RestoreOptions& options, VariableStore& store) {
  const FileSystem own;
  const InputFile input(Chosen(options.file_system, own), file);
  SafetensorsHeader header = ReadHeader(input, options.max_header_bytes);
  const RestorePlan plan = PlanRestore(header, options, store);
  RequireComplete(plan, options, input.name());

  std::vector<Tensor> values;
  for (const auto& [path, entry] : plan.reads) {
    values.push_back(ReadSafetensorsTensor(input, header, *entry));
    if (!options.allow_nonfinite) RequireFinite(path, entry->dtype, values.back().bytes());
  }
  RestoreReport report{
      .restored = {}, .missing = plan.missing, .unexpected = plan.unexpected, .metadata = std::move(header.metadata)};
  for (const auto& [path, entry] : plan.reads) report.restored.push_back(path);

  const std::unique_lock lock(store.mutex());  // nothing below throws
  for (size_t i = 0; i < values.size(); ++i) {
    VariableStore::Entry& entry = *store.Find(plan.reads[i].first);
    entry.Set(std::move(values[i]));
    entry.initialised = true;
  }
  return report;
}

namespace {

CheckpointSummary Summarize(const InputFile& input, SafetensorsHeader header) {
  CheckpointSummary summary;
  for (const SafetensorsEntry& entry : header.entries) {
    summary.variables.push_back({.path = entry.name,
                                 .dtype = entry.dtype,
                                 .shape = entry.shape,
                                 .bytes = static_cast<int64_t>(entry.end - entry.begin)});
  }
  std::ranges::sort(summary.variables, {}, &CheckpointSummary::Variable::path);
  summary.metadata = std::move(header.metadata);
  summary.file_bytes = static_cast<int64_t>(input.size());
  summary.fingerprint = std::move(header.fingerprint);
  return summary;
}

}  // namespace

CheckpointSummary Inspect(const std::filesystem::path& file, const FileSystem* file_system) {
  const FileSystem own;
  const InputFile input(Chosen(file_system, own), file);
  return Summarize(input, ReadHeader(input));
}

CheckpointSummary Verify(const std::filesystem::path& file, const FileSystem* file_system) {
  const FileSystem own;
  const InputFile input(Chosen(file_system, own), file);
  SafetensorsHeader header = ReadHeader(input);
  std::map<std::string, std::string> missing = header.checksums;
  for (const SafetensorsEntry& entry : header.entries) {
    ReadSafetensorsTensor(input, header, entry);
    missing.erase(entry.name.str());
  }
  if (!missing.empty()) {
    throw CheckpointError(fmt::format("tensor '{}': {}: got a checksum of it only, expected the tensor, too",
                                      Escaped(missing.begin()->first, 80), input.name()));
  }
  return Summarize(input, std::move(header));
}

}  // namespace weft
