// Proxies: tinyproxy and microsocks from Debian, an HTTPS proxy in front of the former, and the embedded server where a
// proxy has to be looked into. Counted at the servers.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/real_server.h"
#include "support/tls_handle.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using serve::HttpServer;
using serve::HttpServerOptions;

// TLS in front of a plain proxy, one thread a connection. It writes down the head of the first message of each.
constexpr std::string_view kTlsRelay = R"(
import socket, ssl, sys, threading
port, certificate, key, target, heads = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def serve(client):
    try:
        tls = context.wrap_socket(client, server_side=True)
        head = tls.recv(65536)
    except OSError:
        return
    with open(heads, "ab") as log:
        log.write(head)
    server = socket.create_connection(("127.0.0.1", target))
    server.sendall(head)
    threading.Thread(target=pump, args=(tls, server), daemon=True).start()
    pump(server, tls)
listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
)";

size_t count(const std::string& text, std::string_view part) {
  size_t times = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

bool contains_ignoring_case(std::string text, std::string part) {
  for (std::string* each : {&text, &part}) std::transform(each->begin(), each->end(), each->begin(), tolower);
  return text.find(part) != std::string::npos;
}

class Proxies : public testing::Test {
 protected:
  Proxies() : origin_(options()) { origin_.start(); }

  HttpServerOptions options() {
    HttpServerOptions options;
    options.listeners[0].address = "0.0.0.0";  // many origins, plain
    options.listeners.emplace_back();
    options.listeners[1].address = "0.0.0.0";
    options.listeners[1].tls = tls_with(pki_.server());
    return options;
  }

  std::string start_tinyproxy(std::string_view more = "") {
    uint16_t port = tinyproxy_port_ = free_port();
    scratch_.write("tinyproxy.conf",
                   "Port " + std::to_string(port) +
                       "\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nLogLevel Info\nLogFile \"" +
                       scratch_.file("tinyproxy.log") + "\"\nPidFile \"" + scratch_.file("tinyproxy.pid") +
                       "\"\n" + std::string(more));
    tinyproxy_ = std::make_unique<RealServer>(
        std::vector<std::string>{"tinyproxy", "-d", "-c", scratch_.file("tinyproxy.conf")}, port,
        scratch_.file("tinyproxy.out"));
    return "127.0.0.1:" + std::to_string(port);
  }
  std::string start_microsocks(std::vector<std::string> more = {}) {
    uint16_t port = free_port();
    std::vector<std::string> command{"microsocks", "-i", "127.0.0.1", "-p", std::to_string(port)};
    command.insert(command.end(), more.begin(), more.end());
    microsocks_ = std::make_unique<RealServer>(command, port, scratch_.file("microsocks.log"));
    return "127.0.0.1:" + std::to_string(port);
  }
  std::string start_tls_relay() {
    uint16_t port = free_port();
    std::string script = scratch_.write("relay.py", kTlsRelay);
    relay_ = std::make_unique<RealServer>(
        std::vector<std::string>{"/usr/bin/python3", "-BE", script, std::to_string(port),
                                 pki_.server().certificate_path, pki_.server().private_key_path,
                                 std::to_string(tinyproxy_port_), scratch_.file("heads")},
        port, scratch_.file("relay.out"));
    return "localhost:" + std::to_string(port);
  }

  std::string plain(std::string_view path, int origin = 1) const {
    return "http://" + loopback(origin) + ":" + std::to_string(origin_.port(0)) + std::string(path);
  }
  std::string secure(std::string_view path) const {
    return "https://localhost:" + std::to_string(origin_.port(1)) + std::string(path);
  }
  SessionSetup through(const std::string& proxy) {
    return [this, proxy](hc_session_options& o) {
      o.ca_file = str(pki_.ca().certificate_path);
      o.proxy = str(proxy);
    };
  }
  static Tune by(std::string_view proxy) {
    return [proxy](hc_request& r) { r.proxy = str(proxy); };
  }
  uint64_t accepted(size_t listener) const { return origin_.counters(listener).connections_accepted; }

  serve::TestPki pki_;
  ScratchDirectory scratch_;
  HttpServer origin_;
  uint16_t tinyproxy_port_ = 0;
  std::unique_ptr<RealServer> tinyproxy_, microsocks_, relay_;
};

TEST_F(Proxies, PlainRequestsAreForwardedAndHttpsIsTunnelled) {
  std::string proxy = "http://" + start_tinyproxy();
  Client client(through(proxy));
  Outcome forwarded = client.fetch(plain("/bytes/10"));
  EXPECT_TRUE(is(forwarded, HC_OK));
  EXPECT_EQ(forwarded.body.size(), 10u);
  EXPECT_TRUE(forwarded.header("Via")) << "tinyproxy adds it";
  Outcome tunnelled = client.fetch(secure("/bytes/10"));
  EXPECT_TRUE(is(tunnelled, HC_OK));
  EXPECT_FALSE(tunnelled.header("Via"));
  EXPECT_EQ(tunnelled.info().remote_port, tinyproxy_port_);
  EXPECT_EQ(client.fetch(secure("/bytes/1")).connection(), tunnelled.connection());
  EXPECT_EQ(accepted(1), 1u) << "a tunnel is kept and reused";
  std::string log = scratch_.read("tinyproxy.log");
  EXPECT_EQ(count(log, "CONNECT localhost:"), 1u) << log;
}

TEST_F(Proxies, CredentialsGoToTheProxyAndNowhereElse) {
  std::string address = start_tinyproxy("BasicAuth alice secret\n");
  Client client(through("http://alice:secret@" + address));
  for (const std::string& url : {plain("/echo/head"), secure("/echo/head")}) {
    Outcome outcome = client.fetch(url);
    EXPECT_TRUE(is(outcome, HC_OK)) << url;
    EXPECT_FALSE(contains_ignoring_case(outcome.body, "proxy-authorization")) << outcome.body;
  }
  // Nor on a connection without a proxy, by a handle that has just served one.
  Outcome direct = client.fetch(plain("/echo/head"), by("none"));
  EXPECT_FALSE(contains_ignoring_case(direct.body, "proxy-authorization")) << direct.body;
}

TEST_F(Proxies, AuthorizationOfTheServerIsNotForTheProxy) {
  start_tinyproxy();
  std::string proxy = "https://" + start_tls_relay();
  Client client(through(proxy));
  auto with_user = [](hc_request& r) {
    r.username = HC_STR("alice");
    r.password = HC_STR("secret");
  };
  Outcome outcome = client.fetch(secure("/echo/head"), with_user);
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(contains_ignoring_case(outcome.body, "authorization: basic")) << outcome.body;
  std::string connect = scratch_.read("heads");
  EXPECT_TRUE(connect.starts_with("CONNECT localhost:")) << connect;
  EXPECT_FALSE(contains_ignoring_case(connect, "authorization")) << connect;
}

TEST_F(Proxies, TwoCredentialsNeverShareATunnel) {
  std::string address = start_tinyproxy("BasicAuth alice secret\nBasicAuth bob other\n");
  std::string alice = "http://alice:secret@" + address;
  std::string bob = "http://bob:other@" + address;
  std::string mallory = "http://mallory:guess@" + address;
  Client client(through(alice));
  Outcome first = client.fetch(secure("/bytes/1"));
  EXPECT_TRUE(is(first, HC_OK));
  EXPECT_EQ(client.fetch(secure("/bytes/1"), by(alice)).connection(), first.connection())
      << "equal, so the same";
  Outcome second = client.fetch(secure("/bytes/1"), by(bob));
  EXPECT_TRUE(is(second, HC_OK));
  EXPECT_NE(second.connection(), first.connection());
  EXPECT_EQ(accepted(1), 2u);
  Outcome refused = client.fetch(secure("/bytes/1"), by(mallory));
  EXPECT_TRUE(is(refused, HC_E_PROXY, HC_PHASE_CONNECTING));
  EXPECT_EQ(refused.error().native_domain, HC_NATIVE_PROXY);
  EXPECT_GE(refused.error().native_code, 400) << refused.message();
  EXPECT_EQ(refused.message().find("guess"), std::string::npos) << refused.message();
  Outcome anonymous = client.fetch(secure("/bytes/1"), by("http://" + address));
  EXPECT_TRUE(is(anonymous, HC_E_PROXY));
  EXPECT_EQ(accepted(1), 2u);
}

TEST_F(Proxies, WhatGoesWrongOnTheWayIsAProxyError) {
  std::string dead = "http://127.0.0.1:" + std::to_string(free_port());
  Client client(through("http://" + start_tinyproxy()));
  Outcome refused = client.fetch(plain("/bytes/1"), by(dead));
  EXPECT_TRUE(is(refused, HC_E_PROXY, HC_PHASE_CONNECTING));
  EXPECT_EQ(refused.error().native_domain, HC_NATIVE_ERRNO);
  EXPECT_EQ(refused.error().native_code, ECONNREFUSED);
  // The proxy is there, and cannot reach the server.
  std::string nobody = "https://127.0.0.1:" + std::to_string(free_port()) + "/";
  Outcome unreachable = client.fetch(nobody);
  EXPECT_TRUE(is(unreachable, HC_E_PROXY, HC_PHASE_CONNECTING));
  EXPECT_EQ(unreachable.error().native_domain, HC_NATIVE_PROXY);
  EXPECT_GE(unreachable.error().native_code, 500);
  EXPECT_TRUE(is(client.fetch(secure("/bytes/1")), HC_OK)) << "the session still works";
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1"), by("http://no-such-proxy.invalid")), HC_E_DNS));
}

// It says yes, and no end of it follows.
TEST_F(Proxies, AHeadWithoutEndIsAProxyError) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  while (head.size() < 400'000) head += "X-Bomb: " + std::string(1000, 'x') + "\r\n";
  for (const std::string& answer : {head, std::string("HTTP/1.1 200 OK\r\nX: y\r\n")}) {
    RawServer proxy(answer, RawServer::Then::kClose);
    std::string url = proxy.url();
    Client client([&](hc_session_options& o) { o.proxy = str(url); });
    Outcome outcome = client.fetch("https://far.test/");
    EXPECT_TRUE(is(outcome, HC_E_PROXY, HC_PHASE_CONNECTING));
    EXPECT_NE(outcome.message().find("its answer to CONNECT"), std::string::npos) << outcome.message();
  }
}

TEST_F(Proxies, TheProxysNameIsResolvedHereAndItsAddressesAreRaced) {
  std::string address = start_tinyproxy();
  Client client(through("http://proxy.test:" + std::to_string(tinyproxy_port_)));
  hc_str addresses[] = {HC_STR("127.0.0.9"), HC_STR("127.0.0.1")};  // nobody listens at the first
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("proxy.test"), 0, addresses, 2, nullptr), HC_OK);
  Outcome outcome = client.fetch(secure("/bytes/1"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.info().attempts, 2u);
  EXPECT_EQ(text(outcome.info().remote_address), "127.0.0.1");
}

