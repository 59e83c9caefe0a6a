#include "hcx/socket_witness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <vector>

namespace hc::hcx {

namespace {

// A socket that was shut down is on its way out: it counts no more, though its descriptor may live a little longer.
bool is_in_use(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return false;  // closed, or something else by now
  return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_SYN_SENT ||
         info.tcpi_state == TCP_CLOSE_WAIT;
}

}  // namespace

std::int32_t SocketWitness::on_socket(const hc_socket_info* socket, void* witness) {
  static_cast<SocketWitness*>(witness)->note(socket->fd, socket->port);
  return 0;
}

std::uint64_t SocketWitness::peak_of(std::uint16_t port) const {
  const auto found = peak_by_port_.find(port);
  return found == peak_by_port_.end() ? 0 : found->second;
}

void SocketWitness::note(int fd, std::uint16_t port) {
  ++seen_;
  forget(fd);
  open_[fd] = port;
  ++open_by_port_[port];
  if (open_.size() > peak_ || open_by_port_[port] > peak_by_port_[port]) forget_closed(fd);
  peak_ = std::max<std::uint64_t>(peak_, open_.size());
  peak_by_port_[port] = std::max(peak_by_port_[port], open_by_port_[port]);
}

void SocketWitness::forget(int fd) {
  const auto found = open_.find(fd);
  if (found == open_.end()) return;
  --open_by_port_[found->second];
  open_.erase(found);
}

void SocketWitness::forget_closed(int newest) {
  std::vector<int> closed;
  for (const auto& [fd, port] : open_) {
    if (fd != newest && !is_in_use(fd)) closed.push_back(fd);
  }
  for (const int fd : closed) forget(fd);
}

}  // namespace hc::hcx
