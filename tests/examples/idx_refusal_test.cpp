// The idx reader says of every file that is not exactly idx, raw or gzip, what is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "weft/examples/vae/idx.h"
#include "weft/tests/examples/bad_idx_files.h"

namespace weft {
namespace {

using testing::HasSubstr;

using IdxRefusal = IdxFiles;

TEST_F(IdxRefusal, RefusesEveryBadFileInOneSentence) {
  for (const BadIdxFile& file : BadIdxFiles()) {
    const std::filesystem::path path = Write("file", file.bytes);
    const std::string error = ErrorOf([&] {
      if (file.labels) {
        ReadIdxLabels(path);
      } else {
        ReadIdxImages(path);
      }
    });
    EXPECT_EQ(error, file.what + ": " + path.native() + ": " + file.got) << file.name;
  }
}

TEST_F(IdxRefusal, NamesBothChecksums) {
  const Bytes content = TwoImages();
  const auto sum =
      static_cast<std::uint32_t>(crc32(crc32(0, nullptr, 0), content.data(), static_cast<uInt>(content.size())));
  std::array<char, 100> expected{};
  std::snprintf(expected.data(), expected.size(), "got CRC-32 0x%08X of the content, expected 0x%08X as stored", sum,
                sum ^ 0x40);
  const auto path = Write("file", Flip(Gzip(content), -8));
  EXPECT_EQ(ErrorOf([&] { ReadIdxImages(path); }), "gzip checksum mismatch: " + path.native() + ": " + expected.data());
  const auto fields = GzipWithEveryField();
  const auto header = Write("header", Flip(fields, 17));
  EXPECT_THAT(ErrorOf([&] { ReadIdxImages(header); }), HasSubstr("gzip header checksum mismatch: "));
}

TEST_F(IdxRefusal, NeverReadsOtherContentFromDamagedGzip) {
  const Bytes packed = Gzip(TwoImages());
  for (std::size_t count = 0; count < packed.size(); ++count) {
    const auto path = Write("file", First(packed, count));
    EXPECT_NE(ErrorOf([&] { ReadIdxImages(path); }), "no error") << count;
  }
  for (std::size_t position = 0; position < packed.size(); ++position) {
    for (unsigned bit = 0; bit < 8; ++bit) {  // some bits carry nothing: the time, the padding of the last block
      Bytes damaged = packed;
      damaged[position] = static_cast<std::uint8_t>(damaged[position] ^ 1U << bit);
      const auto path = Write("file", damaged);
      Images images;
      if (ErrorOf([&] { images = ReadIdxImages(path); }) == "no error") {
        EXPECT_EQ(images.pixels, ReadIdxImages(Write("good", TwoImages())).pixels) << position << " " << bit;
      }
    }
  }
}

}  // namespace
}  // namespace weft
