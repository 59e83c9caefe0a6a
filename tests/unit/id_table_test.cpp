#include "base/id_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace hc {
namespace {

TEST(IdTable, FindsWhatWasInserted) {
  IdTable<int> table;
  int one = 1;
  int two = 2;
  table.insert(1, &one);
  table.insert(2, &two);
  EXPECT_EQ(table.find(1), &one);
  EXPECT_EQ(table.find(2), &two);
  EXPECT_EQ(table.find(3), nullptr);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.size(), 2U);
}

TEST(IdTable, AnErasedIdMisses) {
  IdTable<int> table;
  int object = 0;
  table.insert(7, &object);
  table.erase(7);
  table.erase(7);
  EXPECT_EQ(table.find(7), nullptr);
  EXPECT_EQ(table.size(), 0U);
}

// 31 of 64 places is as full as the smallest table gets: over many starts, runs collide, wrap and close their gaps.
TEST(IdTable, AnEraseLosesNobodyElse) {
  std::vector<int> objects(31);
  for (uint64_t start = 1; start < 2'000; start += 7) {
    IdTable<int> table;
    for (uint64_t i = 0; i < objects.size(); ++i) table.insert(start + i * 5, &objects[i]);
    uint64_t gone = start % objects.size();
    table.erase(start + gone * 5);
    for (uint64_t i = 0; i < objects.size(); ++i) {
      ASSERT_EQ(table.find(start + i * 5), i == gone ? nullptr : &objects[i]) << start << ' ' << i;
    }
  }
}

TEST(IdTable, GrowsWithItsContent) {
  IdTable<uint64_t> table;
  std::vector<uint64_t> objects(100'000);
  for (uint64_t i = 0; i < objects.size(); ++i) table.insert(i + 1, &objects[i]);
  for (uint64_t i = 0; i < objects.size(); ++i) ASSERT_EQ(table.find(i + 1), &objects[i]);
  EXPECT_EQ(table.size(), objects.size());
}

TEST(IdTable, VisitsEachOnce) {
  IdTable<uint64_t> table;
  std::vector<uint64_t> objects(200);
  std::set<uint64_t*> expected;
  for (uint64_t i = 0; i < objects.size(); ++i) {
    table.insert(i * 3 + 1, &objects[i]);
    expected.insert(&objects[i]);
  }
  std::multiset<uint64_t*> visited;
  table.for_each([&](uint64_t& object) { visited.insert(&object); });
  EXPECT_TRUE(std::equal(visited.begin(), visited.end(), expected.begin(), expected.end()));
}

class IdTableRandom : public testing::TestWithParam<uint32_t> {};

TEST_P(IdTableRandom, AgreesWithStdMap) {
  std::mt19937 random(GetParam());
  IdTable<uint64_t> table;
  std::map<uint64_t, uint64_t*> model;
  std::vector<uint64_t> objects(20'000);
  uint64_t last_id = 0;
  for (uint64_t& object : objects) {
    last_id += 1 + (random() % 4 == 0 ? random() % 200 : 0);
    table.insert(last_id, &object);
    model[last_id] = &object;
    size_t keep = 10 + GetParam() * 50;
    while (model.size() > keep) {
      auto victim = random() % 2 == 0 ? model.begin() : model.lower_bound(last_id - random() % (last_id + 1));
      if (victim == model.end()) victim = model.begin();
      table.erase(victim->first);
      model.erase(victim);
    }
    uint64_t probe = 1 + random() % (last_id + 2);
    auto found = model.find(probe);
    ASSERT_EQ(table.find(probe), found == model.end() ? nullptr : found->second);
    ASSERT_EQ(table.size(), model.size());
  }
  for (auto [id, object] : model) ASSERT_EQ(table.find(id), object);
  for (uint64_t id = 1; id <= last_id; ++id) ASSERT_EQ(table.find(id) != nullptr, model.count(id) == 1);
}

INSTANTIATE_TEST_SUITE_P(Seeds, IdTableRandom, testing::Range(0U, 8U));

}  // namespace
}  // namespace hc
