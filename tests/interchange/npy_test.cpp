// Arrays that NumPy reads and writes, and files that only look like such.
#include "weft/exporters/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/exporters/npz.h"
#include "weft/graph/error.h"
#include "weft/tests/examples/tool_test.h"
#include "weft/tests/support/thrown.h"

namespace weft {
namespace {

const std::vector<Shape> kShapes = {{}, {0}, {3}, {2, 3}, {4, 1, 2}, {2, 1, 3, 2}, {1, 2, 1, 2, 2}, {2, 1, 2, 1, 1, 3}};

// As NumPy calls them, and the formulas of numpy_arrays.py.
struct NumpyType {
  std::string name;
  DType dtype;
};
const std::vector<NumpyType> kTypes = {
    {"float32", DType::kFloat32}, {"float64", DType::kFloat64}, {"int64", DType::kInt64}, {"bool", DType::kBool}};
const std::vector<NumpyType> kNarrowTypes = {{"int32", DType::kInt64}, {"uint8", DType::kInt64}};

Tensor Values(const NumpyType& type, const Shape& shape) {
  Tensor wide(DType::kInt64, shape);
  for (int64_t i = 0; i < wide.size(); ++i) {
    int64_t& value = wide.values<int64_t>()[static_cast<size_t>(i)];
    if (type.name == "bool") value = i % 3 == 0 ? 1 : 0;
    else if (type.name == "uint8") value = i * 37 % 256;
    else if (type.name == "int32") value = i * 1'000'003 - 2'000'000'000;
    else if (type.name == "int64") value = i * (int64_t{1} << 33) - 7;
    else value = i - 6;  // halves
  }
  Tensor result = wide.Cast(type.dtype);
  if (type.dtype == DType::kFloat32) {
    for (float& value : result.values<float>()) value /= 2;
  } else if (type.dtype == DType::kFloat64) {
    for (double& value : result.values<double>()) value /= 2;
  }
  return result;
}

std::string NameOf(const NumpyType& type, const Shape& shape) { return type.name + ToString(shape); }

Tensor ReadNpyFile(const std::filesystem::path& path) {
  const std::string text = ReadFile(path);
  return ParseNpy(std::as_bytes(std::span(text)), path.filename().string());
}

// Python runs once for all tests: it reads what is written here and writes what they read.
class Numpy : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new TemporaryDirectory;
    NamedTensors all;
    for (const NumpyType& type : kTypes) {
      for (const Shape& shape : kShapes) {
        WriteFile(*directory_ / ("ours-" + NameOf(type, shape) + ".npy"), NpyText(Values(type, shape)));
        all["Scope/" + NameOf(type, shape)] = Values(type, shape);
      }
    }
    WriteFile(*directory_ / "ours.npz", ToNpz(all));
    VariableStore store;
    store.Set("Ä/W", Tensor::Of<float>({2, 2}, {1, 2, 3, 4}));
    store.Set("Ä/b", Tensor::Scalar(int64_t{5}));
    store.Set("Other", Tensor::Scalar(1.0));
    WriteFile(*directory_ / "store.npz", ToNpz(store, "Ä"));
    outcome_ = RunTool({"-B", WEFT_SOURCE_DIR "/tests/interchange/numpy_arrays.py", directory_->path().string()},
                       {.binary = WEFT_PYTHON});
  }
  static void TearDownTestSuite() {
    delete directory_;
    directory_ = nullptr;
  }
  void SetUp() override { ASSERT_EQ(outcome_.code, 0) << outcome_.err; }

  static std::filesystem::path File(const std::string& name) { return *directory_ / name; }

  static inline TemporaryDirectory* directory_ = nullptr;
  static inline Outcome outcome_;
};

TEST_F(Numpy, ReadsEveryTypeAndRank) {
  EXPECT_EQ(outcome_.out, "{\"read\": " + std::to_string(kTypes.size() * kShapes.size()) + "}\n");
}

TEST_F(Numpy, IsReadInEveryTypeRankAndOrder) {
  for (const char* file : {"theirs.npz", "packed.npz"}) {
    const NamedTensors arrays = ReadNpz(File(file));
    EXPECT_EQ(arrays.size(), 2 * (kTypes.size() + kNarrowTypes.size()) * kShapes.size());
    for (const std::string order : {"C/", "F/"}) {
      for (const auto* types : {&kTypes, &kNarrowTypes}) {
        for (const NumpyType& type : *types) {
          for (const Shape& shape : kShapes) {
            const auto found = arrays.find(order + NameOf(type, shape));
            ASSERT_NE(found, arrays.end()) << order << NameOf(type, shape);
            EXPECT_EQ(found->second, Values(type, shape)) << file << " " << order << NameOf(type, shape);
          }
        }
      }
    }
  }
}

