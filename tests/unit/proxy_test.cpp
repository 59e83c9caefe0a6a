#include "model/proxy.h"

#include <gtest/gtest.h>

#include "model/no_proxy.h"
#include "support/requests.h"

namespace hc {
namespace {

Proxy parse(std::string_view text) {
  Proxy proxy;
  Status status = Proxy::parse(text, "proxy", &proxy);
  EXPECT_TRUE(status.is_ok()) << text << ": " << status.message();
  return proxy;
}

TEST(ProxyTest, SchemesHaveTheirPorts) {
  EXPECT_EQ(parse("http://p.test").port, 80);
  EXPECT_EQ(parse("https://p.test").port, 443);
  EXPECT_EQ(parse("socks5://p.test/").port, 1080);
  EXPECT_EQ(parse("SOCKS5H://P.Test").kind, ProxyKind::kSocks5h);
  EXPECT_EQ(parse("SOCKS5H://P.Test").host, "p.test");
  EXPECT_EQ(parse("socks5://p.test:80").port, 80);
  EXPECT_EQ(parse("p.test:3128").kind, ProxyKind::kHttp);
  EXPECT_EQ(parse("p.test:3128").port, 3128);
  EXPECT_EQ(parse("http://[::1]:8080").name(), "[::1]:8080");
}

TEST(ProxyTest, CredentialsAreDecoded) {
  Proxy proxy = parse("http://us%20er:p%40ss@p.test:1");
  EXPECT_TRUE(proxy.has_credentials);
  EXPECT_EQ(proxy.username, "us er");
  EXPECT_EQ(proxy.password, "p@ss");
  EXPECT_FALSE(parse("http://p.test").has_credentials);
  EXPECT_NE(proxy, parse("http://us%20er:other@p.test:1"));
  EXPECT_EQ(proxy, parse("http://us%20er:p%40ss@p.test:1/"));
  EXPECT_EQ(proxy.hash(), parse("us%20er:p%40ss@P.test:1").hash());
}

TEST(ProxyTest, MistakesAreNamedWithoutThePassword) {
  for (std::string_view text :
       {"ftp://secret@p", "socks4://secret@p", "http://u:secret@", "http://u:secret@p:0",
        "http://u:secret@p/path", "http://u:secret@p?q", "http://u:secret@p q", "http://127.1/"}) {
    Proxy proxy;
    Status status = Proxy::parse(text, "proxy", &proxy);
    EXPECT_EQ(status.code(), HC_E_INVALID) << text;
    EXPECT_TRUE(status.message().starts_with("proxy: ")) << status.message();
    EXPECT_EQ(status.message().find("secret"), std::string::npos) << status.message();
  }
  Proxy proxy;
  EXPECT_EQ(Proxy::parse("socks5://u:" + std::string(256, 'x') + "@p", "proxy", &proxy).code(), HC_E_INVALID);
}

TEST(ProxyTest, HeadersAreCheckedAsThoseOfARequest) {
  Proxy proxy = parse("http://p.test");
  hc_header good[] = {{as_hc_str("X-Token"), as_hc_str("1")}, {as_hc_str("X-Empty"), as_hc_str("")}};
  EXPECT_TRUE(proxy.add_headers(good, 2).is_ok());
  EXPECT_EQ(proxy.headers, (std::vector<std::string>{"X-Token: 1", "X-Empty;"}));
  for (hc_header bad :
       {hc_header{as_hc_str("X Y"), as_hc_str("1")}, hc_header{as_hc_str("X"), as_hc_str("a\r\nb")},
        hc_header{as_hc_str("Content-Length"), as_hc_str("1")}}) {
    EXPECT_EQ(proxy.add_headers(&bad, 1).code(), HC_E_INVALID);
  }
  EXPECT_EQ(proxy.add_headers(nullptr, 1).code(), HC_E_INVALID);
}

TEST(NoProxyTest, NamesStandForThemselvesAndAllBelow) {
  NoProxy list("example.com, .dotted.test internal");
  EXPECT_TRUE(list.matches("example.com", 80));
  EXPECT_TRUE(list.matches("a.b.example.com", 80));
  EXPECT_TRUE(list.matches("example.com.", 80));
  EXPECT_FALSE(list.matches("notexample.com", 80));
  EXPECT_FALSE(list.matches("example.com.evil", 80));
  EXPECT_TRUE(list.matches("dotted.test", 80));
  EXPECT_TRUE(list.matches("x.dotted.test", 80));
  EXPECT_TRUE(list.matches("internal", 80));
  EXPECT_FALSE(NoProxy().matches("example.com", 80));
  EXPECT_FALSE(NoProxy(" ,, ").matches("", 80));
}

TEST(NoProxyTest, AddressesBlocksAndPorts) {
  NoProxy list("10.0.0.0/8,192.0.2.1,::1,[fd00::1]:8080,port.test:8080,192.0.2.9:81");
  EXPECT_TRUE(list.matches("10.1.2.3", 80));
  EXPECT_TRUE(list.matches("192.0.2.1", 80));
  EXPECT_FALSE(list.matches("192.0.2.2", 80));
  EXPECT_TRUE(list.matches("::1", 80));
  EXPECT_TRUE(list.matches("fd00::1", 8080));
  EXPECT_FALSE(list.matches("fd00::1", 80));
  EXPECT_TRUE(list.matches("port.test", 8080));
  EXPECT_FALSE(list.matches("port.test", 80));
  EXPECT_TRUE(list.matches("192.0.2.9", 81));
  EXPECT_FALSE(list.matches("192.0.2.9", 80));
  EXPECT_TRUE(NoProxy("*").matches("anything", 1));
}

}  // namespace
}  // namespace hc
