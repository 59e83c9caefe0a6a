#include "serve/http_server.h"

#include <utility>

#include "serve/server_core.h"

namespace hc::serve {

class HttpServer::Impl {
 public:
  explicit Impl(HttpServerOptions options) : core(std::move(options)) {}
  ServerCore core;
};

HttpServer::HttpServer(HttpServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpServer::~HttpServer() = default;

void HttpServer::start() { impl_->core.start(); }

void HttpServer::stop() { impl_->core.stop(); }

std::uint16_t HttpServer::port(std::size_t listener) const {
  return impl_->core.listeners.at(listener)->port();
}

std::string HttpServer::url(std::size_t listener, std::string_view path) const {
  const ListenerOptions& options = impl_->core.options.listeners.at(listener);
  const std::string scheme = options.tls ? "https://" : "http://";
  return scheme + endpoint_text(options.address, port(listener)) + std::string(path);
}

void HttpServer::handle(std::string path_prefix, Handler handler) {
  impl_->core.loop.call([&] { impl_->core.set_handler(std::move(path_prefix), std::move(handler)); });
}

void HttpServer::set_behaviour(Behaviour behaviour) {
  for (std::size_t i = 0; i < impl_->core.listeners.size(); ++i) set_behaviour(i, behaviour);
}

void HttpServer::set_behaviour(std::size_t listener, Behaviour behaviour) {
  Listener& target = *impl_->core.listeners.at(listener);
  impl_->core.loop.call([&] {
    target.set_behaviour(behaviour);
    impl_->core.for_each_connection([](Connection& connection) { connection.behaviour_changed(); });
  });
}

void HttpServer::fail_next_accepts(std::size_t listener, std::uint64_t count, Ending ending) {
  Listener& target = *impl_->core.listeners.at(listener);
  impl_->core.loop.call([&] { target.accept_fault() = {count, ending}; });
}

void HttpServer::end_connections(Ending ending) {
  impl_->core.loop.call(
      [&] { impl_->core.for_each_connection([&](Connection& connection) { connection.end(ending); }); });
}

void HttpServer::end_idle_connections(Ending ending) {
  impl_->core.loop.call([&] {
    impl_->core.for_each_connection([&](Connection& connection) {
      if (connection.is_idle()) connection.end(ending);
    });
  });
}

Counters HttpServer::counters() const { return impl_->core.state.total(); }

Counters HttpServer::counters(std::size_t listener) const { return impl_->core.state.of_listener(listener); }

std::vector<ConnectionRecord> HttpServer::connections() const { return impl_->core.state.connections(); }

std::uint64_t HttpServer::requests_on_connection(std::uint64_t number) const {
  return impl_->core.state.requests_on_connection(number);
}

std::uint64_t HttpServer::once_count(std::string_view key) const { return impl_->core.state.once_count(key); }

std::vector<LogEntry> HttpServer::log() const { return impl_->core.state.log(); }

void HttpServer::reset_counters() { impl_->core.state.reset(); }

bool HttpServer::wait_until(const std::function<bool(const Counters&)>& condition,
                            std::chrono::milliseconds timeout) const {
  return impl_->core.state.wait_until(condition, timeout);
}

}  // namespace hc::serve
