// What is written is read again, by anybody who knows the format; damage is found and named.
#include "weft/graph/runtime/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "weft/graph/error.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/crc32c.h"
#include "weft/tests/support/safetensors_bytes.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Content {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
  bool operator==(const Content&) const = default;
};

Content ReadAll(const std::filesystem::path& path, const FileSystem& system = {}) {
  const InputFile file(system, path);
  const SafetensorsHeader header = ReadSafetensorsHeader(file);
  Content content{.metadata = header.metadata, .tensors = {}};
  for (const SafetensorsEntry& entry : header.entries) {
    content.tensors.emplace(entry.name.str(), ReadSafetensorsTensor(file, header, entry));
  }
  return content;
}

Content ReadAllBytes(const TemporaryDirectory& directory, std::string_view bytes) {
  WriteFile(directory / "read", bytes);
  return ReadAll(directory / "read");
}

Content Sample() {
  Content content;
  content.metadata = {{"epoch", "3"}, {"model", "a \"quoted\"\nβ-VAE"}};
  content.tensors.emplace("Encoder/W", Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  content.tensors.emplace("Encoder/β", Tensor::Of<double>({3}, {1e300, -0.0, 3}));
  content.tensors.emplace("Aligned", Tensor(DType::kFloat32, {4, 16}));
  content.tensors.emplace("Step", Tensor::Scalar<int64_t>(43000));
  content.tensors.emplace("Mask", Tensor::Of<bool>({3}, {true, false, true}));
  content.tensors.emplace("Empty", Tensor(DType::kFloat32, {0, 7}));
  return content;
}

void WriteAll(const std::filesystem::path& path, const Content& content) {
  std::vector<SafetensorsItem> items;
  for (const auto& [name, tensor] : content.tensors) items.emplace_back(name, &tensor);
  WriteSafetensors(FileSystem(), path, items, content.metadata);
}

uint64_t HeaderLength(const std::string& bytes) {
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  return length;
}

TEST(Crc32c, HasTheKnownValues) {
  const struct {
    std::string text;
    uint32_t crc;
  } rows[] = {
      {"", 0},
      {"123456789", 0xE3069283},
      {std::string(32, '\0'), 0x8A9136AA},
      {std::string(32, '\xFF'), 0x62A8AB43},
  };
  for (const auto& row : rows) EXPECT_EQ(Crc32c(std::as_bytes(std::span(row.text))), row.crc);
  EXPECT_EQ(Crc32cText(std::string_view("123456789")), "e3069283");
}

TEST(Crc32c, BlocksOfEightEqualSingleBytes) {
  const auto one_by_one = [](std::string_view text) {
    uint32_t crc = 0xFFFFFFFF;
    for (char c : text) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
    }
    return ~crc;
  };
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Crc32c(std::as_bytes(std::span(text))), one_by_one(text));
    text += static_cast<char>(i * 37 + 200);
  }
}

TEST(Safetensors, ReadsWhatItWrote) {
  const TemporaryDirectory directory;
  for (const Content& content : {Sample(), Content()}) {
    WriteAll(directory / "file", content);
    EXPECT_EQ(ReadAll(directory / "file"), content);
  }
}

TEST(Safetensors, EqualContentIsEqualBytes) {
  const TemporaryDirectory directory;
  const Tensor a = Tensor::Scalar(1.0f), b = Tensor::Scalar(2.0f);
  const SafetensorsItem forward[] = {{"A", &a}, {"B", &b}}, backward[] = {{"B", &b}, {"A", &a}};
  WriteSafetensors(FileSystem(), directory / "forward", forward, {});
  WriteSafetensors(FileSystem(), directory / "backward", backward, {});
  EXPECT_EQ(ReadFile(directory / "forward"), ReadFile(directory / "backward"));
}

TEST(Safetensors, DataIsAlignedByOrder) {
  const TemporaryDirectory directory;
  WriteAll(directory / "file", Sample());
  const FileSystem system;
  const InputFile file(system, directory / "file");
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : ReadSafetensorsHeader(file).entries) {
    names.push_back(entry.name.str());
    EXPECT_EQ(entry.begin % SizeOf(entry.dtype), 0u) << names.back();
    EXPECT_TRUE(entry.begin % 64 == 0 || names.size() > 3) << names.back();
  }
  EXPECT_THAT(names, ElementsAre("Aligned", "Empty", "Encoder/β", "Step", "Encoder/W", "Mask"));
  EXPECT_EQ((8 + HeaderLength(ReadFile(directory / "file"))) % 64, 0u);
}