TEST_F(Proxies, ConnectHeadersGoToTheProxyAlone) {
  start_tinyproxy();
  std::string proxy = "https://" + start_tls_relay();
  hc_header header{HC_STR("X-Route"), HC_STR("blue")};
  Client client([&](hc_session_options& o) {
    through(proxy)(o);
    o.proxy = str(proxy);
    o.proxy_headers = &header;
    o.proxy_header_count = 1;
  });
  Outcome outcome = client.fetch(secure("/echo/head"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_FALSE(contains_ignoring_case(outcome.body, "x-route")) << outcome.body;
  EXPECT_TRUE(contains_ignoring_case(scratch_.read("heads"), "x-route: blue"));
}

TEST_F(Proxies, AnHttpsProxyIsVerified) {
  start_tinyproxy();
  std::string proxy = "https://" + start_tls_relay();
  Client client(through(proxy));
  EXPECT_TRUE(is(client.fetch(secure("/bytes/1")), HC_OK));
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1")), HC_OK));
  Client distrustful([&](hc_session_options& o) {
    o.ca_file = str(pki_.other_ca().certificate_path);
    o.proxy = str(proxy);
  });
  EXPECT_TRUE(is(distrustful.fetch(plain("/bytes/1")), HC_E_TLS_VERIFY));
  // The server's pin is none of the proxy's business, and the other way round.
  std::string fingerprint = serve::certificate_fingerprint(pki_.server());
  std::string other = serve::certificate_fingerprint(pki_.client());
  auto pinned = [&](std::string& pin, hc_str* view) {
    return [this, &pin, view](hc_tls_options& o) {
      *view = str(pin);
      o.ca_file = str(pki_.ca().certificate_path);
      o.pins = view;
      o.pin_count = 1;
    };
  };
  hc_str view;
  TlsHandle wrong(pinned(other, &view));
  TlsHandle right(pinned(fingerprint, &view));
  Client with_pinned_proxy([&](hc_session_options& o) {
    through(proxy)(o);
    o.proxy = str(proxy);
    o.proxy_tls = wrong.get();
  });
  EXPECT_TRUE(is(with_pinned_proxy.fetch(plain("/bytes/1")), HC_E_TLS_VERIFY));
  Client with_right_pin([&](hc_session_options& o) {
    through(proxy)(o);
    o.proxy = str(proxy);
    o.proxy_tls = right.get();
  });
  EXPECT_TRUE(is(with_right_pin.fetch(plain("/bytes/1")), HC_OK));
  EXPECT_TRUE(is(with_right_pin.fetch(secure("/bytes/1"), right.tune()), HC_OK));
  EXPECT_TRUE(is(with_right_pin.fetch(secure("/bytes/1"), wrong.tune()), HC_E_TLS_VERIFY));
}

TEST_F(Proxies, Socks5IsGivenAddressesAndSocks5hNames) {
  std::string address = start_microsocks();
  Client client(through("socks5://" + address));
  hc_str loopback_address = HC_STR("127.0.0.1");
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("only-here.test"), 0, &loopback_address, 1, nullptr),
            HC_OK);
  std::string url = "http://only-here.test:" + std::to_string(origin_.port(0)) + "/bytes/4";
  Outcome outcome = client.fetch(url);
  EXPECT_TRUE(is(outcome, HC_OK)) << "the name is known here alone";
  EXPECT_EQ(outcome.body.size(), 4u);
  EXPECT_EQ(client.fetch(url).connection(), outcome.connection());
  EXPECT_TRUE(is(client.fetch(secure("/bytes/1")), HC_OK));
  EXPECT_TRUE(client.fetch(secure("/bytes/1")).was_reused());
  EXPECT_EQ(count(scratch_.read("microsocks.log"), "localhost"), 0u);

  std::string by_name = "socks5h://" + address;
  Outcome there = client.fetch(url, by(by_name));
  EXPECT_TRUE(is(there, HC_E_PROXY, HC_PHASE_CONNECTING)) << "the proxy does not know it";
  EXPECT_EQ(there.error().native_domain, HC_NATIVE_PROXY) << there.message();
  Outcome named = client.fetch(secure("/bytes/1"), by(by_name));
  EXPECT_TRUE(is(named, HC_OK));
  EXPECT_FALSE(named.was_reused()) << "another identity";
  EXPECT_GE(count(scratch_.read("microsocks.log"), "localhost"), 1u) << scratch_.read("microsocks.log");
}

