#include "serve/dns_server.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "serve/dns_zone.h"
#include "serve/event_loop.h"
#include "serve/net.h"

namespace hc::serve {

namespace {

// Where an answer goes: a TCP connection by number (it may be gone by then), or a UDP peer.
struct DnsPeer {
  std::uint64_t connection = 0;  // 0: UDP
  SocketAddress address;
};

using QuerySink = std::function<void(std::string_view message, const DnsPeer& peer)>;

class DnsConnection final : public EventTarget {
 public:
  DnsConnection(EventLoop& loop, Fd socket, std::uint64_t number, QuerySink sink)
      : loop_(loop), socket_(std::move(socket)), number_(number), sink_(std::move(sink)) {
    loop_.watch(socket_.get(), EPOLLIN, this);
  }

  void on_event(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) flush();
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive();
  }

  void send(std::string_view message) {
    output_ += static_cast<char>(message.size() >> 8);
    output_ += static_cast<char>(message.size() & 0xff);
    output_ += message;
    flush();
  }

  bool is_closed() const { return is_closed_; }

 private:
  void receive() {
    std::array<char, 4096> buffer;
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close();
    input_.append(buffer.data(), static_cast<std::size_t>(count));
    while (take_message()) {
    }
  }

  bool take_message() {
    if (input_.size() < 2) return false;
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(input_[0]) << 8 |
                                                        static_cast<unsigned char>(input_[1]));
    if (input_.size() < length + 2) return false;
    const std::string message = input_.substr(2, length);
    input_.erase(0, length + 2);
    sink_(message, {number_, {}});
    return true;
  }

  void flush() {
    if (is_closed_) return;
    const ssize_t count = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return close();
    if (count > 0) output_.erase(0, static_cast<std::size_t>(count));
    loop_.change(socket_.get(), output_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, this);
  }

  void close() {
    is_closed_ = true;
    loop_.unwatch(socket_.get());
    socket_.reset();
  }

  EventLoop& loop_;
  Fd socket_;
  const std::uint64_t number_;
  const QuerySink sink_;
  std::string input_;
  std::string output_;
  bool is_closed_ = false;
};

struct DelayedAnswer {
  Timer timer{nullptr};
  bool is_done = false;
};

class SocketTarget final : public EventTarget {
 public:
  explicit SocketTarget(std::function<void()> action) : action_(std::move(action)) {}
  void on_event(std::uint32_t) override { action_(); }

 private:
  std::function<void()> action_;
};

}  // namespace

class DnsServer::Impl {
 public:
  explicit Impl(DnsServerOptions options)
      : options_(std::move(options)),
        zone(options_.default_reply),
        port_(options_.port),
        udp_target_([this] { receive_datagrams(); }),
        tcp_target_([this] { accept_connections(); }),
        accept_again_([this] { loop_.change(tcp_.get(), EPOLLIN, &tcp_target_); }) {
    loop_.set_end_of_turn([this] { sweep(); });
  }
  ~Impl() { stop(); }

  void start() {
    if (loop_.running()) return;
    bind();
    loop_.watch(udp_.get(), EPOLLIN, &udp_target_);
    loop_.watch(tcp_.get(), EPOLLIN, &tcp_target_);
    loop_.start();
  }

  void stop() {
    loop_.stop();
    loop_.unwatch(udp_.get());
    loop_.unwatch(tcp_.get());
    udp_.reset();
    tcp_.reset();
    loop_.disarm(accept_again_);
    for (auto& answer : delayed_) loop_.disarm(answer->timer);
    delayed_.clear();
    connections_.clear();
  }

  std::uint16_t port() const { return port_; }
  const DnsServerOptions& options() const { return options_; }

 private:
  void bind();
  void receive_datagrams();
  void accept_connections();
  void handle(std::string_view message, const DnsPeer& peer);
  void send_later(std::string message, const DnsPeer& peer, Milliseconds delay);
  void send(std::string_view message, const DnsPeer& peer);
  void sweep();

  const DnsServerOptions options_;

 public:
  DnsZone zone;

 private:
  std::uint16_t port_;
  EventLoop loop_;
  Fd udp_;
  Fd tcp_;
  SocketTarget udp_target_;
  SocketTarget tcp_target_;
  Timer accept_again_;  // armed while descriptors are short
  std::uint64_t next_connection_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<DnsConnection>> connections_;
  std::vector<std::unique_ptr<DelayedAnswer>> delayed_;
};

