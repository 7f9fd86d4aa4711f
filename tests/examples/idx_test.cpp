// The idx reader accepts exactly the idx format, raw or gzip, and says of everything else what is wrong with it.
#include "weft/examples/vae/idx.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "weft/examples/vae/printable.h"

namespace weft {
namespace {

using Bytes = std::vector<std::uint8_t>;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes First(Bytes bytes, std::size_t count) {
  bytes.resize(count);
  return bytes;
}

Bytes DropLast(const Bytes& bytes, std::size_t count) { return First(bytes, bytes.size() - count); }

/// `position` counts from the end where it is negative.
Bytes Flip(Bytes bytes, std::ptrdiff_t position) {
  const auto at = static_cast<std::size_t>(position < 0 ? std::ssize(bytes) + position : position);
  bytes.at(at) ^= 0x40;
  return bytes;
}

Bytes Header(std::initializer_list<std::uint32_t> words) {
  Bytes bytes;
  for (const std::uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return bytes;
}

/// Two images of 2 × 3 pixels, 28 bytes; and their two labels, 10 bytes.
Bytes TwoImages() { return Header({0x803, 2, 2, 3}) + Bytes{0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255}; }
Bytes TwoLabels() { return Header({0x801, 2}) + Bytes{7, 9}; }

Bytes Gzip(Bytes content, gz_header* header = nullptr) {
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
  packed.resize(packed.size() - zlib.avail_out);
  deflateEnd(&zlib);
  return packed;
}

Bytes GzipWithEveryField() {
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
class Idx : public testing::Test {
 protected:
  Idx() {
    std::string pattern = testing::TempDir() + "idx_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~Idx() override { std::filesystem::remove_all(directory_); }

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
std::string ErrorOf(const std::function<void()>& read) {
  try {
    read();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

struct BadFile {
  std::string name;
  Bytes bytes;
  std::string what;  // the message is WHAT: PATH: got X, expected Y
  std::string got;   // the rest of the message after the path
  bool labels = false;
};

std::vector<BadFile> BadFiles() {
  const Bytes images = TwoImages();
  const Bytes packed = Gzip(images);
  const Bytes pixel = Header({0x803, 1, 1, 1});
  const auto type = [](std::uint32_t code) { return Header({code << 8 | 3, 1, 1, 1}) + Bytes{0}; };
  const auto rank = [](std::uint32_t value) { return Header({0x800 | value, 1, 1, 1}) + Bytes{0}; };
  const auto ends_after = [](std::size_t count) {
    return "got " + std::to_string(count) + " compressed bytes, expected the end of the stream and its checksum";
  };
  const std::string large = ", expected fewer than 1099511627776 elements";
  std::vector<BadFile> files = {
      {"text", {'h', 'e', 'l', 'l', 'o'}, "wrong magic number", "got 0x68656C6C, expected 0x00000803 (images)"},
      {"wrong magic of labels", Header({0x11111111, 0}), "wrong magic number",
       "got 0x11111111, expected 0x00000801 (labels)", true},
      {"little-endian", Header({0x03080000, 1, 1, 1}), "header is little-endian",
       "got 0x03080000, expected big-endian 0x00000803 (images)"},
      {"little-endian labels", Header({0x01080000, 1}), "header is little-endian",
       "got 0x01080000, expected big-endian 0x00000801 (labels)", true},
      {"labels for images", TwoLabels(), "images and labels are swapped",
       "got 0x00000801 (labels), expected 0x00000803 (images)"},
      {"images for labels", images, "images and labels are swapped",
       "got 0x00000803 (images), expected 0x00000801 (labels)", true},
      {"16-bit elements", type(0x0B), "unsupported element type",
       "got 0x0B (16-bit integer) at offset 2, expected 0x08 (unsigned byte)"},
      {"float elements", type(0x0D), "unsupported element type",
       "got 0x0D (32-bit float) at offset 2, expected 0x08 (unsigned byte)"},
      {"unknown elements", type(0xFF), "unsupported element type",
       "got 0xFF at offset 2, expected 0x08 (unsigned byte)"},
      {"no dimension", rank(0), "wrong number of dimensions", "got 0 at offset 3, expected 3 (images)"},
      {"4 dimensions", rank(4), "wrong number of dimensions", "got 4 at offset 3, expected 3 (images)"},
      {"255 dimensions", rank(255), "wrong number of dimensions", "got 255 at offset 3, expected 3 (images)"},
      {"one byte short", DropLast(images, 1), "truncated file", "got 27 bytes, expected 28 by its header"},
      {"no pixels", First(images, 16), "truncated file", "got 16 bytes, expected 28 by its header"},
      {"no labels", First(TwoLabels(), 8), "truncated file", "got 8 bytes, expected 10 by its header", true},
      {"one byte more", images + Bytes{0}, "trailing bytes", "got 1 extra bytes, expected the end of the file at 28"},
      {"zip appended", images + Bytes{'P', 'K', 3, 4, 0}, "trailing bytes",
       "got 5 extra bytes, expected the end of the file at 28"},
      {"2³¹ thrice", Header({0x803, 1U << 31, 1U << 31, 1U << 31}), "dimensions are too large",
       "got 2147483648 × 2147483648 × 2147483648 images" + large},
      {"product wraps to 0", Header({0x803, 1U << 31, 1U << 31, 4}), "dimensions are too large",
       "got 2147483648 × 2147483648 × 4 images" + large},
      {"at the limit", Header({0x803, 1U << 20, 1U << 10, 1U << 10}), "dimensions are too large",
       "got 1048576 × 1024 × 1024 images" + large},
      {"below the limit", Header({0x803, (1U << 20) - 1, 1U << 10, 1U << 10}), "truncated file",
       "got 16 bytes, expected 1099510579216 by its header"},
      {"no images", Header({0x803, 0, 28, 28}), "dataset is empty",
       "got 0 × 28 × 28 images, expected at least one and no zero dimension"},
      {"no rows", Header({0x803, 5, 0, 28}), "dataset is empty",
       "got 5 × 0 × 28 images, expected at least one and no zero dimension"},
      {"no columns, huge", Header({0x803, ~0U, ~0U, 0}), "dataset is empty",
       "got 4294967295 × 4294967295 × 0 images, expected at least one and no zero dimension"},
      {"empty labels", Header({0x801, 0}), "dataset is empty",
       "got 0 labels, expected at least one and no zero dimension", true},
      {"label 10", Header({0x801, 3}) + Bytes{9, 0, 10}, "label out of range", "got 10 at index 2, expected 0 to 9",
       true},
      {"label 255", Header({0x801, 2}) + Bytes{255, 10}, "label out of range", "got 255 at index 0, expected 0 to 9",
       true},
      {"gzip without body", First(packed, 10), "gzip stream ends early", ends_after(10)},
      {"gzip cut in its header", First(packed, 3), "gzip stream ends early", ends_after(3)},
      {"gzip cut in the middle", First(packed, packed.size() / 2), "gzip stream ends early",
       ends_after(packed.size() / 2)},
      {"gzip without trailer", DropLast(packed, 8), "gzip stream ends early", ends_after(packed.size() - 8)},
      {"gzip cut in its trailer", DropLast(packed, 1), "gzip stream ends early", ends_after(packed.size() - 1)},
      {"second member cut", packed + First(Gzip({}), 12), "gzip stream ends early", ends_after(packed.size() + 12)},
      {"gzip method", Flip(packed, 2), "unknown gzip compression method", "got 72 at byte 2, expected 8"},
      {"gzip flags", Flip(packed, 3), "unknown gzip flags", "got 0x40 at byte 3, expected no reserved bit"},
      {"gzip and garbage", packed + Bytes{1, 2, 3}, "garbage after the gzip stream",
       "got 3 extra bytes at byte " + std::to_string(packed.size()) +
           ", expected the end of the file or another gzip member"},
      {"gzip and one byte", packed + Bytes{0x1F}, "garbage after the gzip stream",
       "got 1 extra bytes at byte " + std::to_string(packed.size()) +
           ", expected the end of the file or another gzip member"},
      {"gzip and padding", packed + Bytes(512), "garbage after the gzip stream",
       "got 512 extra bytes at byte " + std::to_string(packed.size()) +
           ", expected the end of the file or another gzip member"},
      {"gzip length", Flip(packed, -4), "gzip length mismatch", "got 28 bytes of content, expected 92 as stored"},
      {"gzip of gzip", Gzip(packed), "wrong magic number", "got 0x1F8B0800, expected 0x00000803 (images)"},
      {"gzip of a short file", Gzip(First(images, 20)), "truncated file", "got 20 bytes, expected 28 by its header"},
      {"gzip of a short header", Gzip(First(images, 9)), "truncated header", "got 9 bytes, expected 16"},
      {"gzip of nothing", Gzip({}), "truncated header", "got 0 bytes, expected 16"},
      {"gzip of trailing bytes", Gzip(images + Bytes{0, 0}), "trailing bytes",
       "got at least 1 extra byte, expected the end of the content at 28"},
      {"gzip bomb", Gzip(pixel + Bytes(std::size_t{1} << 24)), "trailing bytes",
       "got at least 1 extra byte, expected the end of the content at 17"},
      {"bomb in the second member", Gzip(pixel + Bytes{5}) + Gzip(Bytes(std::size_t{1} << 24)), "trailing bytes",
       "got at least 1 extra byte, expected the end of the content at 17"},
      {"gzip of a promise", Gzip(Header({0x803, (1U << 20) - 1, 1U << 10, 1U << 10})), "truncated file",
       "got 16 bytes, expected 1099510579216 by its header"},
  };
  for (std::size_t count = 0; count < 16; ++count) {
    files.push_back({std::to_string(count) + " bytes of images", First(images, count), "truncated header",
                     "got " + std::to_string(count) + " bytes, expected 16"});
  }
  for (std::size_t count = 0; count < 8; ++count) {
    files.push_back({std::to_string(count) + " bytes of labels", First(TwoLabels(), count), "truncated header",
                     "got " + std::to_string(count) + " bytes, expected 8", true});
  }
  return files;
}

TEST_F(Idx, RefusesEveryBadFileInOneSentence) {
  for (const BadFile& file : BadFiles()) {
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

TEST_F(Idx, NamesBothChecksums) {
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

TEST_F(Idx, NeverReadsOtherContentFromDamagedGzip) {
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

TEST_F(Idx, ReadsRawAndGzipAlike) {
  const Bytes content = TwoImages();
  const std::vector<Bytes> forms = {content, Gzip(content), GzipWithEveryField(),
                                    Gzip(First(content, 5)) + Gzip(Bytes(content.begin() + 5, content.end())),
                                    Gzip(content) + Gzip({}) + Gzip({})};
  for (const Bytes& form : forms) {
    const Images images = ReadIdxImages(Write("file", form));
    EXPECT_EQ(images.count, 2);
    EXPECT_EQ(images.rows, 2);
    EXPECT_EQ(images.columns, 3);
    EXPECT_THAT(images.pixels, ElementsAre(0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255));
  }
  EXPECT_THAT(ReadIdxLabels(Write("file", TwoLabels())), ElementsAre(7, 9));
  EXPECT_THAT(ReadIdxLabels(Write("file", Gzip(TwoLabels()))), ElementsAre(7, 9));
}

TEST_F(Idx, ReadsMoreThanOneBufferful) {
  Bytes pixels(5'000'000);
  std::uint32_t state = 1;
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const Bytes content = Header({0x803, 5000, 25, 40}) + pixels;
  EXPECT_EQ(ReadIdxImages(Write("raw", content)).pixels, pixels);
  EXPECT_EQ(ReadIdxImages(Write("packed", Gzip(content))).pixels, pixels);
}

TEST_F(Idx, NamesWhyAFileCannotBeRead) {
  const auto error = [&](const std::filesystem::path& path) { return ErrorOf([&] { ReadIdxImages(path); }); };
  const std::filesystem::path fifo = directory_ / "fifo", loop = directory_ / "loop", absent = directory_ / "absent";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::filesystem::create_symlink("loop", loop);
  EXPECT_EQ(error(absent),
            "cannot open: " + absent.native() + ": got 'No such file or directory', expected a readable file");
  EXPECT_EQ(error(directory_),
            "not a regular file: " + directory_.native() + ": got a directory, expected a regular file");
  EXPECT_EQ(error(fifo), "not a regular file: " + fifo.native() + ": got a FIFO, expected a regular file");
  EXPECT_EQ(error("/dev/zero"), "not a regular file: /dev/zero: got a character device, expected a regular file");
  EXPECT_THAT(error(loop), HasSubstr("got 'Too many levels of symbolic links'"));
}

TEST_F(Idx, NamesMissingPermission) {
  const auto path = Write("file", TwoImages());
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  constexpr uid_t kNobody = 65534;  // the superuser may read everything
  const uid_t user = geteuid();
  ASSERT_EQ(user == 0 ? seteuid(kNobody) : 0, 0);
  const std::string error = ErrorOf([&] { ReadIdxImages(path); });
  ASSERT_EQ(seteuid(user), 0);
  EXPECT_EQ(error, "cannot open: " + path.native() + ": got 'Permission denied', expected a readable file");
}

TEST_F(Idx, NoticesAFileThatChangesWhileItIsRead) {
  for (const bool grows : {false, true}) {
    const auto path = Write("file", Bytes(100));
    const ByteStream stream = OpenFile(path);
    ASSERT_EQ(truncate(path.c_str(), grows ? 200 : 60), 0);
    Bytes target(150);
    EXPECT_EQ(ErrorOf([&] { stream.read(target); }), "file changed while it was read: " + path.native() +
                                                         (grows ? ": got at least 150" : ": got 60") +
                                                         " bytes, expected 100");
  }
}

TEST_F(Idx, ReadsASplitByContentNotByName) {
  for (const bool packed_name : {false, true}) {
    for (const bool packed : {false, true}) {
      const std::string suffix = packed_name ? ".gz" : "";
      const auto images = Write("t10k-images-idx3-ubyte" + suffix, packed ? Gzip(TwoImages()) : TwoImages());
      const auto labels = Write("t10k-labels-idx1-ubyte" + suffix, packed ? Gzip(TwoLabels()) : TwoLabels());
      const LabelledImages split = ReadIdxSplit(directory_, "test");
      EXPECT_EQ(split.images.count, 2);
      EXPECT_THAT(split.labels, ElementsAre(7, 9));
      if (packed_name == packed) {
        EXPECT_THAT(split.notes, IsEmpty());
      } else {
        const std::string note = packed ? ": plain name, gzip content" : ": gzip name, plain content";
        EXPECT_THAT(split.notes, ElementsAre(images.native() + note, labels.native() + note));
      }
      std::filesystem::remove(images);
      std::filesystem::remove(labels);
    }
  }
}

TEST_F(Idx, PrefersThePlainNameAndSaysSo) {
  WriteSplit(TwoImages(), TwoLabels());
  Write("train-labels-idx1-ubyte.gz", {});
  EXPECT_THAT(ReadIdxSplit(directory_, "train").notes,
              ElementsAre((directory_ / "train-labels-idx1-ubyte").native() + ": read; the .gz beside it is not"));
}

TEST_F(Idx, RefusesSplitsThatAreNotWhole) {
  const auto error = [&] { return ErrorOf([&] { ReadIdxSplit(directory_, "train"); }); };
  const std::string images = (directory_ / "train-images-idx3-ubyte").native();
  const std::string labels = (directory_ / "train-labels-idx1-ubyte").native();
  const std::string nothing = ": got nothing of this name, expected it or the same with .gz";
  EXPECT_EQ(error(), "missing file: " + images + nothing);
  Write("train-images-idx3-ubyte", TwoImages());
  EXPECT_EQ(error(), "missing file: " + labels + nothing);
  WriteSplit(TwoImages(), Header({0x801, 3}) + Bytes{1, 2, 3});
  EXPECT_EQ(error(), "images and labels differ in number: " + images + " and " + labels +
                         ": got 2 images and 3 labels, expected one label an image");
  WriteSplit(TwoLabels(), TwoImages());
  EXPECT_THAT(error(), HasSubstr("images and labels are swapped: " + images));
  EXPECT_THROW(ReadIdxSplit(directory_, "validation"), std::invalid_argument);
}

TEST_F(Idx, ComparesTheSizeOfImagesWithTheModel) {
  const Images images = {.count = 1, .rows = 32, .columns = 32, .pixels = Bytes(1024)};
  EXPECT_NO_THROW(RequireImageSize(images, "file", 32, 32, "x"));
  EXPECT_EQ(ErrorOf([&] { RequireImageSize(images, "file", 28, 28, "Input/x"); }),
            "images do not fit the model: file: got 32×32, expected 28×28 at node Input/x");
}

TEST_F(Idx, WritesNamesSafelyIntoMessages) {
  const std::string evil = "\x1b[2J\n" + std::string(5000, 'a');
  const std::string error = ErrorOf([&] { ReadIdxImages(directory_ / evil); });
  EXPECT_THAT(error,
              AllOf(HasSubstr("\\x1b[2J\\x0aaaa"), HasSubstr("…"), Not(HasSubstr("\x1b")), Not(HasSubstr("\n"))));
  EXPECT_LE(error.size(), 2048U);
}

TEST(Printable, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(Printable("plain Größe 数 😀"), "plain Größe 数 😀");
  EXPECT_EQ(Printable("a\tb\x7f\\"), "a\\x09b\\x7f\\x5c");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // the eight-bit form of ESC [
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf"),
            "\\xe0\\x80\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xc0\\xaf");
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(Printable(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(Printable(std::string(201, '\x01')).size(), 803U);
}

TEST_F(Idx, ReadsAllOfMnist) {
  const std::filesystem::path directory = std::filesystem::path(WEFT_SOURCE_DIR) / "examples/data/mnist";
  const LabelledImages test = ReadIdxSplit(directory, "test");
  EXPECT_EQ(test.images.count, 10'000);
  EXPECT_EQ(test.images.rows * test.images.columns, 784);
  EXPECT_THAT(test.notes, IsEmpty());
  EXPECT_EQ(test.labels.front(), 7);  // the first test digit is a seven
  EXPECT_EQ(ReadIdxSplit(directory, "train").images.count, 60'000);
}

}  // namespace
}  // namespace weft
