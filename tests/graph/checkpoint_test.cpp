// A checkpoint restores exactly what is asked for, says everything that does not fit, and changes nothing unless all
// fits.
#include "weft/graph/runtime/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <system_error>

#include <nlohmann/json.hpp>

#include "weft/graph/error.h"
#include "weft/graph/runtime/file_system.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/tests/support/faulty_file_system.h"
#include "weft/tests/support/safetensors_bytes.h"
#include "weft/tests/support/temporary_directory.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

Tensor Vector(std::initializer_list<float> values) {
  return Tensor::Of<float>({static_cast<int64_t>(values.size())}, values);
}

constexpr const char* kModel[] = {"Encoder/W", "Encoder/Mean/W",   "Encoder2/W",
                                  "Decoder/W", "Decoder/Logits/W", "Decoder/Logits/B"};

void SetModel(VariableStore& store, float first) {
  for (const char* path : kModel) store.Set(path, Vector({first, first, ++first}));
}

void DeclareModel(VariableStore& store) {
  for (const char* path : kModel) store.Declare(path, DType::kFloat32, {3});
}

std::vector<Path> Initialised(const VariableStore& store) {
  std::vector<Path> paths = store.Paths();
  std::erase_if(paths, [&store](const Path& path) { return !store.Find(path)->initialised; });
  return paths;
}

class Checkpoint : public testing::Test {
 protected:
  Checkpoint() {
    SetModel(saved_, 1);
    Save(saved_, file_, {.metadata = {{"epoch", "3"}}});
    DeclareModel(store_);
  }

  std::string RestoreError(const RestoreOptions& options, const std::filesystem::path& file) {
    return Thrown<Error>([&] { Restore(file, options, store_); });
  }
  std::string RestoreError(const RestoreOptions& options = {}) { return RestoreError(options, file_); }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "model.safetensors";
  VariableStore saved_, store_;
};

TEST_F(Checkpoint, RoundTripsEveryVariable) {
  saved_.Set("Step", Tensor::Scalar<int64_t>(43000));
  saved_.Set("Mask", Tensor::Of<bool>({2}, {true, false}));
  saved_.Set("Precise", Tensor::Of<double>({1}, {0.1}));
  Save(saved_, file_, {.metadata = {{"epoch", "3"}}});
  for (const char* path : {"Step", "Mask", "Precise"}) {
    store_.Declare(path, saved_.Get(path).dtype(), saved_.Get(path).shape());
  }
  const RestoreReport report = Restore(file_, {}, store_);
  EXPECT_EQ(report.restored, saved_.Paths());
  EXPECT_THAT(report.missing, IsEmpty());
  EXPECT_THAT(report.unexpected, IsEmpty());
  EXPECT_EQ(report.metadata, (Metadata{{"epoch", "3"}}));
  for (const Path& path : saved_.Paths()) EXPECT_EQ(store_.Get(path), saved_.Get(path)) << path.str();
}

TEST_F(Checkpoint, Restore_EncoderDoesNotTouchEncoder2) {
  const RestoreReport report = Restore(file_, {.scope = "Encoder"}, store_);
  EXPECT_THAT(report.restored, ElementsAre(Path("Encoder/Mean/W"), Path("Encoder/W")));
  EXPECT_EQ(Initialised(store_), report.restored);
}

TEST_F(Checkpoint, Restore_KeepsTheMemoryOfAVariable) {
  const std::byte* memory = store_.Find("Decoder/W")->value().bytes().data();
  Restore(file_, {}, store_);
  EXPECT_EQ(store_.Get("Decoder/W").bytes().data(), memory);
}

TEST_F(Checkpoint, Restore_MissingVariableIsReported) {
  store_.Declare("Encoder/B", DType::kFloat32, {2, 3});
  EXPECT_EQ(RestoreError({.scope = "Encoder"}),
            "restore of 'Encoder': " + file_.string() + ": 1 missing: 'Encoder/B' f32[2, 3]; nothing was restored");
  EXPECT_THAT(Initialised(store_), IsEmpty());
}

