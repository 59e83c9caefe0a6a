#include "hcx/option_values.h"

#include <gtest/gtest.h>

#include "hcx/option_parser.h"

namespace hc::hcx {
namespace {

TEST(OptionValues, HeaderForms) {
  EXPECT_EQ(parse_header("X-A:  b c ").value, "b c");
  EXPECT_FALSE(parse_header("X-A: b").is_removal);
  EXPECT_TRUE(parse_header("User-Agent:").is_removal);
  EXPECT_TRUE(parse_header("User-Agent: ").is_removal);
  EXPECT_FALSE(parse_header("X-E;").is_removal);
  EXPECT_EQ(parse_header("X-E;").value, "");
  for (const char* text : {"", "X-A", ": b", ";", "X-A; b"})
    EXPECT_THROW(parse_header(text), UsageError) << text;
}

TEST(OptionValues, ResolveForms) {
  const ResolveArgument resolve = parse_resolve("host:80:127.0.0.1,[::1],::2");
  EXPECT_EQ(resolve.host, "host");
  EXPECT_EQ(resolve.port, 80);
  EXPECT_EQ(resolve.addresses, (std::vector<std::string>{"127.0.0.1", "::1", "::2"}));
  EXPECT_EQ(parse_resolve("host:*:127.0.0.1").port, 0);
  EXPECT_EQ(parse_resolve("[::1]:80:127.0.0.1").host, "::1");
  EXPECT_EQ(parse_resolve("+host:80:127.0.0.1").host, "host");
  for (const char* text : {"", "host", "host:80", "host:80:", ":80:1.2.3.4", "host:0:1.2.3.4",
                           "host:x:1.2.3.4", "*:80:1.2.3.4"}) {
    EXPECT_THROW(parse_resolve(text), UsageError) << text;
  }
}

TEST(OptionValues, UserForms) {
  EXPECT_EQ(parse_user("me:p:w").name, "me");
  EXPECT_EQ(parse_user("me:p:w").password, "p:w");
  EXPECT_EQ(parse_user(":p").name, "");
  EXPECT_EQ(parse_user(":p").password, "p");
  EXPECT_EQ(parse_user("me").password, "");
}

TEST(OptionValues, SizesAndInterfaces) {
  EXPECT_EQ(parse_size("10", "-x"), 10U);
  EXPECT_EQ(parse_size("2K", "-x"), 2048U);
  EXPECT_EQ(parse_size("3m", "-x"), 3U << 20);
  EXPECT_EQ(parse_size("1G", "-x"), 1U << 30);
  for (const char* text : {"", "K", "1X", "-1", "1KK"})
    EXPECT_THROW(parse_size(text, "-x"), UsageError) << text;
  EXPECT_EQ(parse_interface("eth0").device, "eth0");
  EXPECT_EQ(parse_interface("if!1.2.3.4").device, "1.2.3.4");
  EXPECT_EQ(parse_interface("::1").address, "::1");
  EXPECT_EQ(parse_interface("host!1.2.3.4").address, "1.2.3.4");
  EXPECT_THROW(parse_interface("if!"), UsageError);
}

TEST(OptionValues, CertificateForms) {
  const CertificateArgument certificate = parse_certificate(R"(a\:b\\c\d:p\:w)", "-E");
  EXPECT_EQ(certificate.file, R"(a:b\c\d)");
  EXPECT_EQ(certificate.password, R"(p\:w)");
  EXPECT_FALSE(parse_certificate("file", "-E").has_password);
  EXPECT_TRUE(parse_certificate("file:", "-E").has_password);
  EXPECT_THROW(parse_certificate("", "-E"), UsageError);
  EXPECT_THROW(parse_certificate(":x", "-E"), UsageError);
}

}  // namespace
}  // namespace hc::hcx
