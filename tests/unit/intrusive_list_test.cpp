#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <random>
#include <vector>

namespace hc {
namespace {

struct ByAge;
struct BySize;

struct Item : ListLink<ByAge>, ListLink<BySize> {
  explicit Item(int n) : number(n) {}
  int number;
};

using Ages = IntrusiveList<Item, ByAge>;
using Sizes = IntrusiveList<Item, BySize>;

template <typename List>
std::vector<int> numbers(List& list) {
  std::vector<int> out;
  for (Item* item = list.front(); item != nullptr; item = list.next(*item)) out.push_back(item->number);
  return out;
}

template <typename List>
std::vector<int> numbers_backwards(List& list) {
  std::vector<int> out;
  for (Item* item = list.back(); item != nullptr; item = list.previous(*item)) out.push_back(item->number);
  return out;
}

template <typename List>
void empty_out(List& list) {
  while (list.pop_front() != nullptr) {
  }
}

TEST(IntrusiveList, KeepsTheOrder) {
  Item a(1), b(2), c(3), d(4);
  Ages list;
  list.push_back(b);
  list.push_back(d);
  list.push_front(a);
  list.insert_after(b, c);
  EXPECT_EQ(numbers(list), (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(numbers_backwards(list), (std::vector{4, 3, 2, 1}));
  empty_out(list);
}

TEST(IntrusiveList, AnEmptyOneHasNoEnds) {
  Ages list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, RemovesFromAnywhere) {
  Item a(1), b(2), c(3);
  Ages list;
  for (Item* item : {&a, &b, &c}) list.push_back(*item);
  list.remove(b);
  EXPECT_EQ(numbers(list), (std::vector{1, 3}));
  a.ListLink<ByAge>::unlink();
  EXPECT_EQ(numbers(list), (std::vector{3}));
  EXPECT_EQ(list.pop_front(), &c);
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(c.ListLink<ByAge>::is_linked());
}

TEST(IntrusiveList, UnlinkingTwiceIsNoMatter) {
  Item a(1);
  Ages list;
  list.push_back(a);
  a.ListLink<ByAge>::unlink();
  a.ListLink<ByAge>::unlink();
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, OneObjectIsInTwoLists) {
  Item a(1), b(2);
  Ages ages;
  Sizes sizes;
  ages.push_back(a);
  ages.push_back(b);
  sizes.push_back(b);
  sizes.push_back(a);
  EXPECT_EQ(numbers(ages), (std::vector{1, 2}));
  EXPECT_EQ(numbers(sizes), (std::vector{2, 1}));
  ages.remove(a);
  EXPECT_TRUE(a.ListLink<BySize>::is_linked());
  empty_out(ages);
  empty_out(sizes);
}

TEST(IntrusiveList, AgreesWithStdList) {
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Item>> items;
  for (int i = 0; i < 50; ++i) items.push_back(std::make_unique<Item>(i));
  Ages list;
  std::list<int> model;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = *items[random() % items.size()];
    if (item.ListLink<ByAge>::is_linked()) {
      list.remove(item);
      model.remove(item.number);
    } else if (random() % 3 == 0 && !model.empty()) {
      auto place = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
      list.insert_after(*items[static_cast<size_t>(*place)], item);
      model.insert(std::next(place), item.number);
    } else if (random() % 2 == 0) {
      list.push_back(item);
      model.push_back(item.number);
    } else {
      list.push_front(item);
      model.push_front(item.number);
    }
    if (step % 100 == 0) {
      ASSERT_EQ(numbers(list), std::vector<int>(model.begin(), model.end()));
    }
  }
  empty_out(list);
}

TEST(IntrusiveListDeathTest, ALinkedObjectMayNotBeLinkedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Item a(1);
        Ages list;
        list.push_back(a);
        list.push_back(a);
      },
      "broken invariant");
}

TEST(IntrusiveListDeathTest, ALinkedObjectMayNotDie) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Ages list;
        Item a(1);
        list.push_back(a);
      },
      "broken invariant");
}

}  // namespace
}  // namespace hc