TEST_F(Checkpoint, Restore_ListsAllThatDoesNotFitAtOnce) {
  VariableStore store;
  for (int i = 0; i < 7; ++i) store.Declare(Path("Encoder/New" + std::to_string(i)), DType::kFloat32, {});
  store.Declare("Encoder/W", DType::kFloat64, {3});
  store.Declare("Encoder/Mean/W", DType::kFloat32, {1, 3});  // as many bytes, another shape
  store.Declare("Encoder2/W", DType::kFloat32, {3});
  EXPECT_EQ(Thrown<CheckpointError>([&] { Restore(file_, {}, store); }),
            "restore: " + file_.string() +
                ": 7 missing: 'Encoder/New0' f32[], 'Encoder/New1' f32[], 'Encoder/New2' f32[], 'Encoder/New3' f32[], "
                "'Encoder/New4' f32[]"
                " and 2 more; 3 unexpected: 'Decoder/Logits/B' f32[3], 'Decoder/Logits/W' f32[3], 'Decoder/W' f32[3]; "
                "2 mismatched:"
                " 'Encoder/Mean/W': got f32[3], expected f32[1, 3], 'Encoder/W': got f32[3], expected f64[3]; nothing "
                "was restored");
  EXPECT_THAT(Initialised(store), IsEmpty());
}

TEST_F(Checkpoint, Restore_PartialLeavesWhatTheFileLacks) {
  store_.Declare("Encoder/B", DType::kFloat32, {2});
  store_.Set("Decoder/Extra", Vector({7}));
  VariableStore smaller;
  smaller.Set("Encoder/W", Vector({1, 2, 3}));
  smaller.Set("Foreign", Vector({4}));
  Save(smaller, file_);
  const RestoreReport report = Restore(file_, {.partial = true}, store_);
  EXPECT_THAT(report.restored, ElementsAre(Path("Encoder/W")));
  EXPECT_EQ(report.missing.size(), store_.size() - 1);
  EXPECT_THAT(report.unexpected, ElementsAre(Path("Foreign")));
  EXPECT_THAT(Initialised(store_), ElementsAre(Path("Decoder/Extra"), Path("Encoder/W")));
  EXPECT_EQ(store_.Get("Decoder/Extra"), Vector({7}));
}

TEST_F(Checkpoint, Restore_PartialStillRefusesAnotherShape) {
  VariableStore store;
  store.Declare("Encoder/W", DType::kFloat32, {4});
  EXPECT_THAT(Thrown<CheckpointError>([&] { Restore(file_, {.partial = true}, store); }),
              HasSubstr("'Encoder/W': got f32[3], expected f32[4]"));
}

TEST_F(Checkpoint, Restore_NamesAScopeThatDoesNotExist) {
  EXPECT_EQ(RestoreError({.scope = "Encodr"}), "scope 'Encodr': no variable is below it. Did you mean 'Encoder'?");
  EXPECT_EQ(RestoreError({.include = {"Encodr/**"}}), "include 'Encodr/**': no variable matches");
}

// Restored from a file with the paths on the left into a store with the paths on the right.
TEST_F(Checkpoint, Restore_Renames) {
  const struct {
    std::map<std::string, std::string> rename;  // store → file
    Path scope;
    std::vector<std::pair<const char*, const char*>> paths;  // file → store
  } rows[] = {
      {{{"Decoder/Logits", "Decoder/Mean"}},
       {},
       {{"Decoder/Mean/W", "Decoder/Logits/W"}, {"Decoder/Mean/B", "Decoder/Logits/B"}, {"Decoder/W", "Decoder/W"}}},
      {{{"Decoder/Logits", "Decoder/Mean"}},
       "Decoder",
       {{"Decoder/Mean/W", "Decoder/Logits/W"}, {"Decoder/W", "Decoder/W"}}},
      {{{"Decoder/Logits", "Decoder/Mean"}}, "Decoder/Logits", {{"Decoder/Mean/W", "Decoder/Logits/W"}}},
      {{{"A/W", "B/V"}}, {}, {{"B/V", "A/W"}, {"A/W2", "A/W2"}}},
      {{{"A", "B"}, {"B", "A"}}, {}, {{"B/W", "A/W"}, {"A/V", "B/V"}}},
      {{{"", "Model"}}, {}, {{"Model/A/W", "A/W"}, {"Model/B", "B"}}},
      {{{"Model", ""}}, {}, {{"A/W", "Model/A/W"}, {"B", "Model/B"}}},
      {{{"A", "X"}, {"A/Inner", "Y"}}, {}, {{"X/W", "A/W"}, {"Y/W", "A/Inner/W"}}},
      {{{"Unused", "Other"}}, {}, {{"A/W", "A/W"}}},
  };
  for (const auto& row : rows) {
    VariableStore from, to;
    float value = 1;
    for (const auto& [in_file, in_store] : row.paths) {
      from.Set(in_file, Vector({value++}));
      to.Declare(in_store, DType::kFloat32, {1});
    }
    Save(from, file_);
    Restore(file_, {.scope = row.scope, .rename = row.rename}, to);
    for (const auto& [in_file, in_store] : row.paths) EXPECT_EQ(to.Get(in_store), from.Get(in_file)) << in_store;
  }
}