TEST_F(Proxies, Socks5CredentialsAreAnIdentity) {
  std::string address = start_microsocks({"-u", "alice", "-P", "secret"});
  Client client(through("socks5://alice:secret@" + address));
  Outcome first = client.fetch(plain("/bytes/1"));
  EXPECT_TRUE(is(first, HC_OK));
  EXPECT_EQ(client.fetch(plain("/bytes/1")).connection(), first.connection());
  std::string wrong = "socks5://alice:guess@" + address;
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1"), by(wrong)), HC_E_PROXY))
      << "an idle one is there, and must not serve";
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1"), by("socks5://" + address)), HC_E_PROXY));
  std::string nobody = "http://127.0.0.1:" + std::to_string(free_port()) + "/";
  Outcome refused = client.fetch(nobody);
  EXPECT_TRUE(is(refused, HC_E_PROXY));
  EXPECT_EQ(refused.error().native_domain, HC_NATIVE_PROXY);
  EXPECT_EQ(refused.error().native_code, 5) << refused.message();
}

TEST_F(Proxies, ManyAtOnceThroughSocks5KeepAndShareTheirTunnels) {
  Client client([&, proxy = "socks5://" + start_microsocks()](hc_session_options& o) {
    through(proxy)(o);
    o.proxy = str(proxy);
    o.limit = 8;
  });
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 16; ++i) client.submit(plain("/delay/5", 1 + i % 2));
    for (const Outcome& outcome : client.collect(16)) EXPECT_TRUE(is(outcome, HC_OK));
  }
  EXPECT_LE(client.stats().sockets_peak, 8u);
  EXPECT_LE(accepted(0), 16u) << "64 requests";
}

