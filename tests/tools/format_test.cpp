#include "hcx/format.h"

#include <gtest/gtest.h>

namespace hc::hcx {
namespace {

TEST(Format, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(fixed(1234.56, 1), "1,234.6");
  EXPECT_EQ(fixed(12.3, 0), "12");
}

TEST(Format, ChoosesUnits) {
  EXPECT_EQ(duration(0), "0 us");
  EXPECT_EQ(duration(412'000), "412 us");
  EXPECT_EQ(duration(12'340'000), "12.3 ms");
  EXPECT_EQ(duration(412'340'000), "412 ms");
  EXPECT_EQ(duration(1'923'000'000), "1.92 s");
  EXPECT_EQ(duration(125'000'000'000), "2 min 5 s");
  EXPECT_EQ(bytes(999), "999 B");
  EXPECT_EQ(bytes(12'345), "12.3 kB");
  EXPECT_EQ(bytes(52'100'000), "52.1 MB");
  EXPECT_EQ(bytes(999'950), "1.0 MB");
}

// Rounding must not print "1,000 ms" or "100.0 ms" beside "101 ms".
TEST(Format, RoundsUpIntoTheNextUnit) {
  EXPECT_EQ(duration(999'500), "1.0 ms");
  EXPECT_EQ(duration(99'950'000), "100 ms");
  EXPECT_EQ(duration(999'950'000), "1.00 s");
}

TEST(Format, SharesOfNothingAreADash) {
  EXPECT_EQ(percent(1, 8), "12.5 %");
  EXPECT_EQ(percent(0, 0), "-");
}

TEST(Format, PluralFollowsTheCount) {
  EXPECT_EQ(plural(1, "socket"), "1 socket");
  EXPECT_EQ(plural(0, "socket"), "0 sockets");
}

TEST(Format, PadsToAWidth) {
  EXPECT_EQ(left("ab", 4), "ab  ");
  EXPECT_EQ(right("ab", 4), "  ab");
  EXPECT_EQ(right("abcdef", 4), "abcdef");
}

TEST(Percentiles, AreNearestRanks) {
  std::vector<std::uint64_t> samples;
  for (std::uint64_t i = 100; i > 0; --i) samples.push_back(i);
  const Percentiles values = percentiles_of(samples);
  EXPECT_EQ(values.p50, 50U);
  EXPECT_EQ(values.p90, 90U);
  EXPECT_EQ(values.p99, 99U);
  EXPECT_EQ(values.max, 100U);
}

TEST(Percentiles, OfOneAndOfNone) {
  EXPECT_EQ(percentiles_of({7}).p50, 7U);
  EXPECT_EQ(percentiles_of({7}).p99, 7U);
  EXPECT_EQ(percentiles_of({}).max, 0U);
}

TEST(Printable, LeavesNoControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31m\r\nb\x7f"), "a?[31m??b?");
  EXPECT_EQ(printable("a\tb"), "a\tb");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m\xc2\x85"),
            "?31m?");
}

TEST(Printable, LeavesNothingThatIsNotUtf8) {
  EXPECT_EQ(printable("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0"),
            "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0");
  EXPECT_EQ(printable("\x9b"
                      "31m \xe4x \xc3"),
            "?31m ?x ?");
  EXPECT_EQ(printable("\xe2\x9b"
                      "3"),
            "??3");
}

}  // namespace
}  // namespace hc::hcx
