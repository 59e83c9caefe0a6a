#include "model/text.h"

#include <gtest/gtest.h>

#include <cctype>

namespace hc {
namespace {

using namespace std::string_view_literals;

TEST(Text, LowersAsciiOnly) {
  EXPECT_EQ(lower("AbC-Z9\xC3\x84"), "abc-z9\xC3\x84");
  EXPECT_EQ(to_lower('['), '[');
  EXPECT_EQ(to_lower('@'), '@');
}

TEST(Text, ComparesWithoutCase) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("a{", "a["));
  EXPECT_FALSE(equals_ignoring_case("\xC3\x84", "\xC3\xA4"));
}

TEST(Text, ATokenIsWhatRfc9110SaysItIs) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  for (int byte = 0; byte < 256; ++byte) {
    char c = static_cast<char>(byte);
    bool expected =
        (byte < 128 && std::isalnum(byte) != 0) || (byte != 0 && kSymbols.find(c) != kSymbols.npos);
    EXPECT_EQ(is_token(std::string_view(&c, 1)), expected) << byte;
  }
  EXPECT_TRUE(is_token("X-Custom.Header"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("two words"));
  EXPECT_FALSE(is_token("name:"));
}

// Texts around the sixteen bytes that are looked at in one step, with the byte at each place.
TEST(Text, FindsALineBreakWhereverItIs) {
  for (size_t size = 1; size <= 50; ++size) {
    EXPECT_FALSE(has_line_break(std::string(size, 'x'))) << size;
    for (char breaks : {'\r', '\n', '\0'}) {
      for (size_t place = 0; place < size; ++place) {
        std::string text(size, 'x');
        text[place] = breaks;
        EXPECT_TRUE(has_line_break(text)) << size << " at " << place;
      }
    }
  }
  EXPECT_FALSE(has_line_break(""));
  EXPECT_FALSE(has_line_break("tab\tand \x0B\x0C\x0E\x85\xE2\x80\xA8"));
}

TEST(Text, TrimsSpacesAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
}

TEST(Text, EscapesWhatMustNotReachATerminal) {
  EXPECT_EQ(escaped("plain text"), "plain text");
  EXPECT_EQ(escaped("a\r\n\x1B[31m\0\x7F\xFF"sv), "a\\x0d\\x0a\\x1b[31m\\x00\\x7f\\xff");
  EXPECT_EQ(escaped("back\\slash"), "back\\x5cslash") << "or a peer could write escapes of its own";
}

TEST(Text, EndsAfterItsLimit) {
  EXPECT_EQ(escaped("123456", 6), "123456");
  EXPECT_EQ(escaped("1234567", 6), "123456...");
  EXPECT_EQ(escaped(std::string(500, 'x')).size(), 123U);
}

}  // namespace
}  // namespace hc
