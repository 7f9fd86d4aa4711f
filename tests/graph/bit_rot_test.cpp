// A checkpoint of 4 KiB whose bytes changed on the disk: each change is refused, with the name of the file and, in the
// data, of the tensor.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "weft/graph/error.h"
#include "weft/graph/runtime/checkpoint.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class BitRot : public testing::Test {
 protected:
  BitRot() {
    std::vector<float> numbers(512);
    std::iota(numbers.begin(), numbers.end(), 0.5f);
    store_.Set("Encoder/W", Tensor::Of<float>({32, 16}, numbers));
    std::ranges::reverse(numbers);
    store_.Set("Decoder/W", Tensor::Of<float>({32, 16}, numbers));
    store_.Set("Decoder/b", Tensor::Of<double>({3}, {1, -0.0, 1e300}));
    store_.Set("Training/Step", Tensor::Scalar<int64_t>(43000));
    store_.Set("Training/Mask", Tensor::Of<bool>({5}, {true, false, true, true, false}));
    Save(store_, file_, {.metadata = {{"epoch", "100"}, {"model", "variational autoencoder"}}});
    bytes_ = ReadFile(file_);
    header_ = ReadSafetensorsHeader(InputFile(FileSystem(), file_));
    descriptor_ = open(file_.c_str(), O_RDWR);
  }
  ~BitRot() override { close(descriptor_); }

  // Replaces the bytes on the disk, not the file.
  void Write(std::string_view bytes, size_t at = 0) const {
    ASSERT_EQ(pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
  }
  // `change` is done to the bytes from `at` on, looked at, and undone.
  template <class Look>
  void WithChanged(size_t at, const std::string& changed, const Look& look) const {
    Write(changed, at);
    look(Refusal());
    Write(std::string_view(bytes_).substr(at, changed.size()), at);
  }
  char Flipped(size_t bit) const { return static_cast<char>(bytes_[bit / 8] ^ (1 << bit % 8)); }

  // What restoring the file says; the store is then as it was.
  std::string Refusal() const {
    std::string refusal = Thrown<CheckpointError>([&] { Verify(file_); });
    EXPECT_THAT(refusal, HasSubstr(file_.string()));
    return refusal;
  }
  size_t data_begin() const { return header_.entries.front().begin; }
  const SafetensorsEntry& EntryAt(size_t at) const {
    return *std::ranges::find_if(header_.entries, [at](const SafetensorsEntry& entry) { return at < entry.end; });
  }

  TemporaryDirectory directory_;
  const std::filesystem::path file_ = directory_ / "model.safetensors";
  VariableStore store_;
  std::string bytes_;
  SafetensorsHeader header_;
  int descriptor_ = -1;
};

TEST_F(BitRot, EveryTruncationIsRefused) {
  EXPECT_GT(bytes_.size(), 4096u);
  for (size_t size = bytes_.size(); size-- > 0;) {
    std::filesystem::resize_file(file_, size);
    const std::string refusal = Refusal();
    if (size >= data_begin()) {
      EXPECT_THAT(refusal, HasSubstr("tensor '" + EntryAt(size).name.str())) << size;
    }
    if (HasFailure()) break;
  }
}

TEST_F(BitRot, EveryFlippedBitOfTheHeaderIsRefused) {
  for (size_t bit = 0; bit < 8 * data_begin() && !HasFailure(); ++bit) {
    WithChanged(bit / 8, {Flipped(bit)}, [](const std::string&) {});
  }
}

TEST_F(BitRot, EveryFlippedBitOfTheDataIsRefusedWithTheTensorAndBothSums) {
  size_t bits = 0;
  for (size_t bit = 8 * data_begin(); bit < 8 * bytes_.size() && !HasFailure(); ++bit, ++bits) {
    WithChanged(bit / 8, {Flipped(bit)}, [&](const std::string& refusal) {
      EXPECT_THAT(refusal, AllOf(HasSubstr("checksum of tensor '" + EntryAt(bit / 8).name.str() + "'"),
                                 ContainsRegex("got [0-9a-f]{8}, expected [0-9a-f]{8}")));
    });
  }
  EXPECT_GT(bits, 30'000u);
}

TEST_F(BitRot, AppendedBytesAreRefused) {
  for (size_t count : {1U, 2U, 63U, 64U, 4096U}) {
    WriteFile(file_, bytes_ + std::string(count, '\0'));
    EXPECT_THAT(Refusal(), HasSubstr("got " + std::to_string(count) + " bytes behind the last tensor"));
  }
  WriteFile(file_, bytes_ + bytes_);
  Refusal();
}

TEST_F(BitRot, SectorsThatAreZeroOrElsewhereAreRefused) {
  constexpr size_t kSector = 512;
  const auto sector = [this](size_t at) { return bytes_.substr(at, kSector); };
  for (size_t at = 0; at < bytes_.size(); at += kSector) {
    for (size_t other = 0; other < bytes_.size(); other += kSector) {
      if (other == at || sector(other).size() != sector(at).size()) continue;
      WithChanged(at, sector(other), [](const std::string&) {});
    }
    WithChanged(at, std::string(sector(at).size(), '\0'), [&](const std::string& refusal) {
      if (at >= data_begin()) {
        EXPECT_THAT(refusal, HasSubstr("checksum of tensor '" + EntryAt(at).name.str()));
      }
    });
  }
}

TEST_F(BitRot, SwappedTensorsAreRefused) {
  std::vector<SafetensorsEntry> matrices;
  std::ranges::copy_if(header_.entries, std::back_inserter(matrices),
                       [](const auto& entry) { return entry.shape.rank() == 2; });
  ASSERT_EQ(matrices.size(), 2u);
  const auto content = [this](const SafetensorsEntry& entry) {
    return bytes_.substr(entry.begin, entry.end - entry.begin);
  };
  Write(content(matrices[0]), matrices[1].begin);
  Write(content(matrices[1]), matrices[0].begin);
  EXPECT_THAT(Refusal(), HasSubstr("checksum of tensor '" + matrices[0].name.str() + "'"));
}

// What is refused by Verify is refused by Restore, and changes nothing.
TEST_F(BitRot, RestoreIsAllOrNothing) {
  VariableStore store;
  for (const Path& path : store_.Paths()) store.Set(path, Tensor(store_.Get(path).dtype(), store_.Get(path).shape()));
  for (const SafetensorsEntry& entry : header_.entries) {
    WithChanged(entry.begin, {Flipped(8 * entry.begin)}, [&](const std::string& refusal) {
      EXPECT_EQ(Thrown<CheckpointError>([&] { Restore(file_, {}, store); }), refusal);
    });
  }
  for (const Path& path : store.Paths()) {
    EXPECT_TRUE(std::ranges::all_of(store.Get(path).bytes(), [](std::byte byte) { return byte == std::byte{0}; }));
  }
  Restore(file_, {}, store);
  EXPECT_EQ(store.Get("Encoder/W"), store_.Get("Encoder/W"));
}

}  // namespace
}  // namespace weft
