#include "engine/race.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace hc {
namespace {

std::vector<IpAddress> three() {
  return {*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2"), *IpAddress::parse("::3")};
}

TEST(Race, GivesEachAddressOnceInOrder) {
  Race race(three());
  for (const IpAddress& address : three()) {
    ASSERT_TRUE(race.has_next());
    EXPECT_EQ(race.take_next(), address);
  }
  EXPECT_FALSE(race.has_next());
}

TEST(Race, OneThatWasNotTriedIsNextAgain) {
  Race race(three());
  race.take_next();
  race.take_next();
  race.put_back();
  EXPECT_EQ(race.take_next().to_string(), "192.0.2.2");
  EXPECT_EQ(race.take_next().to_string(), "::3");
  race.put_back();
  EXPECT_TRUE(race.has_next());
}

TEST(Race, OneFailureIsToldAsItIs) {
  Race race(three());
  race.note_failure(Status(HC_E_CONNECT, "refused").with_native(HC_NATIVE_ERRNO, ECONNREFUSED));
  EXPECT_EQ(race.failure().message(), "refused");
  EXPECT_EQ(race.failure().native_code(), ECONNREFUSED);
}

TEST(Race, OfManyFailuresTheFirstIsTold) {
  Race race(three());
  race.note_failure(Status(HC_E_CONNECT, "refused").with_native(HC_NATIVE_ERRNO, ECONNREFUSED));
  race.note_failure(Status(HC_E_TLS, "handshake").with_native(HC_NATIVE_TLS, 7));
  Status failure = race.failure();
  EXPECT_EQ(failure.code(), HC_E_CONNECT);
  EXPECT_EQ(failure.message(), "refused (first of 2 addresses that failed)");
  EXPECT_EQ(failure.native_domain(), HC_NATIVE_ERRNO);
  EXPECT_EQ(failure.native_code(), ECONNREFUSED);
}

TEST(Race, NobodyStartsByItselfUnlessTold) { EXPECT_EQ(Race(three()).next_start, kNever); }

}  // namespace
}  // namespace hc
