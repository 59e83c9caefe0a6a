#include "hcx/option_parser.h"

#include <gtest/gtest.h>

namespace hc::hcx {
namespace {

class OptionParserTest : public testing::Test {
 protected:
  OptionParserTest() {
    parser_.flag("-v --verbose", [this] { ++verbose_; });
    parser_.flag("-k", [this] { ++insecure_; });
    parser_.value("-o --output", [this](const std::string& value) { output_ += "[" + value + "]"; });
  }
  using Strings = std::vector<std::string>;

  OptionParser parser_;
  int verbose_ = 0;
  int insecure_ = 0;
  std::string output_;
};

TEST_F(OptionParserTest, KeepsTheRestInOrder) {
  EXPECT_EQ(parser_.parse({"a", "-v", "b", "-"}), (Strings{"a", "b", "-"}));
  EXPECT_EQ(verbose_, 1);
}

TEST_F(OptionParserTest, TakesValuesInAllForms) {
  EXPECT_EQ(parser_.parse({"-o", "1", "-o2", "--output", "3", "--output=4", "--output="}), Strings{});
  EXPECT_EQ(output_, "[1][2][3][4][]");
}

TEST_F(OptionParserTest, JoinsShortOptions) {
  parser_.parse({"-vkvo", "-x"});
  EXPECT_EQ(verbose_, 2);
  EXPECT_EQ(insecure_, 1);
  EXPECT_EQ(output_, "[-x]");
}

TEST_F(OptionParserTest, TakesEverythingAfterTwoDashes) {
  EXPECT_EQ(parser_.parse({"--", "-v", "--output"}), (Strings{"-v", "--output"}));
  EXPECT_EQ(verbose_, 0);
}

TEST_F(OptionParserTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parser_.parse({"-x"}), UsageError);
  EXPECT_THROW(parser_.parse({"-vx"}), UsageError);
  EXPECT_THROW(parser_.parse({"--verb"}), UsageError);
  EXPECT_THROW(parser_.parse({"--verbose=1"}), UsageError);
  EXPECT_THROW(parser_.parse({"-o"}), UsageError);
  EXPECT_THROW(parser_.parse({"--output"}), UsageError);
}

TEST(ToNumber, AcceptsGroupedDigits) {
  EXPECT_EQ(to_number("50,000", "--requests"), 50'000U);
  EXPECT_EQ(to_number("1_000", "--requests"), 1000U);
}

TEST(ToNumber, RefusesTheRest) {
  for (const char* text : {"", "-1", "x", "5x", "1.5", " 5", "99999999999999999999"}) {
    EXPECT_THROW(to_number(text, "--limit"), UsageError) << text;
  }
  EXPECT_THROW(to_number("0", "--repeat", 1), UsageError);
  EXPECT_THROW(to_number("11", "--limit", 1, 10), UsageError);
}

TEST(ToMilliseconds, RoundsUp) {
  EXPECT_EQ(to_milliseconds("2", "-m"), 2000U);
  EXPECT_EQ(to_milliseconds("0.25", "-m"), 250U);
  EXPECT_EQ(to_milliseconds("0.0001", "-m"), 1U);
  EXPECT_EQ(to_milliseconds("0", "-m"), 0U);
}

TEST(ToMilliseconds, RefusesTheRest) {
  for (const char* text : {"", "-1", "x", "1s", "nan", "inf", "1e99"}) {
    EXPECT_THROW(to_milliseconds(text, "-m"), UsageError) << text;
  }
}

}  // namespace
}  // namespace hc::hcx
