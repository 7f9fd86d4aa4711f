// Files that break a rule of safetensors, and what is said of each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/tests/support/safetensors_bytes.h"

namespace weft {

struct BadSafetensors {
  int row;  // of tests/inputs
  const char* name;
  std::string bytes;
  const char* message;  // what stands before and behind the path, with "…" between
};

namespace internal {

inline std::string One(std::string_view shape, std::string_view offsets, size_t data_bytes,
                       std::string_view dtype = "F32") {
  return ZerosFile({TensorJson("A", shape, offsets, dtype)}, data_bytes);
}

inline std::string Named(const std::string& name) { return ZerosFile({TensorJson(name, "[2]", "[0,8]")}, 8); }

inline std::string Length(uint64_t length, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&length), 8) + rest;
}

inline std::string Repeated(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

inline std::vector<BadSafetensors> BadLengths() {
  return {
      {35, "NoBytes", "", "header length: …: got 0 bytes, expected 8: it is missing"},
      {35, "SevenBytes", std::string(7, '\1'), "header length: …: got 7 bytes, expected 8: it is missing"},
      {36, "OnlyTheLength", Length(2, ""), "header length: …: got 2, expected 2 … 0"},
      {36, "ZeroLength", Length(0, "{}"), "header length: …: got 0, expected 2 … 2"},
      {36, "LengthOfOne", Length(1, "{}"), "header length: …: got 1, expected 2 … 2"},
      {36, "LengthBeyondTheFile", Length(3, "{}"), "header length: …: got 3, expected 2 … 2 (10 bytes of file"},
      {36, "LengthBeyondTheLimit", Length(100'000'001, "{}"), "header length: …: got 100000001, "},
      {36, "LargestLength", Length(UINT64_MAX, "{}"), "header length: …: got 18446744073709551615, "},
  };
}

inline std::vector<BadSafetensors> BadText() {
  const std::string good = TensorJson("A", "[2]", "[0,8]");
  return {
      {37, "SpaceFirst", SafetensorsBytes(" {}", ""), "header: …: got ' ' first, expected '{'"},
      {37, "ByteOrderMark", SafetensorsBytes("\xEF\xBB\xBF{}", ""), "header: …: got '\\xef' first, expected '{'"},
      {38, "List", SafetensorsBytes("[]", ""), "header: …: got '[' first, expected '{'"},
      {37, "NewlineBehind", SafetensorsBytes("{}\n", ""), "header: …: got '\\x0a' last, expected '}'"},
      {37, "TabBehind", SafetensorsBytes("{}\t ", ""), "header: …: got '\\x09' last, expected '}'"},
      {37, "ZeroBehind", SafetensorsBytes(std::string("{}\0", 3), ""), "header: …: got '\\x00' last, expected '}'"},
      {38, "ZeroAsTheEnd", SafetensorsBytes(std::string("{}\0{}", 5), ""),
       "header: …: got no JSON at byte 3 of it: a zero byte"},
      {38, "ZeroWithin", SafetensorsBytes(std::string("{\"A\":\0{}}", 9), ""),
       "header: …: got no JSON at byte 6 of it"},
      {38, "TwoObjects", SafetensorsBytes("{}{}", ""), "header: …: got no JSON at byte 3 of it"},
      {38, "Unfinished", SafetensorsBytes("{\"A\":}", ""), "header: …: got no JSON at byte 6 of it"},
      {38, "TrailingComma", SafetensorsBytes("{" + good + ",}", std::string(8, '\0')), "header: …: got no JSON"},
      {38, "Comment", SafetensorsBytes("{/**/}", ""), "header: …: got no JSON"},
      {38, "NotANumber", SafetensorsBytes("{\"A\":NaN}", ""), "header: …: got no JSON"},
      {37, "NotUtf8InAName", Named("A\xFF"),
       "header: …: got no JSON at byte 4 of it: syntax error while parsing object key - invalid string: ill-formed "
       "UTF-8"},
      {37, "OverlongUtf8", Named("\xC0\xAF"), "ill-formed UTF-8"},
      {37, "NotUtf8Outside", SafetensorsBytes("{\xFF}", ""), "header: …: got no JSON"},
      {37, "LoneSurrogate", Named("\\ud800"), "header: …: got no JSON"},
      {38, "RawControlCharacter", Named("A\x1b"), "header: …: got no JSON"},
      {38, "Nested10000Deep", SafetensorsBytes("{\"A\":" + Repeated("[", 10'000) + "}", ""),
       "tensor 'A': …: got a list, expected an object"},
      {38, "NestedInTheShape", SafetensorsBytes("{\"A\":{\"shape\":" + Repeated("[", 1'000'000) + "}", ""),
       "shape of tensor 'A': …: got a list, expected an integer"},
      {38, "NestedObjects", SafetensorsBytes("{\"A\":{\"shape\":{\"a\":{\"a\":{}}}}}", ""),
       "shape of tensor 'A': …: got an object, expected a list of integers"},
      {38, "NestedMetadata", SafetensorsBytes("{\"__metadata__\":{\"a\":" + Repeated("{\"a\":", 10'000) + "}", ""),
       "__metadata__ 'a': …: got an object, expected a string"},
  };
}

inline std::vector<BadSafetensors> BadEntries() {
  const std::string good = TensorJson("A", "[2]", "[0,8]");
  const std::string megabyte(1'000'000, 'n');
  return {
      {39, "NameTwice", ZerosFile({good, good}, 8), "header: …: got 'A' twice"},
      {39, "NameTwiceByEscape", ZerosFile({good, TensorJson("\\u0041", "[0]", "[8,8]")}, 8),
       "header: …: got 'A' twice"},
      {39, "MetadataTwice", SafetensorsBytes("{\"__metadata__\":{},\"__metadata__\":{}}", ""),
       "header: …: got '__metadata__' twice"},
      {39, "FieldTwice", SafetensorsBytes("{\"A\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", ""),
       "tensor 'A': …: got 'dtype' twice"},
      {38, "UnknownField", SafetensorsBytes("{\"A\":{\"strides\":[1]}}", ""),
       "tensor 'A': …: got 'strides', expected dtype, shape and data_offsets"},
      {45, "NoDtype", SafetensorsBytes("{\"A\":{\"shape\":[],\"data_offsets\":[0,0]}}", ""),
       "tensor 'A': …: got no dtype"},
      {42, "NoShape", SafetensorsBytes("{\"A\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", ""),
       "tensor 'A': …: got no shape"},
      {44, "NoOffsets", SafetensorsBytes("{\"A\":{\"dtype\":\"F32\",\"shape\":[]}}", ""),
       "tensor 'A': …: got no data_offsets"},
      {38, "EntryIsANumber", SafetensorsBytes("{\"A\":7}", ""), "tensor 'A': …: got 7, expected an object"},
      {38, "EntryIsNull", SafetensorsBytes("{\"A\":null}", ""), "tensor 'A': …: got null, expected an object"},
      {45, "UnknownDtype", One("[2]", "[0,8]", 8, "f32"),
       "dtype of tensor 'A': …: got \"f32\", expected F32, F64, I64 or BOOL"},
      {45, "UnsupportedDtype", One("[2]", "[0,4]", 4, "BF16"),
       "dtype of tensor 'A': …: got \"BF16\", which is not supported, expected F32, F64, I64 or BOOL"},
      {45, "UnsupportedF8", One("[2]", "[0,2]", 2, "F8_E4M3"), "which is not supported"},
      {45, "DtypeIsANumber", SafetensorsBytes("{\"A\":{\"dtype\":32}}", ""),
       "dtype of tensor 'A': …: got 32, expected a string"},
      {49, "EmptyName", Named(""), "tensor name: …: name '': is empty"},
      {49, "LongName", Named(std::string(513, 'n')), "tensor name: …: got 513 bytes, expected at most 512"},
      {49, "MegabyteName", Named(megabyte), "tensor name: …: got 1000000 bytes, expected at most 512"},
      {49, "ZeroInTheName", Named("A\\u0000B"), "tensor name: …: name 'A\\x00B': has a control character"},
      {49, "EscapeInTheName", Named("\\u001b[31m"), "tensor name: …: name '\\x1b[31m': has a control character"},
      {49, "SlashFirst", Named("/etc/passwd"), "tensor name: …: name '/etc/passwd': has an empty component"},
      {47, "MetadataIsAString", SafetensorsBytes("{\"__metadata__\":\"x\"}", ""),
       "__metadata__: …: got \"x\", expected an object of strings"},
      {47, "MetadataHasANumber", SafetensorsBytes("{\"__metadata__\":{\"step\":3}}", ""),
       "__metadata__ 'step': …: got 3, expected a string"},
      {47, "MetadataHasNull", SafetensorsBytes("{\"__metadata__\":{\"step\":null}}", ""),
       "__metadata__ 'step': …: got null, expected a string"},
      {47, "MetadataHasAList", SafetensorsBytes("{\"__metadata__\":{\"step\":[]}}", ""),
       "__metadata__ 'step': …: got a list, expected a string"},
      {39, "MetadataKeyTwice", SafetensorsBytes("{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"1\"}}", ""),
       "__metadata__: …: got 'a' twice"},
      {47, "MetadataTooLong",
       SafetensorsBytes("{\"__metadata__\":{\"a\":\"" + std::string(size_t{1} << 20, 'x') + "\"}}", ""),
       "__metadata__: …: got more than 1048576 bytes"},
      {47, "MetadataOf50Megabytes",
       SafetensorsBytes("{\"__metadata__\":{\"a\":\"" + std::string(50'000'000, 'x') + "\"}}", ""),
       "header length: …: got 500000"},
  };
}

inline std::vector<BadSafetensors> BadNumbers() {
  std::vector<BadSafetensors> rows;
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
    rows.push_back({44, number.name, One(list, "[0,8]", 8), number.message});
    rows.push_back({44, number.name, One("[2]", pair, 8), number.message});
  }
  rows.push_back({44, "ShapeIsNamed", One("[1.0]", "[0,4]", 4), "shape of tensor 'A': …: got 1.0, "});
  rows.push_back({44, "OffsetsAreNamed", One("[1]", "[0,4.0]", 4), "data_offsets of tensor 'A': …: got 4.0, "});
  rows.push_back(
      {44, "ShapeIsANumber", One("2", "[0,8]", 8), "shape of tensor 'A': …: got 2, expected a list of integers"});
  rows.push_back({44, "OffsetsAreAString", One("[2]", "\"0,8\"", 8),
                  "data_offsets of tensor 'A': …: got \"0,8\", expected a list of integers"});
  rows.push_back({44, "OneOffset", One("[2]", "[8]", 8), "data_offsets of tensor 'A': …: got 1 integers, expected 2"});
  rows.push_back({44, "ThreeOffsets", One("[2]", "[0,8,16]", 8),
                  "data_offsets of tensor 'A': …: got more than 2 integers, expected 2"});
  rows.push_back(
      {42, "SevenAxes", One("[1,1,1,1,1,1,1]", "[0,4]", 4), "shape of tensor 'A': …: got more than 6 integers"});
  return rows;
}

inline std::vector<BadSafetensors> BadLayouts() {
  const std::string a = TensorJson("A", "[2]", "[0,8]"), b = TensorJson("B", "[2]", "[8,16]");
  return {
      {40, "EndBeforeBegin", One("[2]", "[8,0]", 8),
       "data_offsets of tensor 'A': …: got [8, 0], expected a range within the 8 bytes of data"},
      {40, "BeyondTheData", One("[3]", "[0,12]", 8),
       "data_offsets of tensor 'A': …: got [0, 12], expected a range within the 8 bytes of data"},
      {40, "FarBeyondTheData", One("[2]", "[9007199254740984,9007199254740992]", 8),
       "expected a range within the 8 bytes"},
      {40, "NotFromZero", One("[2]", "[4,12]", 12),
       "data_offsets of tensor 'A': …: got [4, 12], expected it to begin at 0: there is a hole"},
      {40, "Overlap", ZerosFile({a, TensorJson("B", "[2]", "[4,12]")}, 12),
       "data_offsets of tensor 'B': …: got [4, 12], expected it to begin at 8: it overlaps tensor 'A'"},
      {40, "SameRange", ZerosFile({a, TensorJson("B", "[2]", "[0,8]")}, 8), "it overlaps tensor 'A'"},
      {40, "Hole", ZerosFile({a, TensorJson("B", "[2]", "[12,20]")}, 20),
       "data_offsets of tensor 'B': …: got [12, 20], expected it to begin at 8: there is a hole"},
      {41, "EmptyWithin", ZerosFile({a, TensorJson("Z", "[0]", "[4,4]")}, 8),
       "data_offsets of tensor 'Z': …: got [4, 4], expected it to begin at 8: it overlaps tensor 'A'"},
      {41, "EmptyBehindAHole", ZerosFile({a, TensorJson("Z", "[0]", "[12,12]")}, 12), "data_offsets of tensor 'Z'"},
      {46, "BytesBehind", ZerosFile({a, b}, 38), "data: …: got 22 bytes behind the last tensor, expected none"},
      {46, "BytesWithoutTensors", SafetensorsBytes("{}", "PK\3\4"),
       "data: …: got 4 bytes behind the last tensor, expected none"},
      {42, "TooFewBytes", One("[3]", "[0,8]", 8), "tensor 'A': …: got 8 bytes, expected 12 for f32[3]"},
      {42, "TooManyBytes", One("[]", "[0,8]", 8), "tensor 'A': …: got 8 bytes, expected 4 for f32[]"},
      {43, "WrapsToFour", One("[4194305,4194305,211106198978564]", "[0,16]", 16), "shape of tensor 'A': …: overflow: "},
      {43, "SquareOf2To32", One("[4294967296,4294967296]", "[0,0]", 0), "shape of tensor 'A': …: overflow: "},
      {43, "BytesOverflow", One("[9007199254740992]", "[0,0]", 0, "F64"), "shape of tensor 'A': …: overflow: "},
      {43, "LargestElements", One("[1099511627777]", "[0,0]", 0, "BOOL"), "shape of tensor 'A': …: overflow: "},
      {42, "ALotDeclared", One("[1099511627776]", "[0,0]", 0, "F64"),
       "tensor 'A': …: got 0 bytes, expected 8796093022208 for f64[1099511627776]"},
      {42, "BoolOfTwo", SafetensorsBytes("{" + TensorJson("A", "[3]", "[0,3]", "BOOL") + "}", std::string("\1\0\2", 3)),
       "tensor 'A': …: got 2 at index 2, expected a bool as 0 or 1"},
  };
}

inline std::vector<BadSafetensors> BadChecksums() {
  const auto file = [](const std::string& metadata) {
    return ZerosFile({"\"__metadata__\":" + metadata, TensorJson("A", "[2]", "[0,8]")}, 8);
  };
  return {
      {55, "ChecksumsWithoutTheirOwn", file(R"({"crc32c":"{}"})"),
       "checksums: …: got only one of crc32c and crc32c_metadata"},
      {55, "TheirOwnAlone", file(R"({"crc32c_metadata":"00000000"})"),
       "checksums: …: got only one of crc32c and crc32c_metadata"},
      {55, "WrongMetadataChecksum", file(R"({"crc32c":"{}","crc32c_metadata":"\u001b[31m"})"),
       "metadata checksum: …: got "},
  };
}

inline std::vector<BadSafetensors> ForeignFiles() {
  const std::string rest(100, 'x');
  return {
      {59, "Zip", "PK\3\4" + rest,
       "file: …: this is a zip archive (PyTorch and NumPy write such), not a safetensors file"},
      {59, "Pickle", "\x80\2\x8a\x0a" + rest, "this is a Python pickle"},
      {59, "Pickle4", "\x80\4\x95" + rest, "this is a Python pickle"},
      {59, "Hdf5", "\x89HDF\r\n\x1a\n" + rest, "this is an HDF5 file"},
      {59, "Gguf", "GGUF\3" + rest, "this is a GGUF file"},
      {59, "Numpy", "\x93NUMPY\1" + rest, "this is a NumPy array"},
      {59, "Gzip", "\x1f\x8b\x08" + rest, "this is a gzip file"},
      {59, "Html", "\n<!DOCTYPE HTML><title>404</title>" + rest, "this is an HTML page"},
      {59, "Html2", "<html><body>" + rest, "this is an HTML page"},
      {61, "GitLfs", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
       "this is a Git LFS pointer"},
      {59, "Onnx", "\x08\x07\x12\x07pytorch" + rest, "this is an ONNX file"},
      {59, "Json", "{\"step\": 3}", "this is a JSON file"},
      {59, "ShortZip", "PK\3\4", "this is a zip archive"},
  };
}

}  // namespace internal

inline std::vector<BadSafetensors> AllBadSafetensors() {
  using namespace internal;
  std::vector<BadSafetensors> all;
  for (const auto& rows :
       {BadLengths(), BadText(), BadEntries(), BadNumbers(), BadLayouts(), BadChecksums(), ForeignFiles()})
    all.insert(all.end(), rows.begin(), rows.end());
  return all;
}

}  // namespace weft