TEST_F(Checkpoint, Restore_TwoVariablesMayShareAValueOfTheFile) {
  VariableStore store;
  store.Declare("A/W", DType::kFloat32, {3});
  store.Declare("B/W", DType::kFloat32, {3});
  Save(saved_, file_, {.scope = "Encoder2"});
  Restore(file_, {.rename = {{"A", "Encoder2"}, {"B", "Encoder2"}}}, store);
  EXPECT_EQ(store.Get("A/W"), saved_.Get("Encoder2/W"));
  EXPECT_EQ(store.Get("B/W"), saved_.Get("Encoder2/W"));
}

TEST_F(Checkpoint, Restore_UnexpectedIsSoughtWhereTheScopeLiesInTheFile) {
  VariableStore store;
  store.Declare("Decoder/Mean/W", DType::kFloat32, {3});
  const RestoreOptions options{.scope = "Decoder/Mean", .rename = {{"Decoder/Mean", "Decoder/Logits"}}};
  EXPECT_THAT(Thrown<CheckpointError>([&] { Restore(file_, options, store); }),
              HasSubstr(": 1 unexpected: 'Decoder/Logits/B' f32[3]; nothing"));
}

TEST_F(Checkpoint, Restore_IncludeRestrictsBothSides) {
  store_.Declare("Decoder/Logits/Extra", DType::kFloat32, {3});
  const RestoreReport report = Restore(file_, {.scope = "Decoder", .include = {"**/W"}}, store_);
  EXPECT_THAT(report.restored, ElementsAre(Path("Decoder/Logits/W"), Path("Decoder/W")));
  EXPECT_EQ(Initialised(store_), report.restored);
}

TEST_F(Checkpoint, Restore_IsAllOrNothing) {
  SetModel(store_, 100);
  const Tensor before = store_.Get("Decoder/W");
  std::string bytes = ReadFile(file_);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);  // in the last tensor of the file
  WriteFile(file_, bytes);
  EXPECT_THAT(RestoreError(), HasSubstr("checksum of tensor 'Encoder2/W': " + file_.string()));
  EXPECT_EQ(store_.Get("Decoder/W"), before);
  Restore(file_, {.scope = "Decoder"}, store_);  // its own bytes are whole
  EXPECT_EQ(store_.Get("Decoder/W"), saved_.Get("Decoder/W"));
}

TEST_F(Checkpoint, Restore_RefusesWhatIsNotFinite) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (float bad : {inf, -inf, nan}) {
    saved_.Set("Decoder/W", Vector({1, bad, 3}));
    EXPECT_THAT(Thrown<NumericError>([&] { Save(saved_, directory_ / "bad"); }),
                HasSubstr("variable 'Decoder/W': got "));
    EXPECT_FALSE(std::filesystem::exists(directory_ / "bad"));
    Save(saved_, file_, {.allow_nonfinite = true});
    EXPECT_THAT(Thrown<NumericError>([&] { Restore(file_, {}, store_); }),
                HasSubstr(" at index 1, expected a finite number"));
    EXPECT_THAT(Initialised(store_), IsEmpty());
    Restore(file_, {.scope = "Encoder"}, store_);  // elsewhere it does not matter
    Restore(file_, {.allow_nonfinite = true}, store_);
    EXPECT_EQ(store_.Get("Decoder/W"), saved_.Get("Decoder/W"));
    for (const Path& path : store_.Paths()) store_.Find(path)->initialised = false;
  }
  VariableStore precise;
  precise.Set("P", Tensor::Scalar<double>(nan));
  EXPECT_THAT(Thrown<NumericError>([&] { Save(precise, file_); }), HasSubstr("variable 'P': got nan at index 0"));
}

TEST_F(Checkpoint, Restore_ReadsOnlyTheBytesItNeeds) {
  saved_.Set("Huge", Tensor(DType::kFloat32, {1000, 1000}));
  Save(saved_, file_);
  const FaultyFileSystem disk;
  Restore(file_, {.scope = "Decoder", .file_system = &disk.system()}, store_);
  EXPECT_LT(disk.bytes_read(), 4096);
  const FaultyFileSystem other;
  Inspect(file_, &other.system());
  EXPECT_EQ(disk.bytes_read() - other.bytes_read(), 3 * 3 * 4);  // three variables of the Decoder
}

