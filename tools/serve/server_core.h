// What the connections of one server share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "serve/connection.h"
#include "serve/event_loop.h"
#include "serve/http_server.h"
#include "serve/routes.h"
#include "serve/server_state.h"
#include "serve/tls_context.h"

namespace hc::serve {

class ServerCore;

/// A listening socket. Loop thread, except for bind().
class Listener final : public EventTarget {
 public:
  Listener(ServerCore& core, std::size_t index, const ListenerOptions& options);

  /// Before the loop starts. Binds again to the port found the first time.
  void bind();
  void close();
  void on_event(std::uint32_t events) override;
  void set_behaviour(Behaviour behaviour);

  std::size_t index() const { return index_; }
  std::uint16_t port() const { return port_; }
  Behaviour behaviour() const { return behaviour_; }
  SSL_CTX* tls() const { return tls_.get(); }
  AcceptFault& accept_fault() { return accept_fault_; }

 private:
  bool accept_one();
  void update_interest();

  ServerCore& core_;
  const std::size_t index_;
  const ListenerOptions options_;
  Behaviour behaviour_;
  SslContext tls_;
  Fd socket_;
  std::uint16_t port_;
  AcceptFault accept_fault_;
  Timer retry_;  // armed while descriptors are short
};

class ServerCore {
 public:
  static constexpr std::size_t kScratchBytes = 64 * 1024;

  explicit ServerCore(HttpServerOptions server_options);
  ~ServerCore();

  void start();
  void stop();

  // -- Loop thread
  void adopt(Listener& listener, Fd socket, std::uint16_t peer_port);
  /// Lets go of a closed connection; it lives on until the turn ends.
  void retire(Connection& connection);
  template <typename Action>
  void for_each_connection(Action action);
  void set_handler(std::string prefix, Handler handler);
  std::shared_ptr<const Handler> find_handler(std::string_view path) const;

  const HttpServerOptions options;
  EventLoop loop;
  ServerState state;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<char> scratch;  // what a socket gives in one read; of no connection longer than its event

 private:
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> retired_;
  std::vector<std::pair<std::string, std::shared_ptr<const Handler>>> handlers_;  // the longest prefix first
};

/// The action may end connections; those it ends are still visited, closed.
template <typename Action>
void ServerCore::for_each_connection(Action action) {
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [connection, owner] : connections_) all.push_back(connection);
  for (Connection* connection : all) action(*connection);
}

}  // namespace hc::serve
