// Where the tool may write: nothing that existed is lost. And small files, as a whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace weft {

// Throws OutputError naming the first file found if `directory` is there and not empty.
void RequireEmpty(const std::filesystem::path& directory);

// Makes `directory` if it is missing; it may be there already only if it is empty. Its parent must exist. Throws
// OutputError, or std::system_error; then nothing was created.
void MakeEmptyDirectory(const std::filesystem::path& directory);

// Makes `directory` if it is missing. Its parent must exist. Throws OutputError.
void MakeDirectory(const std::filesystem::path& directory);

// Throws OutputError if there is something at `file`, unless it may be replaced and is a regular file or a link.
void RequireReplaceable(const std::filesystem::path& file, bool force);

// The content of a regular file of at most `most` bytes. Throws CheckpointError for a larger one, std::system_error if
// it cannot be read.
std::string ReadWhole(const std::filesystem::path& file, uint64_t most);

// Writes the whole file under another name first, then renames it. Throws std::system_error.
void WriteWhole(const std::filesystem::path& file, std::string_view content);

}  // namespace weft