TEST_F(Proxies, NoProxyAndRequestsOwnWord) {
  std::string dead = "http://127.0.0.1:" + std::to_string(free_port());
  Client client([&](hc_session_options& o) {
    o.proxy = str(dead);
    o.no_proxy = HC_STR("127.0.0.2, localhost");
  });
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1", 2)), HC_OK));
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1", 3)), HC_E_PROXY));
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1", 3), by("none")), HC_OK));
  std::string good = "http://" + start_tinyproxy();
  EXPECT_TRUE(is(client.fetch(plain("/bytes/1", 3), by(good)), HC_OK));
}

TEST_F(Proxies, TheEnvironmentCountsOnlyWhenTrusted) {
  std::string dead = "http://127.0.0.1:" + std::to_string(free_port());
  if (!is_child()) {
    ChildResult child = run_this_test_in_child(
        1000, {{"http_proxy", dead}, {"HTTP_PROXY", dead}, {"all_proxy", dead}, {"no_proxy", "127.0.0.2"}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    return;
  }
  Client by_default;
  EXPECT_TRUE(is(by_default.fetch(plain("/bytes/1")), HC_OK));
  auto trust = [](hc_session_options& o) { o.trust_env = HC_ON; };
  Client trusting(trust);
  EXPECT_TRUE(is(trusting.fetch(plain("/bytes/1")), HC_E_PROXY));
  EXPECT_TRUE(is(trusting.fetch(secure("/bytes/1")), HC_E_PROXY)) << "all_proxy";
  EXPECT_TRUE(is(trusting.fetch(plain("/bytes/1", 2)), HC_OK)) << "no_proxy";
  Client own([&](hc_session_options& o) {
    trust(o);
    o.proxy = HC_STR("none");
  });
  EXPECT_TRUE(is(own.fetch(plain("/bytes/1")), HC_OK));
  unsetenv("http_proxy");
  unsetenv("all_proxy");
  Client cgi(trust);
  EXPECT_TRUE(is(cgi.fetch(plain("/bytes/1")), HC_OK)) << "HTTP_PROXY may be a client's header";
  setenv("https_proxy", "gopher://x", 1);
  EXPECT_THROW(Client refused(trust), std::runtime_error);
}

// The embedded server takes absolute-form as well: as a proxy that keeps its connections, which tinyproxy does not.
class Forwarding : public testing::Test {
 protected:
  Forwarding() {
    proxy_.start();
    address_ = "http://alice:secret@127.0.0.1:" + std::to_string(proxy_.port());
  }
  Client& client() {
    if (client_ == nullptr) {
      client_ = std::make_unique<Client>([this](hc_session_options& o) {
        o.proxy = str(address_);
        o.limit_per_host = 2;
      });
    }
    return *client_;
  }
  HttpServer proxy_;
  std::string address_;
  std::unique_ptr<Client> client_;
};

TEST_F(Forwarding, TheRequestLineHasTheWholeUrl) {
  Outcome outcome = client().fetch("http://user:pass@origin.test:81/echo/head?x=1");
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.body.starts_with("GET http://origin.test:81/echo/head?x=1 HTTP/1.1\r\n"))
      << outcome.body;
  EXPECT_TRUE(contains_ignoring_case(outcome.body, "\r\nhost: origin.test:81\r\n"));
  EXPECT_TRUE(contains_ignoring_case(outcome.body, "\r\nproxy-authorization: basic ywxpy2u6c2vjcmv0\r\n"));
  EXPECT_EQ(count(outcome.body, "pass"), 0u);
}

TEST_F(Forwarding, OriginsShareItsConnectionsAndTheBooksStillHold) {
  for (int round = 0; round < 10; ++round) {
    for (const char* host : {"a", "b", "c"}) {
      for (int i = 0; i < 3; ++i) client().submit("http://" + std::string(host) + ".test/delay/3");
    }
    for (const Outcome& outcome : client().collect(9)) ASSERT_TRUE(is(outcome, HC_OK));
    expect_sums(client().stats());
  }
  EXPECT_LE(proxy_.counters().connections_peak, 6u) << "limit_per_host is 2, for each of three";
  EXPECT_LE(proxy_.counters().connections_accepted, 9u) << "90 requests";
}

TEST_F(Forwarding, APostNeverArrivesTwiceThroughAProxyEither) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is(client().fetch("http://a.test/bytes/1"), HC_OK));
  Outcome outcome = client().fetch("http://a.test/once/post?die=before_reply", with_body("POST", "x"));
  EXPECT_TRUE(is(outcome, HC_E_STALE));
  EXPECT_EQ(proxy_.once_count("post"), 1u);
}

TEST_F(Forwarding, WhatAnIdentityHeldGoesWithItsLastConnection) {
  EXPECT_TRUE(is(client().fetch("http://a.test/bytes/1"), HC_OK));
  size_t before = open_descriptors().size();
  for (int i = 0; i < 30; ++i) {
    std::string proxy = "http://user" + std::to_string(i) + "@127.0.0.1:" + std::to_string(proxy_.port());
    auto once = [&](hc_request& r) {
      r.proxy = str(proxy);
      r.force_close = HC_ON;
    };
    EXPECT_TRUE(is(client().fetch("http://a.test/bytes/1", once), HC_OK));
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors().size() <= before; }))
      << before << " -> " << open_descriptors().size();
}

}  // namespace
}  // namespace hc::test