TEST(Safetensors, TheHeaderIsPlainJson) {
  const TemporaryDirectory directory;
  const Tensor w = Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const SafetensorsItem items[] = {{"W", &w}};
  WriteSafetensors(FileSystem(), directory / "file", items, {{"epoch", "3"}});
  const std::string bytes = ReadFile(directory / "file");
  EXPECT_THAT(
      bytes.substr(8, HeaderLength(bytes)),
      testing::MatchesRegex(
          R"re(\{"__metadata__":\{"crc32c":"\{\\"W\\":\\"[0-9a-f]{8}\\"\}","crc32c_metadata":"[0-9a-f]{8}","epoch":"3"\},)re"
          R"re("W":\{"dtype":"F32","shape":\[2,3\],"data_offsets":\[0,24\]\}\} *)re"));
  EXPECT_EQ(bytes.substr(8 + HeaderLength(bytes)), std::string(reinterpret_cast<const char*>(w.bytes().data()), 24));
}

TEST(Safetensors, AcceptsWhatTheFormatAllows) {
  const TemporaryDirectory directory;
  const struct {
    std::string bytes;
    std::vector<std::string> names;
  } rows[] = {
      {SafetensorsBytes("{}", ""), {}},
      {SafetensorsBytes("{}     ", ""), {}},
      {SafetensorsBytes("{\"__metadata__\":{}}", ""), {}},
      {ZerosFile({TensorJson("A", "[2]", "[0,8]")}, 8), {"A"}},
      {ZerosFile({TensorJson("A", "[]", "[0,4]")}, 4), {"A"}},
      {ZerosFile({TensorJson("A", "[1,1,1,1,1,1]", "[0,4]")}, 4), {"A"}},
      {ZerosFile({TensorJson("A", "[0,1099511627776]", "[0,0]")}, 0), {"A"}},
      {ZerosFile({TensorJson("B", "[1]", "[8,12]"), TensorJson("A", "[2]", "[0,8]")}, 12), {"A", "B"}},
      {ZerosFile({TensorJson("A", "[2]", "[0,8]"), TensorJson("Z", "[0]", "[8,8]"), TensorJson("B", "[1]", "[8,12]")},
                 12),
       {"A", "B", "Z"}},
      {ZerosFile({TensorJson("Z", "[0]", "[0,0]"), TensorJson("A", "[2]", "[0,8]")}, 8), {"A", "Z"}},
      {ZerosFile({TensorJson("\\u0041\\u00e9\\ud83d\\ude00", "[2]", "[0,8]")}, 8), {"Aé😀"}},
      {ZerosFile({TensorJson("../../etc/passwd", "[2]", "[0,8]")}, 8), {"../../etc/passwd"}},  // a name, never a path
      {SafetensorsBytes("{ \"A\" :\n{ \"data_offsets\":[0 , 8],\t\"shape\":[1],\"dtype\":\"F64\"} }",
                        std::string(8, '\0')),
       {"A"}},
  };
  for (const auto& row : rows) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : ReadAllBytes(directory, row.bytes).tensors) names.push_back(name);
    EXPECT_EQ(names, row.names);
  }
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const TemporaryDirectory directory;
  WriteAll(directory / "file", Sample());
  for (uint64_t length = ReadFile(directory / "file").size(); length-- > 0;) {
    std::filesystem::resize_file(directory / "file", length);
    EXPECT_NE(Thrown<CheckpointError>([&] { ReadAll(directory / "file"); }), "nothing was thrown") << length;
  }
}

TEST(Safetensors, BytesBehindTheLastTensorAreRefused) {
  const TemporaryDirectory directory;
  WriteAll(directory / "file", Sample());
  const std::string longer = ReadFile(directory / "file") + "xyz";
  EXPECT_THAT(Thrown<CheckpointError>([&] { ReadAllBytes(directory, longer); }),
              HasSubstr("got 3 bytes behind the last tensor, expected none"));
}