// UDP and TCP ports are given out separately: an ephemeral number that is free for both takes luck.
void DnsServer::Impl::bind() {
  constexpr int kAttempts = 50;
  for (int attempt = 1;; ++attempt) {
    udp_ = bind_socket(SOCK_DGRAM, SocketAddress::parse(options_.address, port_));
    const std::uint16_t found = SocketAddress::of(udp_.get()).port();
    try {
      tcp_ = bind_socket(SOCK_STREAM, SocketAddress::parse(options_.address, found));
      start_listening(tcp_.get(), SOMAXCONN);
      port_ = found;
      return;
    } catch (const std::system_error&) {
      if (port_ != 0 || attempt == kAttempts) throw;
    }
  }
}

void DnsServer::Impl::receive_datagrams() {
  constexpr int kPerTurn = 64;
  std::array<char, 4096> buffer;
  for (int i = 0; i < kPerTurn; ++i) {
    DnsPeer peer;
    peer.address.length = sizeof(peer.address.storage);
    const ssize_t count =
        ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0, peer.address.get(), &peer.address.length);
    if (count < 0) return;
    handle({buffer.data(), static_cast<std::size_t>(count)}, peer);
  }
}

void DnsServer::Impl::accept_connections() {
  Fd socket(::accept4(tcp_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    if (!is_shortage(errno)) return;
    loop_.change(tcp_.get(), 0, &tcp_target_);
    return loop_.arm(accept_again_, loop_.now() + kShortagePause);
  }
  const std::uint64_t number = next_connection_++;
  const auto sink = [this](std::string_view message, const DnsPeer& peer) { handle(message, peer); };
  connections_.emplace(number, std::make_unique<DnsConnection>(loop_, std::move(socket), number, sink));
}

void DnsServer::Impl::handle(std::string_view message, const DnsPeer& peer) {
  const auto query = parse_dns_query(message);
  if (!query) return;
  DnsDecision decision = zone.decide(*query, peer.connection == 0 ? DnsTransport::kUdp : DnsTransport::kTcp);
  if (decision.is_silent) return;
  if (decision.delay.count() <= 0) return send(decision.message, peer);
  send_later(std::move(decision.message), peer, decision.delay);
}

void DnsServer::Impl::send_later(std::string message, const DnsPeer& peer, Milliseconds delay) {
  auto answer = std::make_unique<DelayedAnswer>();
  DelayedAnswer* raw = answer.get();
  answer->timer.set_action([this, raw, message = std::move(message), peer] {
    raw->is_done = true;
    send(message, peer);
  });
  loop_.arm(answer->timer, loop_.now() + delay);
  delayed_.push_back(std::move(answer));
}

void DnsServer::Impl::send(std::string_view message, const DnsPeer& peer) {
  if (peer.connection == 0) {
    ::sendto(udp_.get(), message.data(), message.size(), MSG_NOSIGNAL, peer.address.get(),
             peer.address.length);
    return;
  }
  const auto found = connections_.find(peer.connection);
  if (found != connections_.end()) found->second->send(message);
}

// Not where they end: both end inside functions of their own.
void DnsServer::Impl::sweep() {
  std::erase_if(delayed_, [](const auto& answer) { return answer->is_done; });
  std::erase_if(connections_, [](const auto& entry) { return entry.second->is_closed(); });
}

DnsServer::DnsServer(DnsServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

DnsServer::~DnsServer() = default;

void DnsServer::start() { impl_->start(); }

void DnsServer::stop() { impl_->stop(); }

std::uint16_t DnsServer::port() const { return impl_->port(); }

std::string DnsServer::endpoint() const { return endpoint_text(impl_->options().address, port()); }

void DnsServer::script(std::string_view name, std::vector<DnsReply> replies) {
  impl_->zone.script(name, std::move(replies));
}

void DnsServer::script(std::string_view name, DnsType type, std::vector<DnsReply> replies) {
  impl_->zone.script(name, type, std::move(replies));
}

void DnsServer::forget(std::string_view name) { impl_->zone.forget(name); }

void DnsServer::set_default(DnsReply reply) { impl_->zone.set_default(std::move(reply)); }

std::uint64_t DnsServer::count(std::string_view name, DnsType type) const {
  return impl_->zone.count(name, type);
}

std::uint64_t DnsServer::count(std::string_view name) const { return impl_->zone.count(name, std::nullopt); }

std::uint64_t DnsServer::total() const { return impl_->zone.total(); }

std::uint64_t DnsServer::total_over_tcp() const { return impl_->zone.total_over_tcp(); }

void DnsServer::reset_counters() { impl_->zone.reset_counters(); }

bool DnsServer::wait_for_queries(std::uint64_t queries, std::chrono::milliseconds timeout) const {
  return impl_->zone.wait_for_queries(queries, timeout);
}

}  // namespace hc::serve
