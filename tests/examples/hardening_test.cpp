// How the tool was built and linked.
#include <elf.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "weft/tests/support/temporary_directory.h"

namespace weft {
namespace {

using testing::HasSubstr;
using testing::Not;

// The headers of a 64-bit ELF file in memory.
class Elf {
 public:
  explicit Elf(const std::string& path) : bytes_(ReadFile(path)), header_(At<Elf64_Ehdr>(0)) {}

  bool is_elf() const { return std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0; }
  bool is_position_independent() const { return header_.e_type == ET_DYN; }

  const Elf64_Phdr* Segment(uint32_t type) const {
    for (size_t i = 0; i < header_.e_phnum; ++i) {
      const auto& segment = At<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == type) return &segment;
    }
    return nullptr;
  }

  uint64_t Dynamic(int64_t tag) const {
    const Elf64_Phdr* segment = Segment(PT_DYNAMIC);
    for (size_t at = segment->p_offset; at < segment->p_offset + segment->p_filesz; at += sizeof(Elf64_Dyn)) {
      if (const auto& entry = At<Elf64_Dyn>(at); entry.d_tag == tag) return entry.d_un.d_val;
    }
    return 0;
  }

  bool Has(std::string_view name) const { return bytes_.find(name) != std::string::npos; }

 private:
  template <class T>
  const T& At(size_t offset) const {
    return *reinterpret_cast<const T*>(bytes_.data() + offset);
  }

  std::string bytes_;
  const Elf64_Ehdr& header_;
};

// The commands that compile the library and the tool.
std::vector<std::string> Commands() {
  const auto database =
      nlohmann::json::parse(ReadFile(std::filesystem::path(WEFT_BUILD_DIR) / "compile_commands.json"));
  std::vector<std::string> commands;
  for (const auto& entry : database) commands.push_back(entry.at("command"));
  return commands;
}

TEST(Hardening, NoFlagMakesBitsDependOnTheMachineOrTheCompiler) {
  const std::vector<std::string> commands = Commands();
  EXPECT_GT(commands.size(), 100U);
  for (const std::string& command : commands) {
    for (const char* flag :
         {"-ffast-math", "-Ofast", "-march=native", "-mtune=native", "-funsafe-math", "-fno-math-errno"})
      EXPECT_THAT(command, Not(HasSubstr(flag)));
    EXPECT_THAT(command, HasSubstr("-ffp-contract=off"));
  }
}

TEST(Hardening, NothingThatFlushesSmallNumbersIsLinked) {
  const Elf tool(WEFT_VAE_BINARY);
  ASSERT_TRUE(tool.is_elf());
  EXPECT_FALSE(tool.Has("set_fast_math")) << "crtfastmath";
}

TEST(Hardening, TheToolIsHardenedWhereItIsReleased) {
  const Elf tool(WEFT_VAE_BINARY);
  ASSERT_TRUE(tool.is_elf());
  if (std::string_view(WEFT_BUILD_TYPE) != "Release" || !std::string_view(WEFT_SANITIZERS).empty())
    GTEST_SKIP() << "a build of type " << WEFT_BUILD_TYPE << " with sanitizers '" << WEFT_SANITIZERS << "'";
  EXPECT_TRUE(tool.is_position_independent());
  EXPECT_NE(tool.Segment(PT_GNU_RELRO), nullptr);
  EXPECT_TRUE((tool.Dynamic(DT_FLAGS) & DF_BIND_NOW) != 0 || (tool.Dynamic(DT_FLAGS_1) & DF_1_NOW) != 0);
  ASSERT_NE(tool.Segment(PT_GNU_STACK), nullptr);
  EXPECT_EQ(tool.Segment(PT_GNU_STACK)->p_flags & PF_X, 0U);
  EXPECT_TRUE(tool.Has("__stack_chk_fail"));
  EXPECT_TRUE(tool.Has("memcpy_chk")) << "_FORTIFY_SOURCE";
}

}  // namespace
}  // namespace weft
