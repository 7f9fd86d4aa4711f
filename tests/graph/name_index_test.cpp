// The table of names beside a std::map, through growth, collisions and holes.
#include "weft/graph/name_index.h"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(NameIndex, KnowsNothingAtFirst) {
  NameIndex index;
  EXPECT_EQ(index.Find("A"), kNoNode);
  index.Erase("A");
  EXPECT_TRUE(index.Insert("A", NodeId{1}));
  EXPECT_FALSE(index.Insert("A", NodeId{2}));
  EXPECT_EQ(index.Find("A"), NodeId{1});
}

TEST(NameIndex, IsEmptyButUsableAfterAMove) {
  NameIndex index;
  index.Insert("A", NodeId{1});
  const NameIndex moved = std::move(index);
  EXPECT_EQ(moved.Find("A"), NodeId{1});
  EXPECT_EQ(index.Find("A"), kNoNode);  // NOLINT(bugprone-use-after-move): that is the test
  EXPECT_TRUE(index.Insert("A", NodeId{2}));
}

TEST(NameIndex, EqualsAMapThroughInsertionsAndErasures) {
  std::mt19937_64 random(1);
  std::vector<std::string> names;
  for (int i = 0; i < 2'000; ++i) names.push_back("Scope/Name_" + std::to_string(i));
  NameIndex index;
  std::map<std::string, NodeId> expected;
  for (uint32_t i = 0; i < 100'000; ++i) {
    const std::string& name = names[random() % names.size()];
    if (random() % 3 == 0) {
      index.Erase(name);
      expected.erase(name);
    } else {
      EXPECT_EQ(index.Insert(name, NodeId{i}), expected.emplace(name, NodeId{i}).second);
    }
  }
  for (const std::string& name : names)
    EXPECT_EQ(index.Find(name), expected.contains(name) ? expected.at(name) : kNoNode) << name;
}

}  // namespace
}  // namespace weft
