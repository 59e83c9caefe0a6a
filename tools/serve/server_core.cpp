#include "serve/server_core.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

namespace hc::serve {

namespace {

constexpr int kAcceptsPerTurn = 128;

std::optional<Ending> ending_on_accept(Behaviour behaviour) {
  if (behaviour == Behaviour::kCloseOnAccept) return Ending::kFin;
  if (behaviour == Behaviour::kResetOnAccept) return Ending::kReset;
  return std::nullopt;
}

}  // namespace

Listener::Listener(ServerCore& core, std::size_t index, const ListenerOptions& options)
    : core_(core),
      index_(index),
      options_(options),
      behaviour_(options.behaviour),
      tls_(options.tls ? make_tls_context(*options.tls) : nullptr),
      port_(options.port),
      retry_([this] { update_interest(); }) {}

void Listener::bind() {
  socket_ = bind_socket(SOCK_STREAM, SocketAddress::parse(options_.address, port_));
  const int fd = socket_.get();
  // Accepted sockets inherit these: no system call per connection.
  set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options_.receive_buffer > 0) set_socket_option(fd, SOL_SOCKET, SO_RCVBUF, options_.receive_buffer);
  if (options_.send_buffer > 0) set_socket_option(fd, SOL_SOCKET, SO_SNDBUF, options_.send_buffer);
  start_listening(fd, options_.backlog);
  port_ = SocketAddress::of(fd).port();
  core_.loop.watch(fd, behaviour_ == Behaviour::kPauseAccept ? 0u : EPOLLIN, this);
}

void Listener::close() {
  core_.loop.disarm(retry_);
  core_.loop.unwatch(socket_.get());
  socket_.reset();
}

void Listener::set_behaviour(Behaviour behaviour) {
  behaviour_ = behaviour;
  update_interest();
}

void Listener::update_interest() {
  const bool pauses = behaviour_ == Behaviour::kPauseAccept || retry_.armed();
  if (socket_) core_.loop.change(socket_.get(), pauses ? 0u : EPOLLIN, this);
}

void Listener::on_event(std::uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (!accept_one()) return;
  }
}

bool Listener::accept_one() {
  SocketAddress peer;
  peer.length = sizeof(peer.storage);
  Fd socket(::accept4(socket_.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    core_.adopt(*this, std::move(socket), peer.port());
    return true;
  }
  if (is_shortage(errno)) {
    core_.loop.arm(retry_, core_.loop.now() + kShortagePause);
    update_interest();
    return false;
  }
  return errno == ECONNABORTED;
}

ServerCore::ServerCore(HttpServerOptions server_options)
    : options(std::move(server_options)),
      state(options.listeners.size(), options.log_capacity),
      scratch(kScratchBytes) {
  for (std::size_t i = 0; i < options.listeners.size(); ++i) {
    listeners.push_back(std::make_unique<Listener>(*this, i, options.listeners[i]));
  }
  loop.set_end_of_turn([this] {
    retired_.clear();
    state.notify_waiters();
  });
}

ServerCore::~ServerCore() { stop(); }

void ServerCore::start() {
  if (loop.running()) return;
  try {
    for (auto& listener : listeners) listener->bind();
  } catch (...) {
    for (auto& listener : listeners) listener->close();
    throw;
  }
  loop.start();
}

void ServerCore::stop() {
  // On the loop's thread, where a write to a dead peer inside OpenSSL raises no SIGPIPE.
  loop.call([this] {
    for (auto& listener : listeners) listener->close();
    for_each_connection([](Connection& connection) { connection.end(Ending::kCloseNow); });
  });
  loop.stop();
  retired_.clear();
  state.notify_waiters();
}

void ServerCore::adopt(Listener& listener, Fd socket, std::uint16_t peer_port) {
  const std::uint64_t number = state.connection_opened(listener.index(), peer_port);
  auto owner = std::make_unique<Connection>(*this, listener, std::move(socket), peer_port, number);
  Connection& connection = *owner;
  connections_.emplace(&connection, std::move(owner));
  connection.start();
  AcceptFault& fault = listener.accept_fault();
  if (fault.count > 0) {
    --fault.count;
    return connection.end(fault.ending);
  }
  if (const auto ending = ending_on_accept(listener.behaviour())) connection.end(*ending);
}

void ServerCore::retire(Connection& connection) {
  const auto found = connections_.find(&connection);
  retired_.push_back(std::move(found->second));
  connections_.erase(found);
  state.connection_closed(connection.listener().index(), connection.number());
}

void ServerCore::set_handler(std::string prefix, Handler handler) {
  std::erase_if(handlers_, [&](const auto& entry) { return entry.first == prefix; });
  if (handler) handlers_.emplace_back(std::move(prefix), std::make_shared<const Handler>(std::move(handler)));
  const auto longer = [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); };
  std::stable_sort(handlers_.begin(), handlers_.end(), longer);
}

std::shared_ptr<const Handler> ServerCore::find_handler(std::string_view path) const {
  for (const auto& [prefix, handler] : handlers_) {
    if (path.starts_with(prefix)) return handler;
  }
  return nullptr;
}

}  // namespace hc::serve
