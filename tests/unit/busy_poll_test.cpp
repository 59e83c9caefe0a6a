#include "event/busy_poll.h"

#include <gtest/gtest.h>

namespace hc {
namespace {

class BusyPollTest : public testing::Test {
 protected:
  // Until the next look, and what comes of that.
  int sleeps_before_look(bool has_found) {
    int sleeps = 0;
    while (!habit.is_worth_a_look()) ++sleeps;
    habit.learn(has_found);
    return sleeps;
  }

  BusyPoll habit;
};

TEST_F(BusyPollTest, LooksEachTimeAsLongAsItFinds) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sleeps_before_look(true), 0);
}

TEST_F(BusyPollTest, LooksInVainGrowRare) {
  for (int sleeps : {0, 1, 3, 7, 15, 31, 63, 127, 255, 255}) EXPECT_EQ(sleeps_before_look(false), sleeps);
}

TEST_F(BusyPollTest, FindsMakeThemFrequentAgain) {
  for (int i = 0; i < 20; ++i) sleeps_before_look(false);
  for (int sleeps : {255, 127, 63, 31, 15, 7, 3, 1, 0, 0}) EXPECT_EQ(sleeps_before_look(true), sleeps);
}

TEST_F(BusyPollTest, OneOfTwoIsNoReasonToLookMore) {
  for (int i = 0; i < 8; ++i) sleeps_before_look(false);
  for (int i = 0; i < 10; ++i) {
    sleeps_before_look(true);
    EXPECT_GE(sleeps_before_look(false), 127);
  }
}

}  // namespace
}  // namespace hc
