// Transfer: which addresses it has to know before it can connect.
#include <utility>

#include "engine/engine.h"
#include "engine/transfer.h"

namespace hc {

// What has to be known before a socket can be made: the server's address, or the proxy's. A proxy that wants the
// server's address gets both, one after the other.
void Transfer::resolve() {
  const Route& route = *request_->route;
  exchange_->target = {};
  if (!route.unix_path.empty()) {
    start_race({IpAddress{Family::kAny, {}, 0}});
  } else if (route.proxy != nullptr && !route.proxy->wants_address()) {
    look_up(route.proxy->host, route.proxy->port);
  } else if (!request_->addresses.empty()) {
    server_found(request_->addresses);
  } else {
    look_up(request_->host, request_->port);
  }
}

void Transfer::look_up(std::string_view host, uint16_t port) {
  if (phase_ != HC_PHASE_RESOLVING) enter(HC_PHASE_RESOLVING);
  auto answer = engine_->names().resolve(host, port, engine_->now(), *this);
  if (is_traced()) trace_lookup(answer ? &*answer : nullptr);
  if (answer) {
    on_looked_up(std::move(*answer));
    return;
  }
  clocks_.start(Clocks::kDns, engine_->now());
  arm_timer();
}

void Transfer::on_name(NameAnswer answer) {
  clocks_.stop(Clocks::kDns);
  if (is_traced()) trace(HC_TRACE_DNS_RESOLVEHOST_END, {.status = answer.status.code()});
  on_looked_up(std::move(answer));
}

void Transfer::on_looked_up(NameAnswer answer) {
  if (answer.status.is_out_of_descriptors()) {
    exchange_->permit.give_back();
    engine_->on_descriptor_shortage();
    back_in_line(false);
    return;
  }
  if (!answer.status.is_ok()) {
    finish(std::move(answer.status));
    return;
  }
  exchange_->timing.resolved_ns = since_submit(engine_->now());
  const Proxy* proxy = request_->route->proxy.get();
  bool is_server = proxy == nullptr || (proxy->wants_address() && exchange_->target.port == 0);
  if (is_server) {
    server_found(std::move(answer.addresses));
  } else {
    start_race(std::move(answer.addresses));
  }
}

void Transfer::server_found(std::vector<IpAddress> addresses) {
  const Proxy* proxy = request_->route->proxy.get();
  if (proxy == nullptr) {
    start_race(std::move(addresses));
    return;
  }
  exchange_->target = {addresses.front(), request_->port};
  look_up(proxy->host, proxy->port);
}

}  // namespace hc
