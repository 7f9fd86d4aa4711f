// Bytes that arrive in order from a file; gzip content is inflated on the way.
//
//   ByteStream stream = OpenFile("train-images-idx3-ubyte.gz");
//   std::array<std::uint8_t, 16> header;
//   std::size_t got = stream.read(header);   // fewer than 16: the file ends here
//
// Files are read(), never mapped: a mapped file that another process shortens ends the program by SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace weft {

/// A file of examples is missing, unreadable or damaged. The text is `WHAT: PATH: got X, expected Y`, at most 2 KiB.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ByteStream {
  std::string name;                   ///< for messages: printable, of limited length
  bool gzip = false;                  ///< the content is a gzip file and is inflated while it is read
  std::optional<std::uint64_t> size;  ///< bytes in all; absent where only reading to the end can tell (gzip)
  /// Fills the span from where the last call ended and returns the number of bytes; fewer only at the end.
  /// Throws DataError when the file cannot be read, changed after it was opened, or is a damaged gzip file.
  std::function<std::size_t(std::span<std::uint8_t>)> read = {};
};

/// Opens a regular file, following symbolic links. Whether it is gzip is decided by its first two bytes, not by its
/// name. Throws DataError for anything that is not a readable regular file; a FIFO is refused without waiting.
ByteStream OpenFile(const std::filesystem::path& path);

}  // namespace weft
