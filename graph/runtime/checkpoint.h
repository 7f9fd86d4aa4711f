// Checkpoints: a VariableStore, or a sub-tree of it, written as safetensors; and restoring a part by its path.
//
//   Save(variables, "model.safetensors", {.metadata = {{"epoch", "3"}}});
//   Restore("model.safetensors", {.scope = "Decoder"}, variables);
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "weft/graph/runtime/variable_store.h"

namespace weft {

struct FileSystem;

using Metadata = std::map<std::string, std::string>;

struct SaveOptions {
  Path scope = {};                        // only this sub-tree
  std::vector<std::string> exclude = {};  // globs of paths to leave out
  // UTF-8, together at most 1 MiB; the keys crc32c, crc32c_metadata and weft_format are taken.
  Metadata metadata = {};
  bool allow_nonfinite = false;
  // 16 MiB hold the names of some 100,000 variables; at most 100,000,000 are possible. Restore must then allow as many.
  uint64_t max_header_bytes = uint64_t{1} << 24;
  const FileSystem* file_system = nullptr;  // nullptr: the machine's own
};

// Writes atomically and durably: a temporary file in the same directory, fsync, rename, fsync of the directory. Holds
// the store's mutex shared. Throws GraphError naming variables without a value, or for a scope without variables;
// NumericError for NaN or infinity; ResourceError beyond the limits of the format; std::system_error with the path: the
// old file is then as it was.
void Save(const VariableStore& store, const std::filesystem::path& file, const SaveOptions& options = {});

struct RestoreOptions {
  Path scope = {};                        // only this sub-tree of the store, matched at '/' boundaries
  std::vector<std::string> include = {};  // globs of store paths; empty: all
  // Store path or scope → path or scope in the file; the longest one holds. "" is the root.
  std::map<std::string, std::string> rename = {};
  bool partial = false;  // variables that the file lacks stay as they are, others in the file are passed over
  bool allow_nonfinite = false;
  uint64_t max_header_bytes = uint64_t{1} << 24;  // a file that asks for more memory than that is refused
  const FileSystem* file_system = nullptr;        // nullptr: the machine's own
};

struct RestoreReport {
  std::vector<Path> restored, missing;  // paths of the store
  std::vector<Path> unexpected;         // paths of the file
  Metadata metadata;
};

// Copies every declared variable of the sub-tree from the file: trained or not makes no difference. All or nothing:
// throws CheckpointError listing all missing, unexpected and mismatched variables at once (at most five of each are
// named), NumericError for NaN or infinity; the store is then as it was. Throws GraphError for a scope without
// variables. Reads only the bytes that it needs, into memory of their own first; holds the store's mutex alone only to
// copy them in.
RestoreReport Restore(const std::filesystem::path& file, const RestoreOptions& options, VariableStore& store);

struct CheckpointSummary {
  struct Variable {
    Path path;
    DType dtype;
    Shape shape;
    int64_t bytes;
  };
  std::vector<Variable> variables;  // by path
  Metadata metadata;
  int64_t file_bytes = 0;
  std::string fingerprint;  // changes with every bit of the content; empty for files from elsewhere
};

// What is in the file, without reading its data. Throws CheckpointError for a file that breaks a rule of the format.
CheckpointSummary Inspect(const std::filesystem::path& file, const FileSystem* file_system = nullptr);

// The same, having read everything and compared all checksums: every flipped bit is found. Throws CheckpointError also
// for a tensor that has a checksum and is missing.
CheckpointSummary Verify(const std::filesystem::path& file, const FileSystem* file_system = nullptr);

}  // namespace weft