TEST_F(Checkpoint, Restore_AcceptsFilesFromElsewhere) {
  WriteFile(file_, ZerosFile({TensorJson("A/W", "[3]", "[0,12]")}, 12));
  VariableStore store;
  store.Declare("A/W", DType::kFloat32, {3});
  EXPECT_EQ(Restore(file_, {}, store).restored.size(), 1u);
  EXPECT_EQ(store.Get("A/W"), Vector({0, 0, 0}));
  EXPECT_EQ(Inspect(file_).fingerprint, "");
}

TEST_F(Checkpoint, Restore_RefusesANewerFormat) {
  for (const char* version : {"2", "1.5", ""}) {
    const std::string metadata = std::string("\"__metadata__\":{\"weft_format\":\"") + version + "\"}";
    WriteFile(file_, ZerosFile({metadata}, 0));
    EXPECT_THAT(RestoreError(),
                HasSubstr(std::string("format version: ") + file_.string() + ": got " + version + ", expected 1"));
  }
}

TEST_F(Checkpoint, Restore_EveryReadMayFail) {
  constexpr int kCalls = 1 + 2 + std::size(kModel);  // open, the header's length, the header, each variable; then close
  for (const Fault fault : {Fault::kInputOutput, Fault::kInterrupted}) {
    for (int call = 0;; ++call) {
      FaultyFileSystem disk;
      disk.FailAt(call, fault);
      bool has_thrown = false;
      try {
        Restore(file_, {.file_system = &disk.system()}, store_);
      } catch (const std::system_error& error) {
        has_thrown = true;
        EXPECT_THAT(error.what(), AllOf(HasSubstr("read: " + file_.string()), EndsWith("Input/output error")));
        EXPECT_THAT(Initialised(store_), IsEmpty());
      }
      EXPECT_EQ(has_thrown, fault == Fault::kInputOutput && call < kCalls) << call;
      for (const Path& path : store_.Paths()) store_.Find(path)->initialised = false;
      if (!disk.was_hit()) break;
    }
  }
}

TEST_F(Checkpoint, Save_WritesASubTree) {
  Save(saved_, file_, {.scope = "Decoder", .exclude = {"**/B"}});
  std::vector<Path> paths;
  for (const auto& variable : Inspect(file_).variables) paths.push_back(variable.path);
  EXPECT_THAT(paths, ElementsAre(Path("Decoder/Logits/W"), Path("Decoder/W")));
}

TEST_F(Checkpoint, Save_RefusesUninitialisedVariablesOfItsScope) {
  saved_.Declare("Encoder/B", DType::kFloat32, {3});
  const std::string before = ReadFile(file_);
  EXPECT_EQ(Thrown([&] { Save(saved_, file_); }), "save: " + file_.string() + ": got no value yet for 1: 'Encoder/B'");
  EXPECT_EQ(ReadFile(file_), before);
  Save(saved_, file_, {.scope = "Decoder"});
  Save(saved_, file_, {.exclude = {"Encoder/B"}});
}

TEST_F(Checkpoint, Save_RefusesNonsense) {
  EXPECT_THAT(Thrown([&] { Save(saved_, file_, {.scope = "Decodr"}); }), HasSubstr("Did you mean 'Decoder'?"));
  EXPECT_THAT(Thrown([&] { Save(saved_, file_, {.metadata = {{"weft_format", "7"}}}); }), HasSubstr("reserved"));
  EXPECT_THAT(Thrown([&] { Save(saved_, file_, {.metadata = {{"crc32c", "7"}}}); }), HasSubstr("reserved"));
}

TEST_F(Checkpoint, Save_AnEmptyStoreIsAFile) {
  const VariableStore empty;
  Save(empty, file_, {.metadata = {{"epoch", "3"}}});
  VariableStore store;
  EXPECT_EQ(Restore(file_, {}, store).metadata, (Metadata{{"epoch", "3"}}));
}

