// A host that loads weft with a plug-in, uses it, and unloads it, a hundred times: nothing grows.
#include <dlfcn.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

struct Footprint {
  size_t mappings, threads, descriptors, resident_kib;
};

Footprint Measure() {
  Footprint footprint{};
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) ++footprint.mappings;
  const auto entries = [](const char* path) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  };
  footprint.threads = entries("/proc/self/task");
  footprint.descriptors = entries("/proc/self/fd");
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") status >> footprint.resident_kib;
  }
  return footprint;
}

void LoadAndRun() {
  void* const plugin = dlopen(WEFT_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(plugin, nullptr) << dlerror();
  const auto run = reinterpret_cast<int (*)()>(dlsym(plugin, "RunPlugin"));
  ASSERT_NE(run, nullptr) << dlerror();
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(dlclose(plugin), 0) << dlerror();
}

TEST(Plugin, IsLoadedAHundredTimesWithoutGrowth) {
  for (int i = 0; i < 20; ++i) LoadAndRun();  // whatever stays is there
  const Footprint before = Measure();
  for (int i = 0; i < 100; ++i) LoadAndRun();
  const Footprint after = Measure();
  EXPECT_LE(after.mappings, before.mappings + 2);
  EXPECT_LE(after.threads, before.threads);
  EXPECT_LE(after.descriptors, before.descriptors);
  EXPECT_LE(after.resident_kib, before.resident_kib + 2048) << "20 KiB each time";
}

}  // namespace
}  // namespace weft