TEST_F(Numpy, IsReadInEveryVersion) {
  for (const char* version : {"1", "2", "3"})
    EXPECT_EQ(ReadNpyFile(File("version" + std::string(version) + ".npy")), Values(kTypes[0], {2, 3})) << version;
}

TEST_F(Numpy, TypesThatWeftHasNotAreRefusedByName) {
  const std::pair<std::string, std::string> files[] = {
      {"big_endian.npy", "got type '>f4', expected one of '<f4', '<f8', '<i8', '|b1', '<i4', '|u1'"},
      {"half.npy", "got type '<f2'"},
      {"complex.npy", "got type '<c8'"},
      {"text.npy", "got type '<U1'"},
      {"fields.npy", "expected a type such as '<f4'"},
      {"objects.npy", "got type '|O'"}};
  for (const auto& [name, sentence] : files)
    EXPECT_THAT(Thrown<CheckpointError>([&] { ReadNpyFile(File(name)); }), testing::HasSubstr(sentence)) << name;
}

TEST(Npz, ComesBackBitByBit) {
  const TemporaryDirectory directory;
  NamedTensors arrays;
  for (const NumpyType& type : kTypes) arrays[type.name] = Values(type, {2, 3});
  WriteFile(directory / "a.npz", ToNpz(arrays));
  EXPECT_EQ(ReadNpz(directory / "a.npz"), arrays);
}

TEST(Npz, OfAStoreSaysWhatIsMissing) {
  VariableStore store;
  store.Declare("Encoder/W", DType::kFloat32, {2});
  EXPECT_EQ(Thrown<GraphError>([&] { ToNpz(store); }), "npz: variable 'Encoder/W': got no value yet");
  EXPECT_EQ(Thrown<GraphError>([&] { ToNpz(store, "Decoder"); }), "npz: scope 'Decoder': got no variable below it");
}

// ---- Hostile files -------------------------------------------------------------------------------------------------

std::string NpyOf(const std::string& header, const std::string& data = "", char version = 1) {
  std::string text = "\x93NUMPY";
  text.push_back(version);
  text.push_back('\0');
  text.push_back(static_cast<char>(header.size() & 0xFF));
  text.push_back(static_cast<char>(header.size() >> 8));
  return text + header + data;
}

struct BadNpy {
  std::string text, sentence;
};

