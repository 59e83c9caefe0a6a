// Unix sockets: nginx for the real thing, and a small server of the test's own for abstract names and counting.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <set>
#include <thread>

#include "serve/test_pki.h"
#include "support/client.h"
#include "support/process.h"
#include "support/real_server.h"

namespace hc::test {
namespace {

// Answers each request with the number of its connection.
class UnixServer {
 public:
  explicit UnixServer(const std::string& path) : stop_(eventfd(0, EFD_CLOEXEC)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0) << strerror(errno);
    EXPECT_EQ(listen(listener_, 64), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~UnixServer() {
    ask('q');
    thread_.join();
    close(listener_);
    close(stop_);
  }
  uint64_t accepted() const { return accepted_; }
  /// Ends every connection, and goes on listening. Done when it returns.
  void end_connections() {
    uint64_t before = ended_;
    ask('e');
    EXPECT_TRUE(eventually([&] { return ended_ > before; }));
  }

 private:
  struct Peer {
    int fd;
    uint64_t number;
    std::string pending;
  };

  void ask(char what) {
    order_ = what;
    eventfd_write(stop_, 1);
  }
  void run() {
    for (;;) {
      std::vector<pollfd> watched{{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const Peer& peer : peers_) watched.push_back({peer.fd, POLLIN, 0});
      poll(watched.data(), watched.size(), -1);
      for (size_t i = watched.size(); i-- > 2;) {
        if (watched[i].revents != 0) serve(i - 2);
      }
      if (watched[1].revents != 0) peers_.push_back({accept(listener_, nullptr, nullptr), ++accepted_, ""});
      if (watched[0].revents == 0) continue;
      eventfd_t ignored;
      eventfd_read(stop_, &ignored);
      for (const Peer& peer : peers_) close(peer.fd);
      peers_.clear();
      ++ended_;
      if (order_ == 'q') return;
    }
  }
  void serve(size_t index) {
    Peer& peer = peers_[index];
    char bytes[4096];
    ssize_t length = recv(peer.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length <= 0) {
      close(peer.fd);
      peers_.erase(peers_.begin() + static_cast<ptrdiff_t>(index));
      return;
    }
    peer.pending.append(bytes, static_cast<size_t>(length));
    if (!peer.pending.ends_with("\r\n\r\n")) return;
    peer.pending.clear();
    std::string body = std::to_string(peer.number);
    std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    send(peer.fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  int stop_;
  int listener_ = -1;
  std::atomic<char> order_{0};
  std::atomic<uint64_t> accepted_{0}, ended_{0};
  std::vector<Peer> peers_;
  std::thread thread_;
};

class UnixSockets : public testing::Test {
 protected:
  ScratchDirectory scratch_;
  std::string path_ = scratch_.file("server.sock");
};

Tune at(std::string_view path) {
  return [path](hc_request& r) { r.unix_path = str(path); };
}

TEST_F(UnixSockets, NginxAnswersOverHttpAndHttps) {
  serve::TestPki pki;
  uint16_t port =
      free_port();  // to see that it is up: nginx opens it last, as it stands behind a unix socket here
  std::string servers = "server { listen unix:" + path_ + "; listen 127.0.0.1:" + std::to_string(port) +
                        "; location / { return 200 \"plain $host $connection\"; } }\n"
                        "server { listen unix:" +
                        scratch_.file("tls.sock") + " ssl; ssl_certificate " + pki.server().certificate_path +
                        "; ssl_certificate_key " + pki.server().private_key_path +
                        "; location / { return 200 \"tls $host\"; } }";
  RealServer nginx(nginx_command(scratch_, servers), port, scratch_.file("nginx.out"));
  LeakCheck leaks;
  Client client([&](hc_session_options& o) {
    o.unix_path = str(path_);
    o.ca_file = str(pki.ca().certificate_path);
  });
  Outcome outcome = client.fetch("http://any.name.test/x");
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.body.starts_with("plain any.name.test ")) << outcome.body;
  EXPECT_EQ(text(outcome.info().remote_address), "");
  EXPECT_EQ(outcome.info().remote_port, 0);
  EXPECT_EQ(client.fetch("http://any.name.test/y").body, outcome.body) << "the same connection";
  Outcome tls = client.fetch("https://localhost/", at(scratch_.file("tls.sock")));
  EXPECT_TRUE(is(tls, HC_OK));
  EXPECT_EQ(tls.body, "tls localhost");
  Outcome direct = client.fetch("http://127.0.0.1:" + std::to_string(port) + "/", at(""));
  EXPECT_TRUE(is(direct, HC_OK));
  EXPECT_EQ(direct.info().remote_port, port);
}

TEST_F(UnixSockets, EachPathIsAnIdentityAndEachHostAnOrigin) {
  UnixServer first(path_);
  UnixServer second("@libhc-test-" + std::to_string(getpid()));
  std::string abstract = "@libhc-test-" + std::to_string(getpid());
  Client client;
  EXPECT_EQ(client.fetch("http://a.test/", at(path_)).body, "1");
  EXPECT_EQ(client.fetch("http://a.test/", at(abstract)).body, "1");
  EXPECT_EQ(client.fetch("http://a.test/", at(path_)).body, "1");
  EXPECT_EQ(client.fetch("http://b.test/", at(path_)).body, "2");
  EXPECT_EQ(client.fetch("http://a.test/", at(abstract)).body, "2")
      << "never reused, for libcurl sees no name in it";
  EXPECT_EQ(first.accepted(), 2u);
  EXPECT_EQ(second.accepted(), 2u);
  EXPECT_TRUE(
      client.stats_become([](const hc_stats& s) { return s.sockets_idle == 2 && s.sockets_retired == 0; }));
  std::string with_nul = abstract;
  with_nul[0] = '\0';
  EXPECT_TRUE(is(client.fetch("http://a.test/", at(with_nul)), HC_OK));
}

TEST_F(UnixSockets, ConnectionsAreToldApartAlthoughTheyHaveNoPort) {
  UnixServer server(path_);
  Client client([&](hc_session_options& o) {
    o.unix_path = str(path_);
    o.limit = 5;
  });
  std::set<std::string> connections;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) client.submit("http://a.test/");
    for (const Outcome& outcome : client.collect(10)) {
      ASSERT_TRUE(is(outcome, HC_OK));
      connections.insert(outcome.body + "=" + std::to_string(outcome.connection()));
    }
    expect_sums(client.stats());
  }
  EXPECT_LE(server.accepted(), 5u);
  EXPECT_EQ(connections.size(), server.accepted())
      << "each number of ours is always the same one of the server's";
}

TEST_F(UnixSockets, DeadIdleOnesAreNoticed) {
  UnixServer server(path_);
  Client client([&](hc_session_options& o) { o.unix_path = str(path_); });
  for (int i = 0; i < 5; ++i) client.submit("http://a.test/");
  for (const Outcome& outcome : client.collect(5)) EXPECT_TRUE(is(outcome, HC_OK));
  server.end_connections();
  EXPECT_TRUE(is(client.fetch("http://a.test/", with_method("POST")), HC_OK));
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) {
    return s.sockets_retired == 0 && s.sockets_idle == 1;
  })) << client.stats().sockets_retired
      << " retired, " << client.stats().sockets_idle << " idle";
}

TEST_F(UnixSockets, NobodyThereIsAConnectError) {
  LeakCheck leaks;
  Client client([&](hc_session_options& o) { o.unix_path = str(path_); });
  Outcome outcome = client.fetch("http://a.test/");
  EXPECT_TRUE(is(outcome, HC_E_CONNECT, HC_PHASE_CONNECTING));
  EXPECT_EQ(outcome.error().native_code, ENOENT);
  EXPECT_NE(outcome.message().find(path_), std::string::npos) << outcome.message();
}

}  // namespace
}  // namespace hc::test
