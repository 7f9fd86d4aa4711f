// Files in the idx format to test with: whole, packed, damaged.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "weft/examples/vae/byte_stream.h"

namespace weft {

using Bytes = std::vector<std::uint8_t>;
inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes First(Bytes bytes, std::size_t count) {
  bytes.resize(count);
  return bytes;
}

inline Bytes DropLast(const Bytes& bytes, std::size_t count) { return First(bytes, bytes.size() - count); }

/// `position` counts from the end where it is negative.
inline Bytes Flip(Bytes bytes, std::ptrdiff_t position) {
  const auto at = static_cast<std::size_t>(position < 0 ? std::ssize(bytes) + position : position);
  bytes.at(at) ^= 0x40;
  return bytes;
}

inline Bytes Header(std::initializer_list<std::uint32_t> words) {
  Bytes bytes;
  for (const std::uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return bytes;
}

/// Two images of 2 × 3 pixels, 28 bytes; and their two labels, 10 bytes.
inline Bytes TwoImages() { return Header({0x803, 2, 2, 3}) + Bytes{0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255}; }
inline Bytes TwoLabels() { return Header({0x801, 2}) + Bytes{7, 9}; }

inline Bytes Gzip(Bytes content, gz_header* header = nullptr) {
  z_stream zlib{};
  EXPECT_EQ(deflateInit2(&zlib, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  if (header != nullptr) {
    EXPECT_EQ(deflateSetHeader(&zlib, header), Z_OK);
  }
  Bytes packed(deflateBound(&zlib, content.size()) + 100);
  zlib.next_in = content.data();
  zlib.avail_in = static_cast<uInt>(content.size());
  zlib.next_out = packed.data();
  zlib.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
  packed.resize(zlib.total_out);
  deflateEnd(&zlib);
  return packed;
}

inline Bytes GzipWithEveryField() {
  Bytes extra = {1, 2, 3, 4};
  std::string name = "file", comment = "remark";
  gz_header header{};
  header.extra = extra.data();
  header.extra_len = static_cast<uInt>(extra.size());
  header.name = reinterpret_cast<Bytef*>(name.data());
  header.comment = reinterpret_cast<Bytef*>(comment.data());
  header.hcrc = 1;
  return Gzip(TwoImages(), &header);
}

/// A directory of its own for each test, gone afterwards.
class IdxFiles : public testing::Test {
 protected:
  IdxFiles() {
    std::string pattern = testing::TempDir() + "idx_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~IdxFiles() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path Write(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path path = directory_ / name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  void WriteSplit(const Bytes& images, const Bytes& labels) const {
    Write("train-images-idx3-ubyte", images);
    Write("train-labels-idx1-ubyte", labels);
  }

  std::filesystem::path directory_;
};

/// The text of the DataError that `read` throws.
inline std::string ErrorOf(const std::function<void()>& read) {
  try {
    read();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace weft
