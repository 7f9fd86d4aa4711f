// Zip archives: what NumPy's npz needs of them, so no encryption, no zip64, no several disks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class InputFile;

struct ZipEntry {
  std::string name = {};
  uint16_t method = 0;    // 0: stored, 8: deflated
  uint32_t checksum = 0;  // CRC-32 of the content
  uint64_t packed = 0;    // bytes in the file
  uint64_t size = 0;      // bytes of the content
  uint64_t local_at = 0;  // where its own header begins
};

// The directory at the end of the file. Throws CheckpointError "npz: FILE: got X, expected Y" for an archive that is
// damaged, encrypted or of zip64, for a name given twice, and for entries that claim more bytes than there are.
std::vector<ZipEntry> ReadZipDirectory(const InputFile& file);

// The content of one entry, with its checksum compared. Throws CheckpointError.
std::vector<std::byte> ReadZipEntry(const InputFile& file, const ZipEntry& entry);

// Builds an archive of stored entries in memory.
class ZipWriter {
 public:
  // The content is `first` and then `second`. Throws ResourceError above 4 GiB of archive, or above 65,535 entries.
  void Add(std::string_view name, std::string_view first, std::span<const std::byte> second);
  std::string Finish() &&;

 private:
  std::string archive_, directory_;
  size_t entries_ = 0;
};

}  // namespace weft
