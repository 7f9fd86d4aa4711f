// The idx reader: raw and gzip files, splits by name, and files that are not what they seem.
#include "weft/examples/vae/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "weft/tests/examples/idx_files.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Idx = IdxFiles;

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
