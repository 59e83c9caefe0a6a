#include "model/route.h"

#include <gtest/gtest.h>

#include "model/url.h"
#include "support/requests.h"

namespace hc {
namespace {

class RouteTest : public testing::Test {
 protected:
  Status choose(std::string_view url = "http://a.test/") {
    Url parsed;
    EXPECT_TRUE(Url::parse(url, &parsed).is_ok());
    RouteWish wish;
    if (Status status = read_wish(args, session, &wish); !status.is_ok()) return status;
    route = choose_route(wish, parsed);
    return check_addresses(args, *route);
  }
  const Route& chosen(std::string_view url = "http://a.test/") {
    Status status = choose(url);
    EXPECT_TRUE(status.is_ok()) << status.message();
    return *route;
  }
  std::string fault() {
    Status status = choose();
    EXPECT_EQ(status.code(), HC_E_INVALID);
    return status.message();
  }
  void set_session_proxy(std::string_view text) {
    auto proxy = std::make_shared<Proxy>();
    EXPECT_TRUE(Proxy::parse(text, "proxy", proxy.get()).is_ok());
    Route through;
    through.proxy = std::move(proxy);
    session.http = session.https = std::make_shared<const Route>(std::move(through));
  }

  RouteOptions session;
  hc_request args = blank_request();
  RoutePointer route;
};

TEST_F(RouteTest, TheUsualOneIsLentAndCostsNothing) {
  EXPECT_EQ(&chosen(), session.direct.get());
  EXPECT_EQ(route.use_count(), 0) << "no claim, and no counting";
}

TEST_F(RouteTest, ATlsIdentityCountsOnlyWhereThereIsTls) {
  hc_tls tls;
  tls.identity =
      std::shared_ptr<const TlsIdentity>(std::shared_ptr<int>(), reinterpret_cast<const TlsIdentity*>(0x10));
  args.tls = &tls;
  EXPECT_EQ(&chosen("http://a.test/"), session.direct.get());
  EXPECT_EQ(chosen("https://a.test/").tls, tls.identity);
}

TEST_F(RouteTest, ATlsIdentityJudgesAnHttpsProxyThatHasNoneOfItsOwn) {
  hc_tls tls;
  tls.identity =
      std::shared_ptr<const TlsIdentity>(std::shared_ptr<int>(), reinterpret_cast<const TlsIdentity*>(0x10));
  args.tls = &tls;
  set_session_proxy("https://p.test");
  EXPECT_EQ(chosen("http://a.test/").tls, tls.identity);
  Route judged = *session.http;
  judged.proxy_tls =
      std::shared_ptr<const TlsIdentity>(std::shared_ptr<int>(), reinterpret_cast<const TlsIdentity*>(0x20));
  session.http = std::make_shared<const Route>(judged);
  EXPECT_EQ(&chosen("http://a.test/"), session.http.get());
  set_session_proxy("http://p.test");
  EXPECT_EQ(&chosen("http://a.test/"), session.http.get());
}

TEST_F(RouteTest, TheSessionsProxyServesAllButNoProxy) {
  set_session_proxy("http://p.test:3128");
  session.no_proxy = NoProxy("direct.test");
  EXPECT_EQ(chosen().proxy->host, "p.test");
  EXPECT_EQ(chosen("https://x.direct.test/").proxy, nullptr);
}

TEST_F(RouteTest, ARequestsProxyGoesBeforeAllOfThat) {
  set_session_proxy("http://p.test:3128");
  session.no_proxy = NoProxy("*");
  args.proxy = as_hc_str("socks5://own.test");
  EXPECT_EQ(chosen().proxy->host, "own.test");
  session.no_proxy = NoProxy();
  args.proxy = as_hc_str("none");
  EXPECT_EQ(chosen().proxy, nullptr);
  args.proxy = {"", 0};
  EXPECT_EQ(chosen().proxy, nullptr);
}

TEST_F(RouteTest, EqualProxiesAreOneIdentityAndOthersAreNot) {
  args.proxy = as_hc_str("http://u:p@own.test");
  chosen();
  RoutePointer first = route;
  chosen();
  EXPECT_TRUE(is_same_route(first, route));
  EXPECT_EQ(first->hash(), route->hash());
  args.proxy = as_hc_str("http://u:q@own.test");
  chosen();
  EXPECT_FALSE(is_same_route(first, route));
  hc_header header{as_hc_str("X-Who"), as_hc_str("me")};
  args.proxy = as_hc_str("http://u:p@own.test");
  args.proxy_headers = &header;
  args.proxy_header_count = 1;
  chosen();
  EXPECT_FALSE(is_same_route(first, route)) << "what the proxy is told counts, too";
}

TEST_F(RouteTest, UnixPaths) {
  args.unix_path = as_hc_str("/run/x.sock");
  EXPECT_EQ(chosen().unix_path, "/run/x.sock");
  RoutePointer first = route;
  args.unix_path = as_hc_str("@abstract");
  chosen();
  EXPECT_FALSE(is_same_route(first, route));
  set_session_proxy("http://p.test:3128");
  EXPECT_EQ(chosen().proxy, nullptr) << "the request's own word";
  args.unix_path = {"", 0};
  EXPECT_NE(chosen().proxy, nullptr) << "no unix socket, and so the session's way";
  std::string long_path(108, 'x');
  args.unix_path = as_hc_str(long_path);
  EXPECT_TRUE(fault().starts_with("unix_path"));
}

TEST_F(RouteTest, WhatContradictsItselfIsRefused) {
  args.unix_path = as_hc_str("/x");
  args.proxy = as_hc_str("http://p.test");
  EXPECT_TRUE(fault().starts_with("unix_path"));
  args.unix_path = {nullptr, 0};
  hc_str address = as_hc_str("192.0.2.1");
  args.addresses = &address;
  args.address_count = 1;
  EXPECT_TRUE(fault().starts_with("addresses")) << "the proxy looks the name up";
  args.proxy = as_hc_str("socks5://p.test");
  EXPECT_TRUE(choose().is_ok());
  args.address_count = 0;
  args.proxy = {nullptr, 0};
  args.proxy_header_count = 1;
  EXPECT_TRUE(fault().starts_with("proxy_headers"));
}

TEST_F(RouteTest, EachHopOfARedirectFindsItsOwnWay) {
  set_session_proxy("http://p.test:3128");
  session.https = nullptr;
  RouteWish wish;
  ASSERT_TRUE(read_wish(args, session, &wish).is_ok());
  Url plain, secure;
  ASSERT_TRUE(Url::parse("http://a.test/", &plain).is_ok());
  ASSERT_TRUE(Url::parse("https://a.test/", &secure).is_ok());
  EXPECT_NE(choose_route(wish, plain)->proxy, nullptr);
  EXPECT_EQ(choose_route(wish, secure)->proxy, nullptr);
}

TEST_F(RouteTest, TrustedProxiesAreNamed) {
  session.trusted_proxies = "a.test, P.Test";
  args.proxy = as_hc_str("http://p.test");
  EXPECT_TRUE(chosen().proxy->is_trusted);
  args.proxy = as_hc_str("http://sub.p.test");
  EXPECT_FALSE(chosen().proxy->is_trusted);
}

}  // namespace
}  // namespace hc
