// The table beside a std::map, through growth, collisions, holes and new numbers.
#include "weft/graph/hash_index.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(HashIndex, KnowsNothingAtFirst) {
  HashIndex index;
  const auto any = [](uint32_t) { return true; };
  EXPECT_EQ(index.Find(7, any), HashIndex::kNone);
  index.Insert(7, 1);
  EXPECT_EQ(index.Find(7, any), 1u);
  EXPECT_EQ(index.Find(7, [](uint32_t) { return false; }), HashIndex::kNone);
}

TEST(HashIndex, IsEmptyButUsableAfterAMove) {
  HashIndex index;
  const auto any = [](uint32_t) { return true; };
  index.Insert(7, 1);
  const HashIndex moved = std::move(index);
  EXPECT_EQ(moved.Find(7, any), 1u);
  EXPECT_EQ(index.Find(7, any), HashIndex::kNone);  // NOLINT(bugprone-use-after-move): that is the test
  index.Insert(7, 2);
  EXPECT_EQ(index.Find(7, any), 2u);
}

TEST(HashIndex, EqualsAMapThroughInsertionsErasuresAndNewNumbers) {
  std::mt19937_64 random(1);
  std::vector<std::string> names;
  for (int i = 0; i < 2'000; ++i) names.push_back("Scope/Name_" + std::to_string(i));
  const auto hash = [](const std::string& name) {
    return static_cast<uint32_t>(std::hash<std::string>{}(name) % 500);  // so that many are equal
  };
  HashIndex index;
  std::map<std::string, uint32_t> expected;
  const auto find = [&](const std::string& name) {
    return index.Find(hash(name), [&](uint32_t i) { return names[i % names.size()] == name; });
  };
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20'000; ++i) {
      const auto number = static_cast<uint32_t>(random() % names.size());
      const std::string& name = names[number];
      const uint32_t found = find(name);
      EXPECT_EQ(found, expected.contains(name) ? expected.at(name) : HashIndex::kNone);
      if (found == HashIndex::kNone) {
        index.Insert(hash(name), number);
        expected.emplace(name, number);
      } else if (random() % 2 == 0) {
        index.Erase(hash(name), found);
        expected.erase(name);
      }
    }
    // The next number that means the same name; nothing for every third.
    const auto now = [&](uint32_t number) {
      return number % 3 == 0 ? HashIndex::kNone : number + static_cast<uint32_t>(names.size());
    };
    index.Renumber(now);
    for (auto& [name, number] : expected) number = now(number);
    std::erase_if(expected, [](const auto& entry) { return entry.second == HashIndex::kNone; });
  }
  for (const std::string& name : names)
    EXPECT_EQ(find(name), expected.contains(name) ? expected.at(name) : HashIndex::kNone) << name;
}

}  // namespace
}  // namespace weft
