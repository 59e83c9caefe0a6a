// Options of sockets, the socket callback, and how many may be connecting at one time.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <map>
#include <mutex>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "support/client.h"
#include "support/held.h"

namespace hc::test {
namespace {

using serve::Counters;

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(getsockopt(fd, level, name, &value, &length), 0);
  return value;
}

/// What the socket callback saw.
struct Sight {
  std::map<std::string, int> options;
  std::string host, address;
  uint16_t port = 0;
  int sockets = 0;
  int32_t verdict = 0;

  void attach(hc_session_options& o) {
    o.on_socket = look;
    o.on_socket_data = this;
  }
  static int32_t look(const hc_socket_info* info, void* self) {
    auto& sight = *static_cast<Sight*>(self);
    EXPECT_EQ(info->struct_size, sizeof *info);
    ++sight.sockets;
    sight.host = text(info->host);
    sight.address = text(info->address);
    sight.port = info->port;
    sight.options = {{"nodelay", option_of(info->fd, IPPROTO_TCP, TCP_NODELAY)},
                     {"keepalive", option_of(info->fd, SOL_SOCKET, SO_KEEPALIVE)},
                     {"idle", option_of(info->fd, IPPROTO_TCP, TCP_KEEPIDLE)},
                     {"interval", option_of(info->fd, IPPROTO_TCP, TCP_KEEPINTVL)},
                     {"user timeout", option_of(info->fd, IPPROTO_TCP, TCP_USER_TIMEOUT)},
                     {"receive buffer", option_of(info->fd, SOL_SOCKET, SO_RCVBUF)},
                     {"send buffer", option_of(info->fd, SOL_SOCKET, SO_SNDBUF)},
                     {"cloexec", fcntl(info->fd, F_GETFD) & FD_CLOEXEC}};
    return sight.verdict;
  }
};

class Sockets : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  std::string url(std::string_view path = "/bytes/1") const { return server_.url(0, path); }
  serve::HttpServer server_;
};

TEST_F(Sockets, Defaults) {
  Sight sight;
  Client client([&](hc_session_options& o) { sight.attach(o); });
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  EXPECT_EQ(sight.options["nodelay"], 1);
  EXPECT_EQ(sight.options["keepalive"], 0);
  EXPECT_EQ(sight.options["user timeout"], 0);
  EXPECT_EQ(sight.options["cloexec"], FD_CLOEXEC);
  EXPECT_EQ(sight.host, "127.0.0.1");
  EXPECT_EQ(sight.address, "127.0.0.1");
  EXPECT_EQ(sight.port, server_.port());
}

