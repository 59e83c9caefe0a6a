#include "model/address_policy.h"

#include <gtest/gtest.h>

#include <string>

namespace hc {
namespace {

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }

AddressPolicy policy(std::string_view allow, std::string_view deny, bool public_only = false) {
  AddressPolicy policy;
  EXPECT_TRUE(parse_ranges(allow, &policy.allow).is_ok()) << allow;
  EXPECT_TRUE(parse_ranges(deny, &policy.deny).is_ok()) << deny;
  policy.public_only = public_only;
  return policy;
}

bool passes(const AddressPolicy& policy, const std::string& text) {
  Status status = policy.check(address(text));
  EXPECT_TRUE(status.is_ok() || status.code() == HC_E_ADDRESS_DENIED);
  return status.is_ok();
}

TEST(AddressRangeTest, ReadsBlocksAndAddresses) {
  EXPECT_TRUE(AddressRange::parse("10.0.0.0/8")->contains(address("10.255.1.2")));
  EXPECT_FALSE(AddressRange::parse("10.0.0.0/8")->contains(address("11.0.0.0")));
  EXPECT_TRUE(AddressRange::parse("10.1.2.3")->contains(address("10.1.2.3")));
  EXPECT_FALSE(AddressRange::parse("10.1.2.3")->contains(address("10.1.2.4")));
  EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains(address("255.1.2.3")));
  EXPECT_FALSE(AddressRange::parse("0.0.0.0/0")->contains(address("::1"))) << "one family at a time";
  EXPECT_TRUE(AddressRange::parse("fe80::/10")->contains(address("febf::1")));
  EXPECT_FALSE(AddressRange::parse("fe80::/10")->contains(address("fec0::1")));
  EXPECT_TRUE(AddressRange::parse("172.16.0.0/12")->contains(address("172.31.255.255")));
  EXPECT_FALSE(AddressRange::parse("172.16.0.0/12")->contains(address("172.32.0.0")));
}

