// Checkpoints: a VariableStore, or a sub-tree of it, written as safetensors; and restoring a part by its path.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "weft/graph/runtime/variable_store.h"

namespace weft {

using Metadata = std::map<std::string, std::string>;

struct SaveOptions {
  Path scope = {};                         // only this sub-tree
  std::vector<std::string> exclude = {};   // globs of paths to leave out
  Metadata metadata = {};
};

// Writes atomically and durably: a temporary file in the same directory, fsync, rename, fsync of the directory.
// Throws std::system_error with the path; the old file is then as it was.
void Save(const VariableStore& store, const std::filesystem::path& file, const SaveOptions& options = {});

struct RestoreOptions {
  Path scope = {};                         // only this sub-tree of the store, matched at '/' boundaries
  std::vector<std::string> include = {};   // globs of store paths; empty: all
  std::map<std::string, std::string> rename = {};  // store path or scope → path or scope in the file
  bool partial = false;                    // variables that the file lacks stay as they are
  bool allow_nonfinite = false;
};

struct RestoreReport {
  std::vector<Path> restored, missing, unexpected;
  Metadata metadata;
};

// Copies every declared variable of the sub-tree from the file: trained or not makes no difference. All or nothing:
// throws CheckpointError listing all missing, unexpected and mismatched variables at once (at most five of each are named),
// NumericError for NaN or infinity; the store is then as it was. Reads only the bytes that it needs.
RestoreReport Restore(const std::filesystem::path& file, const RestoreOptions& options, VariableStore& store);

}  // namespace weft