TEST_F(Sockets, OptionsReachTheSocket) {
  Sight sight;
  Client client([&](hc_session_options& o) {
    sight.attach(o);
    o.tcp_nodelay = HC_OFF;
    o.tcp_keepalive = HC_ON;
    o.tcp_keepalive_idle_ms = 7'000;
    o.tcp_keepalive_interval_ms = 3'900;
    o.tcp_user_timeout_ms = 12'345;
    o.receive_buffer = 40'000;
    o.send_buffer = 50'000;
  });
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  EXPECT_EQ(sight.options["nodelay"], 0);
  EXPECT_EQ(sight.options["keepalive"], 1);
  EXPECT_EQ(sight.options["idle"], 7);
  EXPECT_EQ(sight.options["interval"], 3);
  EXPECT_EQ(sight.options["user timeout"], 12'345);
  EXPECT_EQ(sight.options["receive buffer"], 80'000) << "the kernel doubles it";
  EXPECT_EQ(sight.options["send buffer"], 100'000);
}

// libcurl sets options as well, after the callback.
TEST_F(Sockets, OptionsAreStillThereWhenTheConnectionIsUsed) {
  struct Seen {
    int fd = -1;
  } seen;
  Client client([&](hc_session_options& o) {
    o.tcp_nodelay = HC_OFF;
    o.on_socket = [](const hc_socket_info* info, void* self) {
      static_cast<Seen*>(self)->fd = info->fd;
      int seconds = 11;
      setsockopt(info->fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof seconds);
      return 0;
    };
    o.on_socket_data = &seen;
  });
  client.fetch(url());
  EXPECT_EQ(option_of(seen.fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(option_of(seen.fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option_of(seen.fd, IPPROTO_TCP, TCP_LINGER2), 11);
  Client ordinary([&](hc_session_options& o) {
    o.on_socket = [](const hc_socket_info* info, void* self) {
      static_cast<Seen*>(self)->fd = info->fd;
      return 0;
    };
    o.on_socket_data = &seen;
  });
  ordinary.fetch(url());
  EXPECT_EQ(option_of(seen.fd, IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_F(Sockets, TheCallbackSeesEachNewConnectionOnce) {
  Sight sight;
  Client client([&](hc_session_options& o) { sight.attach(o); });
  for (int i = 0; i < 5; ++i) client.fetch(url());
  EXPECT_EQ(sight.sockets, 1);
}

TEST_F(Sockets, ARefusedSocketIsACallbackError) {
  Sight sight;
  sight.verdict = 1;
  Client client([&](hc_session_options& o) { sight.attach(o); });
  EXPECT_TRUE(is(client.fetch(url()), HC_E_CALLBACK, HC_PHASE_CONNECTING));
  EXPECT_EQ(server_.counters().connections_accepted, 0u);
  EXPECT_EQ(client.stats().sockets_opened, client.stats().sockets_closed);
}

TEST_F(Sockets, ARefusedAddressLeavesTheOthers) {
  serve::HttpServer everywhere([] {
    serve::HttpServerOptions options;
    options.listeners[0].address = "0.0.0.0";
    return options;
  }());
  everywhere.start();
  Client client([](hc_session_options& o) {
    o.on_socket = [](const hc_socket_info* info, void*) {
      return text(info->address) == "127.0.0.2" ? 1 : 0;
    };
  });
  hc_str addresses[] = {HC_STR("127.0.0.2"), HC_STR("127.0.0.3")};
  Outcome outcome =
      client.fetch("http://a.test:" + std::to_string(everywhere.port()) + "/bytes/1", [&](hc_request& r) {
        r.addresses = addresses;
        r.address_count = 2;
      });
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(text(outcome.info().remote_address), "127.0.0.3");
}

TEST_F(Sockets, LocalAddressIsWhatThePeerSees) {
  struct Seen {
    std::mutex mutex;
    int fd = -1;
  } seen;
  Client client([&](hc_session_options& o) {
    o.local_addr = HC_STR("127.0.0.77");
    o.on_socket = [](const hc_socket_info* info, void* self) {
      static_cast<Seen*>(self)->fd = info->fd;
      return 0;
    };
    o.on_socket_data = &seen;
  });
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  EXPECT_EQ(server_.counters().connections_accepted, 1u) << "reused";
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ASSERT_EQ(getsockname(seen.fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT_EQ(inet_ntoa(address.sin_addr), std::string("127.0.0.77"));
  EXPECT_EQ(ntohs(address.sin_port), server_.connections().at(0).peer_port);
}

TEST_F(Sockets, ALocalAddressThatIsNotHereIsAConnectError) {
  Client client([](hc_session_options& o) { o.local_addr = HC_STR("203.0.113.5"); });
  Outcome outcome = client.fetch(url());
  EXPECT_TRUE(is(outcome, HC_E_CONNECT, HC_PHASE_CONNECTING));
  EXPECT_NE(outcome.message().find("203.0.113.5"), std::string::npos) << outcome.message();
  EXPECT_EQ(outcome.error().native_code, EADDRNOTAVAIL);
}

TEST_F(Sockets, AnInterfaceThatIsNotHereIsAConnectError) {
  Client client([](hc_session_options& o) { o.interface_name = HC_STR("nosuchif0"); });
  Outcome outcome = client.fetch(url());
  EXPECT_TRUE(is(outcome, HC_E_CONNECT, HC_PHASE_CONNECTING));
  EXPECT_NE(outcome.message().find("nosuchif0"), std::string::npos) << outcome.message();
}

TEST_F(Sockets, MaxConnectingBoundsConnectsAndNotConnections) {
  Client client([](hc_session_options& o) { o.max_connecting = 3; });
  Held held(client, url("/echo"), 40);
  EXPECT_TRUE(server_.wait_until([](const serve::Counters& c) { return c.connections_open == 40; }));
  held.release();
  for (const Outcome& outcome : client.collect(40)) EXPECT_TRUE(is(outcome, HC_OK));
}

TEST_F(Sockets, MaxConnectingHoldsTheOthersBack) {
  serve::BlackHole hole;
  std::string nowhere = "http://127.0.0.1:" + std::to_string(hole.port()) + "/";
  Client client([](hc_session_options& o) { o.max_connecting = 3; });
  std::vector<hc_id> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(client.submit(nowhere));
  ASSERT_TRUE(
      client.stats_become([](const hc_stats& s) { return s.sockets_connecting == 3 && s.waiting == 7; }));
  EXPECT_EQ(client.stats().sockets_opened, 3u);
  client.cancel(ids[0]);
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_opened == 4; }));
  EXPECT_EQ(client.stats().sockets_connecting, 3u);
  // An origin that has an idle connection needs no connect.
  for (hc_id id : ids) client.cancel(id);
  for (const Outcome& outcome : client.collect(10)) EXPECT_TRUE(is(outcome, HC_E_CANCELLED));
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
}

}  // namespace
}  // namespace hc::test