TEST(AddressRangeTest, RefusesWhatIsNoBlock) {
  for (const char* text : {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/8x",
                           "10.0.0.1/8", "host", "127.1/8", "fe80::%1/10", "/8", "10.0.0.0/ 8"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
  std::vector<AddressRange> ranges;
  EXPECT_TRUE(parse_ranges(" 10.0.0.0/8 ,::1, fc00::/7", &ranges).is_ok());
  EXPECT_EQ(ranges.size(), 3u);
  Status status = parse_ranges("10.0.0.0/8,nonsense", &ranges);
  EXPECT_EQ(status.code(), HC_E_INVALID);
  EXPECT_NE(status.message().find("nonsense"), std::string::npos);
  EXPECT_FALSE(parse_ranges("10.0.0.0/8,,::1", &ranges).is_ok());
}

TEST(AddressPolicyTest, WithoutRulesEverythingPasses) {
  EXPECT_TRUE(passes({}, "127.0.0.1"));
  EXPECT_TRUE(AddressPolicy{}.check_unix("/x").is_ok());
}

TEST(AddressPolicyTest, PublicOnlyRefusesEverySpecialPurpose) {
  AddressPolicy only = policy("", "", true);
  for (const char* text : {"0.0.0.0",         "0.1.2.3",         "10.0.0.1",    "100.64.0.1",
                           "100.127.255.255", "127.0.0.1",       "127.255.0.1", "169.254.169.254",
                           "172.16.0.1",      "172.31.0.1",      "192.0.0.1",   "192.0.2.1",
                           "192.88.99.1",     "192.168.1.1",     "198.18.0.1",  "198.19.0.1",
                           "198.51.100.1",    "203.0.113.1",     "224.0.0.1",   "239.1.1.1",
                           "240.0.0.1",       "255.255.255.255", "::",          "::1",
                           "::127.0.0.1",     "fc00::1",         "fd12::1",     "fe80::1",
                           "fec0::1",         "ff02::1",         "2001:db8::1", "2001:2::1",
                           "2001:10::1",      "3fff::1",         "100::1",      "5f00::1",
                           "4000::1",         "64:ff9b:1::1"}) {
    EXPECT_FALSE(passes(only, text)) << text;
  }
  for (const char* text :
       {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.17.0.1",
        "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888"}) {
    EXPECT_TRUE(passes(only, text)) << text;
  }
}

TEST(AddressPolicyTest, EmbeddedAddressesCountAsWhatTheyLeadTo) {
  AddressPolicy only = policy("", "", true);
  for (const char* text : {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1",
                           "64:ff9b::169.254.169.254", "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::",
                           // Teredo: the client's address with all bits inverted; the server's as it is.
                           "2001:0:808:808::80ff:fffe", "2001:0:a00:1::f7f7:f7f7"}) {
    EXPECT_FALSE(passes(only, text)) << text;
  }
  for (const char* text :
       {"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"}) {
    EXPECT_TRUE(passes(only, text)) << text;
  }
  AddressPolicy no_private = policy("", "10.0.0.0/8");
  EXPECT_FALSE(passes(no_private, "::ffff:10.1.2.3"));
  EXPECT_FALSE(passes(no_private, "64:ff9b::10.1.2.3"));
  EXPECT_FALSE(passes(no_private, "2002:a01:203::"));
  EXPECT_FALSE(passes(no_private, "::10.1.2.3"));
  EXPECT_TRUE(passes(no_private, "::ffff:11.1.2.3"));
}

// Linux connects 0.0.0.0 to 127.0.0.1, and :: to ::1.
TEST(AddressPolicyTest, UnspecifiedAddressesCountAsLoopback) {
  AddressPolicy no_loopback = policy("", "127.0.0.0/8, ::1");
  for (const char* text : {"0.0.0.0", "::", "::ffff:0.0.0.0", "::ffff:0:0.0.0.0", "64:ff9b::"}) {
    EXPECT_FALSE(passes(no_loopback, text)) << text;
  }
  EXPECT_TRUE(passes(policy("", "127.0.0.0/8"), "::")) << "that is ::1";
  EXPECT_TRUE(passes(no_loopback, "0.0.0.1"));
  AddressPolicy only_loopback = policy("127.0.0.1, ::1", "");
  EXPECT_TRUE(passes(only_loopback, "0.0.0.0"));
  EXPECT_TRUE(passes(only_loopback, "::"));
  EXPECT_FALSE(passes(policy("127.0.0.1", ""), "::"));
  EXPECT_TRUE(passes(policy("0.0.0.0", ""), "0.0.0.0")) << "named itself";
}

TEST(AddressPolicyTest, AllThatAnAddressLeadsToMustBeAllowed) {
  std::string server_inside = "2001:0:a00:1::80ff:fffe";  // Teredo: server 10.0.0.1, client 127.0.0.1
  AddressPolicy inside = policy("10.0.0.0/8", "");
  EXPECT_FALSE(passes(inside, server_inside)) << "it leads to the client";
  EXPECT_FALSE(passes(policy("127.0.0.0/8", ""), server_inside));
  EXPECT_FALSE(passes(policy("10.0.0.0/8", "", true), server_inside));
  EXPECT_TRUE(passes(policy("10.0.0.0/8, 127.0.0.0/8", ""), server_inside));
  EXPECT_TRUE(passes(policy("2001::/32", ""), server_inside)) << "named itself";
  EXPECT_FALSE(passes(policy("", "127.0.0.0/8"), server_inside)) << "to be denied one of them is enough";
  EXPECT_TRUE(passes(inside, "::ffff:10.0.0.1"));
}

TEST(AddressPolicyTest, DenyGoesFirstThenAllowThenPublicOnly) {
  AddressPolicy mixed = policy("10.1.0.0/16, ::1", "10.1.2.0/24, 8.8.8.8", true);
  EXPECT_TRUE(passes(mixed, "10.1.1.1"));
  EXPECT_FALSE(passes(mixed, "10.1.2.1")) << "denied although allowed";
  EXPECT_FALSE(passes(mixed, "10.2.0.1"));
  EXPECT_TRUE(passes(mixed, "::1"));
  EXPECT_FALSE(passes(mixed, "8.8.8.8"));
  EXPECT_TRUE(passes(mixed, "8.8.4.4"));
  AddressPolicy closed = policy("192.0.2.0/24", "");
  EXPECT_TRUE(passes(closed, "192.0.2.7"));
  EXPECT_TRUE(passes(closed, "::ffff:192.0.2.7"));
  EXPECT_FALSE(passes(closed, "8.8.8.8")) << "an allow list without public_only is the whole world";
}

TEST(AddressPolicyTest, UnixSocketsPassOnlyWhereNothingButDenyIsSaid) {
  EXPECT_TRUE(policy("", "10.0.0.0/8").check_unix("/x").is_ok());
  EXPECT_EQ(policy("", "", true).check_unix("/x").code(), HC_E_ADDRESS_DENIED);
  EXPECT_EQ(policy("10.0.0.0/8", "").check_unix("/x").code(), HC_E_ADDRESS_DENIED);
}

}  // namespace
}  // namespace hc
