// Files that break a rule of the format are refused, each with a sentence that says which rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/graph/error.h"
#include "weft/graph/runtime/safetensors.h"
#include "weft/tests/support/bad_safetensors.h"
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

class SafetensorsRefusal : public testing::TestWithParam<BadSafetensors> {};

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

std::string NameOf(const testing::TestParamInfo<BadSafetensors>& row) {
  return std::to_string(row.index) + row.param.name;
}

INSTANTIATE_TEST_SUITE_P(All, SafetensorsRefusal, testing::ValuesIn(AllBadSafetensors()), NameOf);

// A header of 640 bytes has the first bytes of a pickle, one of 2056 nearly those of an ONNX file.
TEST(SafetensorsRefusals, NoLengthIsMistakenForAnotherFormat) {
  const TemporaryDirectory directory;
  for (size_t length : {640u, 896u, 1152u, 0x708u, 0x808u, 0x8b1fu}) {
    WriteFile(directory / "file", SafetensorsBytes("{}" + std::string(length - 2, ' '), ""));
    EXPECT_EQ(Refusal(directory / "file"), "accepted");
  }
}

}  // namespace
}  // namespace weft