TEST(Npy, HostileFilesAreRefused) {
  const std::string twelve(12, 'x'), order = "'fortran_order': False, ";
  const BadNpy files[] = {
      {"", "got other first bytes"},
      {"PK\x03\x04", "got other first bytes"},
      {"\x93NUMPY", "got 6 bytes, expected a header"},
      {NpyOf("{'descr': '<f4'}", "", 9), "got version 9, expected 1, 2 or 3"},
      {NpyOf(std::string(10'001, ' ')), "got a header of 10001 bytes, expected at most 10000"},
      {NpyOf("{'descr': ").substr(0, 12), "expected 20 for the header alone"},
      {NpyOf(""), "header: got its end, expected '{'"},
      {NpyOf("{}"), "got too few keys, expected descr, fortran_order and shape"},
      {NpyOf("{'descr': '<f4', " + order + "}"), "got too few keys"},
      {NpyOf("{'descr': '<f4', 'descr': '<f4', }"), "got the key 'descr' (again)"},
      {NpyOf("{'weight': 3}"), "got the key 'weight' (again)"},
      {NpyOf("{'descr': '<f4"), "expected a type such as '<f4'"},
      {NpyOf("{'descr': __import__('os'), }"), "expected a type such as '<f4'"},
      {NpyOf("{'descr': '<f4', 'fortran_order': 0, }"), "expected True or False"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': 3}", twelve), "expected '('"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (3 }", twelve), "expected ')'"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (-3,), }", twelve), "expected a length of at least 0"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (3.0,), }", twelve), "expected ')'"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (99999999999999999999,), }"), "expected a length of at least 0"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (1099511627776, 1099511627776), }"), "header: overflow"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (1, 1, 1, 1, 1, 1, 1), }", "1234"), "more than 6 dimensions"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (3,), } x", twelve), "expected the end of the header"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (1000000000,), }", twelve),
       "got 12 bytes behind the header, expected 4000000000 for '<f4' [1000000000]"},
      {NpyOf("{'descr': '<f4', " + order + "'shape': (3,), }", twelve + "x"), "got 13 bytes behind the header"},
      {NpyOf("{'descr': '|b1', " + order + "'shape': (2,), }", "\1\2"), "got a bool of 2, expected 0 or 1"},
      {NpyOf("{'descr': '<f4\x1B[2J', " + order + "'shape': (0,), }"), "got type '<f4\\x1b[2J'"},
  };
  for (const BadNpy& bad : files) {
    EXPECT_THAT(Thrown<CheckpointError>([&] { ParseNpy(std::as_bytes(std::span(bad.text)), "a.npy"); }),
                testing::AllOf(testing::StartsWith("npy: a.npy: "), testing::HasSubstr(bad.sentence)));
  }
}

// An archive of one array, with some bytes replaced.
std::string Patched(std::string archive, size_t at, std::string_view bytes) {
  return archive.replace(at, bytes.size(), bytes);
}

TEST(Npz, HostileArchivesAreRefused) {
  using namespace std::string_view_literals;
  const std::string whole = ToNpz({{"a", Tensor::Of<float>({3}, {1, 2, 3})}});
  const size_t end = whole.size() - 22, entry = end - 46 - 5, local = 0;
  const std::pair<std::string, std::string> files[] = {
      {"", "got no end of a zip archive"},
      {whole.substr(0, whole.size() - 1), "got no end of a zip archive"},
      {Patched(whole, end + 4, "\1"), "on several disks"},
      {Patched(whole, end + 10, "\xFF\xFF"), "got a zip64 archive"},
      {Patched(whole, end + 16, "\xFF\xFF\xFF\x7F"), "lies outside of the file"},
      {Patched(whole, end + 10, "\2"), "got 1 arrays in its directory, expected 2"},
      {Patched(whole, end + 10, std::string_view("\0", 1)), "got 51 bytes in its directory of 0 arrays, expected 0"},
      {Patched(whole, entry, "X"), "got 0 arrays in its directory, expected 1"},
      {Patched(whole, entry + 28, "\xFF\xFF"), "got entry 0 of its directory cut"},
      {Patched(whole, entry + 8, "\1"), "got 'a.npy' encrypted"},
      {Patched(whole, entry + 10, "\x0E"), "got 'a.npy' packed by method 14, expected 0 or 8"},
      {Patched(whole, entry + 20, "\xFF\xFF\xFF\xFF"), "of 4 GiB or more"},
      {Patched(whole, entry + 24, "\xFE\xFF\xFF\x7F"), "got 'a.npy' of 2147483646 bytes in 140, expected what fits"},
      {Patched(Patched(whole, entry + 10, "\x08"), entry + 24, "\xFE\xFF\xFF\x7F"), "expected what fits"},
      {Patched(whole, entry + 10, "\x08"), "got damaged data in 'a.npy'"},
      {Patched(whole, entry + 42, "\1"), "got no header of 'a.npy' at byte 1"},
      {Patched(whole, local + 26, "\xFF\xFF"), "got 'a.npy' cut"},
      {Patched(whole, entry + 16, "\0\0\0\0"sv), "expected 00000000"},
      {Patched(whole, entry + 46, "a.txt"), "expected names that end in .npy"},
  };
  const TemporaryDirectory directory;
  for (const auto& [bytes, sentence] : files) {
    WriteFile(directory / "bad.npz", bytes);
    EXPECT_THAT(Thrown<CheckpointError>([&] { ReadNpz(directory / "bad.npz"); }),
                testing::AllOf(testing::StartsWith("npz: "), testing::HasSubstr(sentence)));
  }
}

// Names and times of an archive have no checksum; whatever else is changed is found, and nothing else happens.
TEST(Npz, WithAnyByteChangedIsRefusedOrReadRightly) {
  const Tensor value = Tensor::Of<float>({3}, {1, 2, 3});
  const std::string whole = ToNpz({{"a", value}});
  const TemporaryDirectory directory;
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      WriteFile(directory / "a.npz", changed);
      try {
        const NamedTensors arrays = ReadNpz(directory / "a.npz");
        ASSERT_EQ(arrays.size(), 1U) << at;
        EXPECT_EQ(arrays.begin()->second, value) << at;
      } catch (const CheckpointError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, whole.size());
}

TEST(Npz, CutAnywhereIsRefused) {
  const std::string whole = ToNpz({{"a", Tensor::Of<float>({3}, {1, 2, 3})}, {"b", Tensor::Scalar(int64_t{1})}});
  const TemporaryDirectory directory;
  for (size_t size = 0; size < whole.size(); ++size) {
    WriteFile(directory / "a.npz", whole.substr(0, size));
    EXPECT_THROW(ReadNpz(directory / "a.npz"), CheckpointError) << size;
  }
}

}  // namespace
}  // namespace weft