// A file of which one bit at a time is read wrong.
class Damaged {
 public:
  Damaged() {
    WriteAll(directory_ / "file", Sample());
    bytes_ = ReadFile(directory_ / "file");
    system_.read = [this](int, std::span<std::byte> to, uint64_t offset) {
      std::memcpy(to.data(), bytes_.data() + offset, to.size());
      return static_cast<int64_t>(to.size());
    };
  }

  const std::string& bytes() const { return bytes_; }
  InputFile Open() const { return InputFile(system_, directory_ / "file"); }
  Content ReadWithFlipped(size_t bit) {
    const auto flip = [&] { bytes_[bit / 8] = static_cast<char>(bytes_[bit / 8] ^ (1 << bit % 8)); };
    flip();
    try {
      Verify(directory_ / "file", &system_);
      Content content = ReadAll(directory_ / "file", system_);
      flip();
      return content;
    } catch (...) {
      flip();
      throw;
    }
  }

 private:
  TemporaryDirectory directory_;
  std::string bytes_;
  FileSystem system_;
};

TEST(Safetensors, AFlippedHeaderBitIsRefusedOrChangesNothing) {
  Damaged file;
  const Content expected = Sample();
  size_t refused = 0, bit = 0;
  for (; bit < 8 * (8 + HeaderLength(file.bytes())); ++bit) {
    try {
      EXPECT_EQ(file.ReadWithFlipped(bit), expected) << bit;
    } catch (const CheckpointError&) {
      ++refused;
    }
  }
  EXPECT_EQ(refused, bit);  // as it happens, all of them
}

TEST(Safetensors, AFlippedDataBitIsRefusedAndNamesItsTensor) {
  Damaged file;
  const auto header = ReadSafetensorsHeader(file.Open());
  for (const SafetensorsEntry& entry : header.entries) {
    for (size_t bit = 8 * entry.begin; bit < 8 * entry.end; ++bit) {
      EXPECT_THAT(Thrown<CheckpointError>([&] { file.ReadWithFlipped(bit); }),
                  HasSubstr("checksum of tensor '" + entry.name.str() + "': "))
          << bit;
    }
  }
}

TEST(Safetensors, SwappedTensorsAreNoticed) {
  const TemporaryDirectory directory;
  const Tensor a = Tensor::Scalar(1.0f), b = Tensor::Scalar(2.0f);
  const SafetensorsItem items[] = {{"A", &a}, {"B", &b}};
  WriteSafetensors(FileSystem(), directory / "file", items, {});
  std::string bytes = ReadFile(directory / "file");
  std::swap_ranges(bytes.end() - 8, bytes.end() - 4, bytes.end() - 4);
  EXPECT_THAT(Thrown<CheckpointError>([&] { ReadAllBytes(directory, bytes); }),
              testing::MatchesRegex("checksum of tensor 'A': .*/read: got [0-9a-f]{8}, expected [0-9a-f]{8}: .*"));
}

TEST(Safetensors, WritingRefusesWhatCouldNotBeRead) {
  const TemporaryDirectory directory;
  const Tensor scalar = Tensor::Scalar(1.0f);
  const auto error = [&](std::vector<SafetensorsItem> items, const std::map<std::string, std::string>& metadata) {
    return Thrown<Error>([&] { WriteSafetensors(FileSystem(), directory / "file", items, metadata); });
  };
  EXPECT_THAT(error({{"A", &scalar}, {"A", &scalar}}, {}), HasSubstr("'A': is given twice"));
  EXPECT_THAT(error({{"__metadata__", &scalar}}, {}), HasSubstr("is reserved"));
  EXPECT_THAT(error({{Path(), &scalar}}, {}), HasSubstr("is empty"));
  EXPECT_THAT(error({{"A\xFF", &scalar}}, {}), HasSubstr("'A\\xff': is not UTF-8"));
  EXPECT_THAT(error({}, {{"key", "\xFF"}}), HasSubstr("is not UTF-8"));
  EXPECT_THAT(error({}, {{"crc32c", ""}}), HasSubstr("metadata 'crc32c': the key is reserved"));
  EXPECT_THAT(directory.Names(), IsEmpty());
}

}  // namespace
}  // namespace weft
