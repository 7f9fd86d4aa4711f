// The tool under an address space that ends early: it ends with one sentence and its exit code, never by a signal, and
// what was there before is kept.
#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weft/tests/examples/tool_test.h"

namespace weft {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasShadow = true;  // terabytes of it
#else
constexpr bool kHasShadow = false;
#endif

class AddressSpace : public ToolTest {
 protected:
  static Outcome RunWithin(rlim_t bytes, const std::vector<std::string>& arguments) {
    Launch launch;
    launch.in_child = [bytes] {
      const rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
      setrlimit(RLIMIT_AS, &limit);
    };
    return RunTool(arguments, launch);
  }

  // The least that is enough, to a MiB.
  static rlim_t Enough(const std::vector<std::string>& arguments, const std::function<void()>& clean) {
    rlim_t low = 0, high = 1024;
    while (high - low > 1) {
      const rlim_t middle = (low + high) / 2;
      (RunWithin(middle << 20, arguments).code == 0 ? high : low) = middle;
      clean();
    }
    return high << 20;
  }
};

// From what is enough to load the program to what is enough for all.
TEST_F(AddressSpace, EndsInOrderWhateverItsSize) {
  if (kHasShadow) GTEST_SKIP() << "a sanitizer needs an address space of its own";
  const std::filesystem::path out = own_ / "out";
  const std::vector<std::string> training = Training({"--epochs", "1", "--threads", "2", "--out", out.string()});
  const auto clean = [&] { std::filesystem::remove_all(out); };
  const rlim_t least = Enough({"--help"}, [] {}), most = Enough(training, clean);
  ASSERT_LT(least, most);
  constexpr rlim_t kSteps = 20;
  size_t refused = 0;
  for (rlim_t step = 0; step <= kSteps; ++step) {
    const rlim_t bytes = least + (most - least) * step / kSteps;
    const Outcome outcome = RunWithin(bytes, training);
    SCOPED_TRACE(std::to_string(bytes >> 10) + " KiB: " + outcome.err);
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 7) << outcome.code;
    if (outcome.code == 7) ExpectError(outcome, 7, "memory: ");
    refused += outcome.code == 7;
    clean();
  }
  EXPECT_GT(refused, kSteps / 2) << least << " … " << most;
}

}  // namespace
}  // namespace weft
