#include "model/ip_address.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <string>

namespace hc {
namespace {

using namespace std::string_view_literals;

struct Spelling {
  std::string_view text;
  std::string_view canonical;
};

TEST(IpAddress, ReadsWhatIsAnAddress) {
  for (auto [text, canonical] : {
           Spelling{"0.0.0.0", "0.0.0.0"},
           {"127.0.0.1", "127.0.0.1"},
           {"255.255.255.255", "255.255.255.255"},
           {"::", "::"},
           {"::1", "::1"},
           {"2001:DB8::A", "2001:db8::a"},
           {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
           {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
           {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
           {"fe80::1%7", "fe80::1%7"},
       }) {
    std::optional<IpAddress> address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), canonical);
    EXPECT_EQ(IpAddress::parse(address->to_string()), address);
  }
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (std::string_view text : {""sv,
                                " "sv,
                                "127.1"sv,
                                "127.0.0.1 "sv,
                                " 127.0.0.1"sv,
                                "127.0.0.1."sv,
                                "127.0.0.256"sv,
                                "127.0.0.01"sv,
                                "0x7f.0.0.1"sv,
                                "2130706433"sv,
                                "1.2.3"sv,
                                "1.2.3.4.5"sv,
                                "1..2.3"sv,
                                "127.0.0.1:80"sv,
                                "[::1]"sv,
                                "::1]"sv,
                                ":::"sv,
                                "1:2:3:4:5:6:7"sv,
                                "::g"sv,
                                "a"sv,
                                "localhost"sv,
                                "127.0.0.1%1"sv,
                                "fe80::1%"sv,
                                "fe80::1%no-such-interface"sv,
                                "::1/128"sv,
                                "127.0.0.1\0"sv,
                                "127.0.0.1\0.evil.test"sv,
                                "::1\0"sv,
                                "fe80::1%1\0"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string(100'000, '1')));
}

TEST(IpAddress, AnInterfaceMayBeNamed) {
  unsigned loopback = if_nametoindex("lo");
  if (loopback == 0) GTEST_SKIP() << "no interface lo";
  std::optional<IpAddress> address = IpAddress::parse("fe80::1%lo");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->scope, loopback);
}

TEST(IpAddress, KnowsItsFamily) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->family, Family::kV4);
  EXPECT_EQ(IpAddress::parse("::192.0.2.1")->family, Family::kV6);
}

TEST(IpAddress, LoopbackOfBothFamilies) {
  EXPECT_EQ(IpAddress::loopback(Family::kV4).to_string(), "127.0.0.1");
  EXPECT_EQ(IpAddress::loopback(Family::kV6).to_string(), "::1");
}

TEST(IpAddress, EndpointsCompareByAddressAndPort) {
  Endpoint a{*IpAddress::parse("192.0.2.1"), 80};
  Endpoint b{*IpAddress::parse("192.0.2.1"), 81};
  EXPECT_NE(a, b);
  b.port = 80;
  EXPECT_EQ(a, b);
  EXPECT_NE(*IpAddress::parse("fe80::1%1"), *IpAddress::parse("fe80::1%2"));
}

}  // namespace
}  // namespace hc
