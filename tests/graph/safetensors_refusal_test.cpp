// Files that break a rule of the format are refused, each with a sentence that says which rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/tests/support/safetensors_bytes.h"
#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// What is said of a file of these bytes; "accepted" if nothing is.
std::string Refusal(const std::filesystem::path& path) {
  const FileSystem system;
  try {
    const InputFile file(system, path);
    const SafetensorsHeader header = ReadSafetensorsHeader(file);
    for (const SafetensorsEntry& entry : header.entries) ReadSafetensorsTensor(file, header, entry);
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "accepted";
}

std::string One(std::string_view shape, std::string_view offsets, size_t data_bytes, std::string_view dtype = "F32") {
  return ZerosFile({TensorJson("A", shape, offsets, dtype)}, data_bytes);
}

std::string Named(const std::string& name) { return ZerosFile({TensorJson(name, "[2]", "[0,8]")}, 8); }

std::string Length(uint64_t length, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&length), 8) + rest;
}

std::string Repeated(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

struct BadFile {
  const char* name;
  std::string bytes;
  const char* message;  // what stands before and behind the path, with "…" between
};

std::vector<BadFile> BadLengths() {
  return {
      {"NoBytes", "", "header length: …: got 0 bytes, expected 8: it is missing"},
      {"SevenBytes", std::string(7, '\1'), "header length: …: got 7 bytes, expected 8: it is missing"},
      {"OnlyTheLength", Length(2, ""), "header length: …: got 2, expected 2 … 0"},
      {"ZeroLength", Length(0, "{}"), "header length: …: got 0, expected 2 … 2"},
      {"LengthOfOne", Length(1, "{}"), "header length: …: got 1, expected 2 … 2"},
      {"LengthBeyondTheFile", Length(3, "{}"), "header length: …: got 3, expected 2 … 2 (10 bytes of file"},
      {"LengthBeyondTheLimit", Length(100'000'001, "{}"), "header length: …: got 100000001, "},
      {"LargestLength", Length(UINT64_MAX, "{}"), "header length: …: got 18446744073709551615, "},
  };
}

std::vector<BadFile> BadText() {
  const std::string good = TensorJson("A", "[2]", "[0,8]");
  return {
      {"SpaceFirst", SafetensorsBytes(" {}", ""), "header: …: got ' ' first, expected '{'"},
      {"ByteOrderMark", SafetensorsBytes("\xEF\xBB\xBF{}", ""), "header: …: got '\\xef' first, expected '{'"},
      {"List", SafetensorsBytes("[]", ""), "header: …: got '[' first, expected '{'"},
      {"NewlineBehind", SafetensorsBytes("{}\n", ""), "header: …: got '\\x0a' last, expected '}'"},
      {"TabBehind", SafetensorsBytes("{}\t ", ""), "header: …: got '\\x09' last, expected '}'"},
      {"ZeroBehind", SafetensorsBytes(std::string("{}\0", 3), ""), "header: …: got '\\x00' last, expected '}'"},
      {"ZeroWithin", SafetensorsBytes(std::string("{}\0]}", 5), ""), "header: …: got a zero byte at byte 2 of it"},
      {"TwoObjects", SafetensorsBytes("{}{}", ""), "header: …: got no JSON at byte 3 of it"},
      {"Unfinished", SafetensorsBytes("{\"A\":}", ""), "header: …: got no JSON at byte 6 of it"},
      {"TrailingComma", SafetensorsBytes("{" + good + ",}", std::string(8, '\0')), "header: …: got no JSON"},
      {"Comment", SafetensorsBytes("{/**/}", ""), "header: …: got no JSON"},
      {"NotANumber", SafetensorsBytes("{\"A\":NaN}", ""), "header: …: got no JSON"},
      {"NotUtf8InAName", Named("A\xFF"),
       "header: …: got no JSON at byte 4 of it: syntax error while parsing object key - invalid string: ill-formed "
       "UTF-8"},
      {"OverlongUtf8", Named("\xC0\xAF"), "ill-formed UTF-8"},
      {"NotUtf8Outside", SafetensorsBytes("{\xFF}", ""), "header: …: got no JSON"},
      {"LoneSurrogate", Named("\\ud800"), "header: …: got no JSON"},
      {"RawControlCharacter", Named("A\x1b"), "header: …: got no JSON"},
      {"Nested10000Deep", SafetensorsBytes("{\"A\":" + Repeated("[", 10'000) + "}", ""),
       "tensor 'A': …: got a list, expected an object"},
      {"NestedInTheShape", SafetensorsBytes("{\"A\":{\"shape\":" + Repeated("[", 1'000'000) + "}", ""),
       "shape of tensor 'A': …: got a list, expected an integer"},
      {"NestedObjects", SafetensorsBytes("{\"A\":{\"shape\":{\"a\":{\"a\":{}}}}}", ""),
       "shape of tensor 'A': …: got an object, expected a list of integers"},
      {"NestedMetadata", SafetensorsBytes("{\"__metadata__\":{\"a\":" + Repeated("{\"a\":", 10'000) + "}", ""),
       "__metadata__ 'a': …: got an object, expected a string"},
  };
}

std::vector<BadFile> BadEntries() {
  const std::string good = TensorJson("A", "[2]", "[0,8]");
  const std::string megabyte(1'000'000, 'n');
  return {
      {"NameTwice", ZerosFile({good, good}, 8), "header: …: got 'A' twice"},
      {"NameTwiceByEscape", ZerosFile({good, TensorJson("\\u0041", "[0]", "[8,8]")}, 8), "header: …: got 'A' twice"},
      {"MetadataTwice", SafetensorsBytes("{\"__metadata__\":{},\"__metadata__\":{}}", ""),
       "header: …: got '__metadata__' twice"},
      {"FieldTwice", SafetensorsBytes("{\"A\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", ""),
       "tensor 'A': …: got 'dtype' twice"},
      {"UnknownField", SafetensorsBytes("{\"A\":{\"strides\":[1]}}", ""),
       "tensor 'A': …: got 'strides', expected dtype, shape and data_offsets"},
      {"NoDtype", SafetensorsBytes("{\"A\":{\"shape\":[],\"data_offsets\":[0,0]}}", ""), "tensor 'A': …: got no dtype"},
      {"NoShape", SafetensorsBytes("{\"A\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", ""),
       "tensor 'A': …: got no shape"},
      {"NoOffsets", SafetensorsBytes("{\"A\":{\"dtype\":\"F32\",\"shape\":[]}}", ""),
       "tensor 'A': …: got no data_offsets"},
      {"EntryIsANumber", SafetensorsBytes("{\"A\":7}", ""), "tensor 'A': …: got 7, expected an object"},
      {"EntryIsNull", SafetensorsBytes("{\"A\":null}", ""), "tensor 'A': …: got null, expected an object"},
      {"UnknownDtype", One("[2]", "[0,8]", 8, "f32"),
       "dtype of tensor 'A': …: got \"f32\", expected F32, F64, I64 or BOOL"},
      {"UnsupportedDtype", One("[2]", "[0,4]", 4, "BF16"),
       "dtype of tensor 'A': …: got \"BF16\", which is not supported, expected F32, F64, I64 or BOOL"},
      {"UnsupportedF8", One("[2]", "[0,2]", 2, "F8_E4M3"), "which is not supported"},
      {"DtypeIsANumber", SafetensorsBytes("{\"A\":{\"dtype\":32}}", ""),
       "dtype of tensor 'A': …: got 32, expected a string"},
      {"EmptyName", Named(""), "tensor name: …: name '': is empty"},
      {"LongName", Named(std::string(513, 'n')), "tensor name: …: got 513 bytes, expected at most 512"},
      {"MegabyteName", Named(megabyte), "tensor name: …: got 1000000 bytes, expected at most 512"},
      {"ZeroInTheName", Named("A\\u0000B"), "tensor name: …: name 'A\\x00B': has a control character"},
      {"EscapeInTheName", Named("\\u001b[31m"), "tensor name: …: name '\\x1b[31m': has a control character"},
      {"SlashFirst", Named("/etc/passwd"), "tensor name: …: name '/etc/passwd': has an empty component"},
      {"MetadataIsAString", SafetensorsBytes("{\"__metadata__\":\"x\"}", ""),
       "__metadata__: …: got \"x\", expected an object of strings"},
      {"MetadataHasANumber", SafetensorsBytes("{\"__metadata__\":{\"step\":3}}", ""),
       "__metadata__ 'step': …: got 3, expected a string"},
      {"MetadataHasNull", SafetensorsBytes("{\"__metadata__\":{\"step\":null}}", ""),
       "__metadata__ 'step': …: got null, expected a string"},
      {"MetadataHasAList", SafetensorsBytes("{\"__metadata__\":{\"step\":[]}}", ""),
       "__metadata__ 'step': …: got a list, expected a string"},
      {"MetadataKeyTwice", SafetensorsBytes("{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"1\"}}", ""),
       "__metadata__: …: got 'a' twice"},
      {"MetadataTooLong",
       SafetensorsBytes("{\"__metadata__\":{\"a\":\"" + std::string(size_t{1} << 20, 'x') + "\"}}", ""),
       "__metadata__: …: got more than 1048576 bytes"},
      {"MetadataOf50Megabytes",
       SafetensorsBytes("{\"__metadata__\":{\"a\":\"" + std::string(50'000'000, 'x') + "\"}}", ""),
       "__metadata__: …: got more than 1048576 bytes"},
  };
}

std::vector<BadFile> BadNumbers() {
  std::vector<BadFile> rows;
  const struct {
    const char *name, *text, *message;
  } numbers[] = {
      {"Negative", "-1", "got -1, expected an integer from 0 to 9007199254740992"},
      {"MinusZero", "-0", "got -0, expected an integer"},
      {"Fraction", "1.0", "got 1.0, expected an integer"},
      {"Exponent", "1e3", "got 1e3, expected an integer"},
      {"String", "\"16\"", "got \"16\", expected an integer"},
      {"True", "true", "got true, expected an integer"},
      {"Null", "null", "got null, expected an integer"},
      {"Above2To53", "9007199254740993", "got 9007199254740993, expected an integer"},
      {"Above2To64", "18446744073709551616", "got 18446744073709551616, expected an integer"},
      {"LeadingZero", "01", "got no JSON"},
      {"PlusSign", "+1", "got no JSON"},
      {"Hexadecimal", "0x10", "got no JSON"},
      {"BeyondDouble", "1e999", "got no JSON"},
  };
  for (const auto& number : numbers) {
    const std::string list = std::string("[") + number.text + "]", pair = std::string("[0,") + number.text + "]";
    rows.push_back({number.name, One(list, "[0,8]", 8), number.message});
    rows.push_back({number.name, One("[2]", pair, 8), number.message});
  }
  rows.push_back({"ShapeIsNamed", One("[1.0]", "[0,4]", 4), "shape of tensor 'A': …: got 1.0, "});
  rows.push_back({"OffsetsAreNamed", One("[1]", "[0,4.0]", 4), "data_offsets of tensor 'A': …: got 4.0, "});
  rows.push_back(
      {"ShapeIsANumber", One("2", "[0,8]", 8), "shape of tensor 'A': …: got 2, expected a list of integers"});
  rows.push_back({"OffsetsAreAString", One("[2]", "\"0,8\"", 8),
                  "data_offsets of tensor 'A': …: got \"0,8\", expected a list of integers"});
  rows.push_back({"OneOffset", One("[2]", "[8]", 8), "data_offsets of tensor 'A': …: got 1 integers, expected 2"});
  rows.push_back({"ThreeOffsets", One("[2]", "[0,8,16]", 8),
                  "data_offsets of tensor 'A': …: got more than 2 integers, expected 2"});
  rows.push_back({"SevenAxes", One("[1,1,1,1,1,1,1]", "[0,4]", 4), "shape of tensor 'A': …: got more than 6 integers"});
  return rows;
}

std::vector<BadFile> BadLayouts() {
  const std::string a = TensorJson("A", "[2]", "[0,8]"), b = TensorJson("B", "[2]", "[8,16]");
  return {
      {"EndBeforeBegin", One("[2]", "[8,0]", 8),
       "data_offsets of tensor 'A': …: got [8, 0], expected a range within the 8 bytes of data"},
      {"BeyondTheData", One("[3]", "[0,12]", 8),
       "data_offsets of tensor 'A': …: got [0, 12], expected a range within the 8 bytes of data"},
      {"FarBeyondTheData", One("[2]", "[9007199254740984,9007199254740992]", 8), "expected a range within the 8 bytes"},
      {"NotFromZero", One("[2]", "[4,12]", 12),
       "data_offsets of tensor 'A': …: got [4, 12], expected it to begin at 0: there is a hole"},
      {"Overlap", ZerosFile({a, TensorJson("B", "[2]", "[4,12]")}, 12),
       "data_offsets of tensor 'B': …: got [4, 12], expected it to begin at 8: it overlaps tensor 'A'"},
      {"SameRange", ZerosFile({a, TensorJson("B", "[2]", "[0,8]")}, 8), "it overlaps tensor 'A'"},
      {"Hole", ZerosFile({a, TensorJson("B", "[2]", "[12,20]")}, 20),
       "data_offsets of tensor 'B': …: got [12, 20], expected it to begin at 8: there is a hole"},
      {"EmptyWithin", ZerosFile({a, TensorJson("Z", "[0]", "[4,4]")}, 8),
       "data_offsets of tensor 'Z': …: got [4, 4], expected it to begin at 8: it overlaps tensor 'A'"},
      {"EmptyBehindAHole", ZerosFile({a, TensorJson("Z", "[0]", "[12,12]")}, 12), "data_offsets of tensor 'Z'"},
      {"BytesBehind", ZerosFile({a, b}, 38), "data: …: got 22 bytes behind the last tensor, expected none"},
      {"BytesWithoutTensors", SafetensorsBytes("{}", "PK\3\4"),
       "data: …: got 4 bytes behind the last tensor, expected none"},
      {"TooFewBytes", One("[3]", "[0,8]", 8), "tensor 'A': …: got 8 bytes, expected 12 for f32[3]"},
      {"TooManyBytes", One("[]", "[0,8]", 8), "tensor 'A': …: got 8 bytes, expected 4 for f32[]"},
      {"WrapsToFour", One("[4194305,4194305,211106198978564]", "[0,16]", 16), "shape of tensor 'A': …: overflow: "},
      {"SquareOf2To32", One("[4294967296,4294967296]", "[0,0]", 0), "shape of tensor 'A': …: overflow: "},
      {"BytesOverflow", One("[9007199254740992]", "[0,0]", 0, "F64"), "shape of tensor 'A': …: overflow: "},
      {"LargestElements", One("[1099511627777]", "[0,0]", 0, "BOOL"), "shape of tensor 'A': …: overflow: "},
      {"ALotDeclared", One("[1099511627776]", "[0,0]", 0, "F64"),
       "tensor 'A': …: got 0 bytes, expected 8796093022208 for f64[1099511627776]"},
      {"BoolOfTwo", SafetensorsBytes("{" + TensorJson("A", "[3]", "[0,3]", "BOOL") + "}", std::string("\1\0\2", 3)),
       "tensor 'A': …: got 2 at index 2, expected a bool as 0 or 1"},
  };
}

std::vector<BadFile> BadChecksums() {
  const auto file = [](const std::string& metadata) {
    return ZerosFile({"\"__metadata__\":" + metadata, TensorJson("A", "[2]", "[0,8]")}, 8);
  };
  return {
      {"ChecksumsWithoutTheirOwn", file(R"({"crc32c":"{}"})"),
       "checksums: …: got only one of crc32c and crc32c_metadata"},
      {"TheirOwnAlone", file(R"({"crc32c_metadata":"00000000"})"),
       "checksums: …: got only one of crc32c and crc32c_metadata"},
      {"WrongMetadataChecksum", file(R"({"crc32c":"{}","crc32c_metadata":"\u001b[31m"})"),
       "metadata checksum: …: got "},
  };
}

std::vector<BadFile> ForeignFiles() {
  const std::string rest(100, 'x');
  return {
      {"Zip", "PK\3\4" + rest, "file: …: this is a zip archive (PyTorch and NumPy write such), not a safetensors file"},
      {"Pickle", "\x80\2\x8a\x0a" + rest, "this is a Python pickle"},
      {"Pickle4", "\x80\4\x95" + rest, "this is a Python pickle"},
      {"Hdf5", "\x89HDF\r\n\x1a\n" + rest, "this is an HDF5 file"},
      {"Gguf", "GGUF\3" + rest, "this is a GGUF file"},
      {"Numpy", "\x93NUMPY\1" + rest, "this is a NumPy array"},
      {"Gzip", "\x1f\x8b\x08" + rest, "this is a gzip file"},
      {"Html", "\n<!DOCTYPE HTML><title>404</title>" + rest, "this is an HTML page"},
      {"Html2", "<html><body>" + rest, "this is an HTML page"},
      {"GitLfs", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
       "this is a Git LFS pointer"},
      {"Onnx", "\x08\x07\x12\x07pytorch" + rest, "this is an ONNX file"},
      {"Json", "{\"step\": 3}", "this is a JSON file"},
      {"ShortZip", "PK\3\4", "this is a zip archive"},
  };
}

class SafetensorsRefusal : public testing::TestWithParam<BadFile> {};

TEST_P(SafetensorsRefusal, SaysWhatIsWrong) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory / "file";
  WriteFile(path, GetParam().bytes);
  const std::string refusal = Refusal(path), expected = GetParam().message;
  const size_t gap = expected.find("…: ");
  if (gap == std::string::npos) {
    EXPECT_THAT(refusal, AllOf(HasSubstr(path.string()), HasSubstr(expected)));
  } else {
    EXPECT_THAT(refusal, testing::StartsWith(expected.substr(0, gap) + path.string() +
                                             expected.substr(gap + std::string("…").size())));
  }
  EXPECT_LT(refusal.size(), 1000u);
  for (char c : refusal) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << refusal;
}

std::string NameOf(const testing::TestParamInfo<BadFile>& row) { return std::to_string(row.index) + row.param.name; }

INSTANTIATE_TEST_SUITE_P(Length, SafetensorsRefusal, testing::ValuesIn(BadLengths()), NameOf);
INSTANTIATE_TEST_SUITE_P(Text, SafetensorsRefusal, testing::ValuesIn(BadText()), NameOf);
INSTANTIATE_TEST_SUITE_P(Entries, SafetensorsRefusal, testing::ValuesIn(BadEntries()), NameOf);
INSTANTIATE_TEST_SUITE_P(Numbers, SafetensorsRefusal, testing::ValuesIn(BadNumbers()), NameOf);
INSTANTIATE_TEST_SUITE_P(Layout, SafetensorsRefusal, testing::ValuesIn(BadLayouts()), NameOf);
INSTANTIATE_TEST_SUITE_P(Checksums, SafetensorsRefusal, testing::ValuesIn(BadChecksums()), NameOf);
INSTANTIATE_TEST_SUITE_P(Foreign, SafetensorsRefusal, testing::ValuesIn(ForeignFiles()), NameOf);

TEST(SafetensorsLimits, AMillionEmptyTensors) {
  const TemporaryDirectory directory;
  std::string header = "{";
  for (int i = 0; i < 1'000'000; ++i) {
    header += (i == 0 ? "" : ",") + TensorJson("T" + std::to_string(i), "[0]", "[0,0]");
  }
  WriteFile(directory / "file", SafetensorsBytes(header + "}", ""));
  EXPECT_THAT(Refusal(directory / "file"), HasSubstr("got more than 100000 tensors, the limit"));
}

TEST(SafetensorsLimits, AHeaderAtTheLimitIsReadAndOneAboveIsNot) {
  const TemporaryDirectory directory;
  WriteFile(directory / "file", Length(100'000'000, "{}" + std::string(99'999'998, ' ')));
  EXPECT_EQ(Refusal(directory / "file"), "accepted");
  WriteFile(directory / "file", Length(100'000'001, "{}"));
  std::filesystem::resize_file(directory / "file", 200'000'000);
  EXPECT_THAT(Refusal(directory / "file"), HasSubstr("got 100000001, expected 2 … 100000000"));
}

// A header of 640 bytes has the first bytes of a pickle, one of 2056 nearly those of an ONNX file.
TEST(SafetensorsLimits, NoLengthIsMistakenForAnotherFormat) {
  const TemporaryDirectory directory;
  for (size_t length : {640u, 896u, 1152u, 0x708u, 0x808u, 0x8b1fu}) {
    WriteFile(directory / "file", SafetensorsBytes("{}" + std::string(length - 2, ' '), ""));
    EXPECT_EQ(Refusal(directory / "file"), "accepted");
  }
}

}  // namespace
}  // namespace weft