TEST_F(Checkpoint, Save_EveryCallMayFailInEveryWay) {
  const std::string old_bytes = ReadFile(file_);
  SetModel(saved_, 50);
  Save(saved_, directory_ / "new");
  const std::string new_bytes = ReadFile(directory_ / "new");
  std::filesystem::remove(directory_ / "new");
  for (const Fault fault : kAllFaults) {
    for (int call = 0;; ++call) {
      SCOPED_TRACE(testing::Message() << "call " << call << " fault " << static_cast<int>(fault));
      WriteFile(file_, old_bytes);
      FaultyFileSystem disk;
      disk.FailAt(call, fault);
      bool has_thrown = false;
      try {
        Save(saved_, file_, {.file_system = &disk.system()});
      } catch (const std::system_error& error) {
        has_thrown = true;
        EXPECT_THAT(error.what(), HasSubstr(file_.string()));
      }
      if (!disk.was_hit()) break;
      const std::string bytes = ReadFile(file_);
      EXPECT_TRUE(bytes == new_bytes || (bytes == old_bytes && has_thrown));
      EXPECT_FALSE(IsHarmless(fault) && has_thrown);
      EXPECT_TRUE(IsKill(fault) || directory_.Names() == std::set<std::string>{"model.safetensors"});
      for (const std::string& name : directory_.Names()) {
        if (name != "model.safetensors") std::filesystem::remove(directory_ / name);
      }
    }
  }
}

TEST_F(Checkpoint, InspectTellsEverythingButTheNumbers) {
  const CheckpointSummary summary = Inspect(file_);
  ASSERT_EQ(summary.variables.size(), std::size(kModel));
  EXPECT_EQ(summary.variables[2].path, Path("Decoder/W"));
  EXPECT_EQ(summary.variables[2].dtype, DType::kFloat32);
  EXPECT_EQ(summary.variables[2].shape, Shape({3}));
  EXPECT_EQ(summary.variables[2].bytes, 12);
  EXPECT_EQ(summary.metadata, (Metadata{{"epoch", "3"}}));
  EXPECT_EQ(summary.file_bytes, static_cast<int64_t>(std::filesystem::file_size(file_)));
  EXPECT_THAT(summary.fingerprint, testing::MatchesRegex("[0-9a-f]{8}"));
}

TEST_F(Checkpoint, TheFingerprintChangesWithTheNumbers) {
  const std::string before = Inspect(file_).fingerprint;
  Save(saved_, file_, {.metadata = {{"epoch", "3"}}});
  EXPECT_EQ(Inspect(file_).fingerprint, before);
  saved_.Set("Decoder/W", Vector({1, 2, 3}));
  Save(saved_, file_, {.metadata = {{"epoch", "3"}}});
  EXPECT_NE(Inspect(file_).fingerprint, before);
}

TEST_F(Checkpoint, VerifyReadsAllTheData) {
  EXPECT_EQ(Verify(file_).fingerprint, Inspect(file_).fingerprint);
  std::string bytes = ReadFile(file_);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteFile(file_, bytes);
  EXPECT_NO_THROW(Inspect(file_));
  EXPECT_THAT(Thrown<CheckpointError>([&] { Verify(file_); }), HasSubstr("checksum of tensor 'Encoder2/W'"));
}

// What a script does that reads a file, takes tensors away or adds some, and writes the rest with the same metadata.
TEST_F(Checkpoint, TensorsMayBeTakenAwayAndAddedByOtherTools) {
  nlohmann::json header;
  std::string data;
  const std::string bytes = ReadFile(file_);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  const nlohmann::json before = nlohmann::json::parse(bytes.substr(8, length));
  header["__metadata__"] = before.at("__metadata__");
  const auto add = [&](const std::string& name, const nlohmann::json& entry) {
    const size_t from = entry["data_offsets"][0], to = entry["data_offsets"][1], at = data.size();
    data += bytes.substr(8 + length + from, to - from);
    header[name] = entry;
    header[name]["data_offsets"] = {at, data.size()};
  };
  for (const auto& [name, entry] : before.items()) {
    if (name != "__metadata__" && name != "Decoder/W") add(name, entry);
    if (name.starts_with("Encoder/")) add("Encoder3/" + name.substr(8), entry);
  }
  WriteFile(file_, SafetensorsBytes(header.dump(2), data));

  EXPECT_NO_THROW(Restore(file_, {.scope = "Encoder"}, store_));
  EXPECT_THAT(Initialised(store_), ElementsAre(Path("Encoder/Mean/W"), Path("Encoder/W")));
  EXPECT_THAT(RestoreError({.scope = "Decoder"}), HasSubstr("'Decoder/W'"));
  EXPECT_THAT(Thrown<CheckpointError>([&] { Verify(file_); }), HasSubstr("tensor 'Decoder/W'"));
}

TEST_F(Checkpoint, AMissingFileIsNamed) {
  EXPECT_THAT(Thrown<std::system_error>([&] { Restore(directory_ / "none", {}, store_); }),
              HasSubstr("none: cannot open it: No such file"));
}

}  // namespace
}  // namespace weft
