#include "hcx/get_verbose.h"

#include <gtest/gtest.h>

#include <array>

namespace hc::hcx {
namespace {

std::string head_of(const std::vector<std::string>& arguments, std::string_view url = "http://host/a?b#c") {
  const GetOptions options = parse_get_options(arguments);
  return request_head({url, options.method_name(), true, options.has_body()}, options, Reader::kTerminal);
}

hc_hop hop_to(std::int32_t status, std::string_view method, std::string_view url) {
  return {status, 0, str(method), str(url), nullptr, 0};
}

void expect_lines(const std::string& head, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) EXPECT_NE(head.find("> " + line + "\n"), std::string::npos) << head;
}

TEST(GetVerbose, TheRequestHeadHidesSecrets) {
  const std::string head = head_of(
      {"h", "-H", "Authorization: Bearer token", "-H", "X-A: b", "-H", "User-Agent:"}, "http://me:pw@host/a");
  EXPECT_EQ(head.find("token"), std::string::npos);
  EXPECT_EQ(head.find("pw"), std::string::npos);
  EXPECT_EQ(head.find("User-Agent"), std::string::npos);
  EXPECT_EQ(head.find("> GET /a HTTP/1.1\n> Host: host\n"), 0U);
  expect_lines(head, {"X-A: b", "Authorization: (not shown)"});
}

TEST(GetVerbose, TheHeadsOfRedirectsHideCookies) {
  const hc_header cookie{HC_STR("set-COOKIE"), HC_STR("a=geheim")};
  hc_hop hop = hop_to(302, "GET", "http://a/");
  hop.headers = &cookie;
  hop.header_count = 1;
  hc_response_info info{};
  info.history = &hop;
  info.history_count = 1;
  EXPECT_EQ(redirect_head(info, 0, {"< ", "\n", Reader::kProgram, Secrets::kHidden}),
            "< HTTP/1.1 302\n< set-COOKIE: (not shown)\n< \n");
}

TEST(GetVerbose, TheRequestHeadHasWhatLibcurlAdds) {
  expect_lines(head_of({"h", "-u", ":pw", "--compressed", "-d", "abc"}),
               {"POST /a?b HTTP/1.1", "Accept: */*", "Authorization: Basic (not shown)", "Content-Length: 3",
                "Content-Type: application/x-www-form-urlencoded"});
  EXPECT_NE(head_of({"h", "--compressed"}).find("> Accept-Encoding: deflate, gzip"), std::string::npos);
  expect_lines(head_of({"h", "-X", "POST"}), {"Content-Length: 0"});
}

TEST(GetVerbose, APlainProxyGetsTheWholeUrlAndFieldsOfItsOwn) {
  const std::vector<std::string> arguments{"h", "-x", "me:pw@proxy", "--proxy-header", "X-P: q"};
  const std::string head = head_of(arguments);
  expect_lines(head, {"GET http://host/a?b HTTP/1.1", "Host: host", "Proxy-Authorization: (not shown)",
                      "Proxy-Connection: Keep-Alive", "X-P: q"});
  expect_lines(head_of(arguments, "https://host/a"), {"GET /a HTTP/1.1"});
  expect_lines(head_of({"h", "-x", "socks5://proxy"}), {"GET /a?b HTTP/1.1"});
  EXPECT_NE(head_of({"h", "-x", "proxy", "--noproxy", "x"}).find("\n* A proxy that"), std::string::npos);
}

TEST(GetVerbose, RequestsChangeAsRedirectsAreFollowed) {
  const std::array<hc_hop, 3> history{hop_to(307, "POST", "http://a/1"), hop_to(302, "POST", "http://a/2"),
                                      hop_to(302, "GET", "http://b/3")};
  hc_response_info info{};
  info.history = history.data();
  info.history_count = history.size();
  info.url = HC_STR("http://a/4");
  const GetOptions options =
      parse_get_options({"h", "-d", "x", "-H", "Cookie: c", "-H", "Content-Type: t", "-H", "Host: x"});
  const std::vector<RequestShown> requests = requests_of("http://me:pw@a:80/1", options, info);
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[1].method, "POST");
  EXPECT_TRUE(requests[1].has_body);
  EXPECT_EQ(requests[2].url, "http://b/3");
  EXPECT_EQ(requests[2].method, "GET");
  EXPECT_FALSE(requests[2].has_body);
  EXPECT_FALSE(requests[3].is_first_origin) << "what was dropped does not come back";
  const std::string head = request_head(requests[3], options, Reader::kProgram);
  EXPECT_EQ(head.find("Cookie"), std::string::npos);
  EXPECT_NE(head.find("> Host: a\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Content-Type"), std::string::npos);
}

}  // namespace
}  // namespace hc::hcx
