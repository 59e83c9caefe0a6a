#include "base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

#include "support/no_descriptors.h"

namespace hc {
namespace {

int open_one() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(Fd, ClosesWhatItOwns) {
  int number = open_one();
  { Fd owner(number); }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesItsDescriptor) {
  int number = open_one();
  Fd first(number);
  Fd second(std::move(first));
  EXPECT_FALSE(first.is_open());
  EXPECT_EQ(second.get(), number);
  Fd third(open_one());
  int replaced = third.get();
  third = std::move(second);
  EXPECT_EQ(third.get(), number);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, TellsWhetherThereAreDescriptors) {
  EXPECT_EQ(descriptor_shortage(), 0);
  test::NoDescriptors none;
  EXPECT_EQ(descriptor_shortage(), EMFILE);
}

TEST(Fd, AssignedToItselfStaysOpen) {
  Fd owner(open_one());
  Fd& same = owner;
  owner = std::move(same);
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(Fd, GivesItsDescriptorAway) {
  Fd owner(open_one());
  int number = owner.release();
  EXPECT_FALSE(owner.is_open());
  EXPECT_TRUE(is_open(number));
  close(number);
}

TEST(Fd, StartsWithNone) {
  Fd none;
  EXPECT_FALSE(none.is_open());
  EXPECT_EQ(none.get(), -1);
  none.reset();
}

}  // namespace
}  // namespace hc
