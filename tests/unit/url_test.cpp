#include "model/url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace hc {
namespace {

using namespace std::string_view_literals;

Url parsed(std::string_view text) {
  Url url;
  Status status = Url::parse(text, &url);
  EXPECT_TRUE(status.is_ok()) << text << ": " << status.message();
  return url;
}

std::string fault_of(std::string_view text) {
  Url url;
  url.host = "untouched";
  Status status = Url::parse(text, &url);
  EXPECT_EQ(status.code(), HC_E_INVALID) << text;
  EXPECT_TRUE(status.message().starts_with("url: ")) << status.message();
  EXPECT_EQ(url.host, "untouched") << "outputs are written on success only";
  return status.message();
}

struct Good {
  std::string_view text;
  std::string_view spelled;
  std::string_view host;
  uint16_t port;
};

TEST(Url, HasOneSpelling) {
  for (auto [text, spelled, host, port] : {
           Good{"http://a.test", "http://a.test/", "a.test", 80},
           {"http://a.test/", "http://a.test/", "a.test", 80},
           {"https://a.test/x", "https://a.test/x", "a.test", 443},
           {"HTTP://A.TeSt/Path?Query", "http://a.test/Path?Query", "a.test", 80},
           {"http://a.test:80/", "http://a.test/", "a.test", 80},
           {"http://a.test:443/", "http://a.test:443/", "a.test", 443},
           {"https://a.test:443/", "https://a.test/", "a.test", 443},
           {"https://a.test:80/", "https://a.test:80/", "a.test", 80},
           {"http://a.test:/", "http://a.test/", "a.test", 80},
           {"http://a.test:65535/", "http://a.test:65535/", "a.test", 65535},
           {"http://a.test:0080/", "http://a.test/", "a.test", 80},
           {"http://a.test?q=1", "http://a.test/?q=1", "a.test", 80},
           {"http://a.test#top", "http://a.test/", "a.test", 80},
           {"http://a.test/x#a?b/c", "http://a.test/x", "a.test", 80},
           {"http://a.test/?q#f", "http://a.test/?q", "a.test", 80},
           {"http://a.test/a/../b/./c//d", "http://a.test/b/c//d", "a.test", 80},
           {"http://a.test/a/b/c/./../../g", "http://a.test/a/g", "a.test", 80},
           {"http://a.test/../../a", "http://a.test/a", "a.test", 80},
           {"http://a.test/a/..", "http://a.test/", "a.test", 80},
           {"http://a.test/a/b/.", "http://a.test/a/b/", "a.test", 80},
           {"http://a.test/a//../b", "http://a.test/a/b", "a.test", 80},
           {"http://a.test/.a/..b/c.", "http://a.test/.a/..b/c.", "a.test", 80},
           {"http://a.test/a?b/../c/./d", "http://a.test/a?b/../c/./d", "a.test", 80},
           {"http://a.test/?u=http://b.test:1/@x", "http://a.test/?u=http://b.test:1/@x", "a.test", 80},
           {"http://a.test/%7e%2F", "http://a.test/%7e%2F", "a.test", 80},
           {"http://a.test/\xC3\xA9?\xE2\x82\xAC", "http://a.test/%C3%A9?%E2%82%AC", "a.test", 80},
           {"http://a.test./", "http://a.test./", "a.test.", 80},
           {"http://my_host-1.test/", "http://my_host-1.test/", "my_host-1.test", 80},
           {"http://xn--bcher-kva.test/", "http://xn--bcher-kva.test/", "xn--bcher-kva.test", 80},
           {"http://localhost:8080/x", "http://localhost:8080/x", "localhost", 8080},
           {"http://127.0.0.1/", "http://127.0.0.1/", "127.0.0.1", 80},
           {"http://1.2.3.4.test/", "http://1.2.3.4.test/", "1.2.3.4.test", 80},
           {"http://[::1]/", "http://[::1]/", "::1", 80},
           {"http://[2001:DB8:0:0::1]:81/x", "http://[2001:db8::1]:81/x", "2001:db8::1", 81},
           {"https://[::ffff:1.2.3.4]:443", "https://[::ffff:1.2.3.4]/", "::ffff:1.2.3.4", 443},
       }) {
    Url url = parsed(text);
    EXPECT_EQ(url.text, spelled);
    EXPECT_EQ(url.origin_size, spelled.find('/', sizeof "https://" - 1)) << text;
    EXPECT_EQ(url.host, host) << text;
    EXPECT_EQ(url.port, port) << text;
    EXPECT_EQ(url.is_https, spelled.starts_with("https")) << text;
    EXPECT_FALSE(url.has_userinfo) << text;
    EXPECT_EQ(parsed(url.text).text, url.text) << "spelling it again changes nothing";
  }
}

struct Userinfo {
  std::string_view text;
  std::string_view username;
  std::string_view password;
};

TEST(Url, TakesTheUserOut) {
  for (auto [text, username, password] : {
           Userinfo{"http://user:secret@a.test/", "user", "secret"},
           {"http://user@a.test/", "user", ""},
           {"http://:secret@a.test/", "", "secret"},
           {"http://@a.test/", "", ""},
           {"http://us%40er:p%3Aw%2F@a.test/", "us@er", "p:w/"},
           {"http://a:b:c@a.test/", "a", "b:c"},
           {"http://a@b:c@a.test/", "a@b", "c"},
           {"http://%e2%82%ac:x@a.test/", "\xE2\x82\xAC", "x"},
       }) {
    Url url = parsed(text);
    EXPECT_TRUE(url.has_userinfo) << text;
    EXPECT_EQ(url.username, username) << text;
    EXPECT_EQ(url.password, password) << text;
    EXPECT_EQ(url.host, "a.test") << text;
    EXPECT_EQ(url.text, "http://a.test/") << "no secrets in what is passed on";
  }
}

struct Bad {
  std::string_view text;
  std::string_view says;
};

TEST(Url, SeesABadByteWhereverItIs) {
  const std::string good = "http://a.test/0123456789abcdef?0123456789abcdef=0";
  for (size_t place = 14; place <= good.size(); ++place) {
    auto with = [&](const char* inserted) { return std::string(good).insert(place, inserted); };
    for (const char* bad : {" ", "\x1F", "\x7F"}) {
      EXPECT_EQ(fault_of(with(bad)), "url: has a space or a control character") << place;
    }
    EXPECT_EQ(fault_of(with("\\")), "url: has a backslash") << place;
    EXPECT_EQ(parsed(with("\xC3")).text, with("%C3"));
  }
}

TEST(Url, RefusesWhatIsNotPlainlyAUrl) {
  for (auto [text, says] : {
           Bad{"", "is empty"},
           {"a.test", "no scheme"},
           {"//a.test/", "no scheme"},
           {"/path", "no scheme"},
           {"http:/a.test", "no scheme"},
           {"http:a.test", "no scheme"},
           {"://a.test", "unknown scheme"},
           {"ftp://a.test/", "unknown scheme"},
           {"file:///etc/passwd", "unknown scheme"},
           {"httpx://a.test/", "unknown scheme"},
           {"ws://a.test/", "unknown scheme"},
           {"http://", "no host"},
           {"http:///x", "no host"},
           {"http://?q", "no host"},
           {"http://#f", "no host"},
           {"http://:80/", "no host"},
           {"http://user@/", "no host"},
           {"http://a.test:0/", "port"},
           {"http://a.test:65536/", "port"},
           {"http://a.test:99999999999999999999/", "port"},
           {"http://a.test:-1/", "port"},
           {"http://a.test:+80/", "port"},
           {"http://a.test:8a/", "port"},
           {"http://a.test:80:81/", "port"},
           {"http://::1/", "no host"},
           {"http://[::1/", "'[' without ']'"},
           {"http://[::1]x/", "after the host"},
           {"http://[]/", "not IPv6"},
           {"http://[1.2.3.4]/", "not IPv6"},
           {"http://[a.test]/", "not IPv6"},
           {"http://[fe80::1%1]/", "not IPv6"},
           {"http://[fe80::1%25lo]/", "not IPv6"},
           {"http://127.1/", "IPv4"},
           {"http://127.0.0.1./", "IPv4"},
           {"http://0x7f000001/", "IPv4"},
           {"http://0x7f.0.0.1/", "IPv4"},
           {"http://2130706433/", "IPv4"},
           {"http://017700000001/", "IPv4"},
           {"http://0177.0.0.1/", "IPv4"},
           {"http://127.0.0.0x1/", "IPv4"},
           {"http://1.2.3.256/", "IPv4"},
           {"http://1.2.3.4.5/", "IPv4"},
           {"http://a.test.5/", "IPv4"},
           {"http://b\xC3\xBC"
            "cher.test/",
            "not ASCII"},
           {"http://a%2etest/", "character"},
           {"http://a,b/", "character"},
           {"http://a*b/", "character"},
           {"http://a|b/", "character"},
           {"http://a'b/", "character"},
           {"http://a..test/", "empty label"},
           {"http://.a.test/", "empty label"},
           {"http://./", "empty label"},
           {"http://us%zzer@a.test/", "percent-encoded"},
           {"http://user%4@a.test/", "percent-encoded"},
           {"http://user%@a.test/", "percent-encoded"},
           {"http://user:%00@a.test/", "percent-encoded"},
           {"http://us%3Aer:x@a.test/", "colon"},
           {"http://a.test/ x", "space"},
           {" http://a.test/", "space"},
           {"http://a.test/ ", "space"},
           {"http://a.test/\r\nHost: b.test", "control"},
           {"http://a.test/\n", "control"},
           {"http://a.test/\t", "control"},
           {"http://a.test/\0x"sv, "control"},
           {"http://a.test/\x7F", "control"},
           {"http://a.test\\@b.test/", "backslash"},
           {"http:\\\\a.test/", "backslash"},
           {"http://a.test/a\\b", "backslash"},
       }) {
    std::string fault = fault_of(text);
    EXPECT_NE(fault.find(says), std::string::npos) << text << " -> " << fault;
  }
}

TEST(Url, MayBe64KiBLong) {
  std::string text = "http://a.test/";
  text.resize(kMaxUrl, 'x');
  EXPECT_EQ(parsed(text).text, text);
  text += 'x';
  EXPECT_NE(fault_of(text).find("65536"), std::string::npos);
}

TEST(Url, AHostMayHave253Bytes) {
  std::string host;
  while (host.size() < 253) host += host.size() % 50 == 49 ? '.' : 'a';
  EXPECT_EQ(parsed("http://" + host + "/").host, host);
  EXPECT_EQ(parsed("http://" + host + "./").host, host + ".");
  EXPECT_NE(fault_of("http://" + host + "aa/").find("253"), std::string::npos);
}

TEST(Url, AHostOf254BytesWithoutADotAtTheEndIsTooLong) {
  std::string host;
  while (host.size() < 254) host += host.size() % 50 == 49 ? '.' : 'a';
  ASSERT_FALSE(host.ends_with('.'));
  EXPECT_NE(fault_of("http://" + host + "/").find("253"), std::string::npos);
}

TEST(Url, EveryControlByteIsRefusedEverywhere) {
  for (int byte = 0; byte < 256; ++byte) {
    bool is_bad = byte <= 0x20 || byte == 0x7F;
    std::string text = "http://a.test/";
    text += static_cast<char>(byte);
    Url url;
    EXPECT_EQ(Url::parse(text, &url).is_ok(), !is_bad && byte != '\\') << byte;
  }
}

// RFC 3986 5.4, but for what http URLs have no use for.
TEST(UrlResolve, FollowsTheExamplesOfTheStandard) {
  struct Case {
    const char* reference;
    const char* text;
  };
  for (const Case& c : {Case{"g", "http://a/b/c/g"},
                        Case{"./g", "http://a/b/c/g"},
                        Case{"g/", "http://a/b/c/g/"},
                        Case{"/g", "http://a/g"},
                        Case{"//g", "http://g/"},
                        Case{"?y", "http://a/b/c/d;p?y"},
                        Case{"g?y", "http://a/b/c/g?y"},
                        Case{"#s", "http://a/b/c/d;p?q"},
                        Case{"g;x=1/../y", "http://a/b/c/y"},
                        Case{"", "http://a/b/c/d;p?q"},
                        Case{".", "http://a/b/c/"},
                        Case{"./", "http://a/b/c/"},
                        Case{"..", "http://a/b/"},
                        Case{"../g", "http://a/b/g"},
                        Case{"../..", "http://a/"},
                        Case{"../../g", "http://a/g"},
                        Case{"../../../g", "http://a/g"},
                        Case{"/../g", "http://a/g"},
                        Case{"g.", "http://a/b/c/g."},
                        Case{"g?y/../x", "http://a/b/c/g?y/../x"},
                        Case{"https://z/", "https://z/"}}) {
    Url url;
    EXPECT_TRUE(Url::resolve("http://a/b/c/d;p?q", c.reference, &url).is_ok()) << c.reference;
    EXPECT_EQ(url.text, c.text) << c.reference;
  }
}

TEST(UrlResolve, InheritsTheFragmentUnlessThereIsOne) {
  Url url;
  ASSERT_TRUE(Url::resolve("http://a/b#top", "c", &url).is_ok());
  EXPECT_EQ(url.fragment, "top");
  ASSERT_TRUE(Url::resolve("http://a/b#top", "c#own", &url).is_ok());
  EXPECT_EQ(url.fragment, "own");
  ASSERT_TRUE(Url::resolve("http://a", "c", &url).is_ok());
  EXPECT_EQ(url.text, "http://a/c");
}

TEST(UrlResolve, RefusesOtherSchemes) {
  Url url;
  for (const char* reference : {"ftp://a/", "javascript:x", "mailto:a@b", "http:g"}) {
    EXPECT_EQ(Url::resolve("http://a/", reference, &url).code(), HC_E_INVALID) << reference;
  }
}

TEST(HostTest, IsSpelledAsUrlsSpellIt) {
  std::string host;
  for (auto [text, expected] :
       {std::pair("A.Test", "a.test"), std::pair("a.test.", "a.test."), std::pair("127.0.0.1", "127.0.0.1"),
        std::pair("[::1]", "::1"), std::pair("::1", "::1"), std::pair("[0:0::0:1]", "::1")}) {
    EXPECT_TRUE(parse_host(text, &host).is_ok()) << text;
    EXPECT_EQ(host, expected);
  }
  for (const char* text :
       {"", "*", "+a.test", "a.test:80", "a.test:", "[::1]:80", "[::1", "::1]", "[127.0.0.1]", "[a.test]",
        "a..test", ".a", "a b", "127.1", "user@a.test", "a/b"}) {
    Status status = parse_host(text, &host);
    EXPECT_EQ(status.code(), HC_E_INVALID) << text;
    EXPECT_EQ(status.message().find("host: "), 0U) << text;
  }
}

}  // namespace
}  // namespace hc
