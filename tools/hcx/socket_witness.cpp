#include "hcx/socket_witness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <vector>

namespace hc::hcx {

namespace {

bool has_local_port(int fd) {
  sockaddr_in6 address{};  // has room for IPv4, too, whose port is at the same place
  socklen_t size = sizeof address;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sin6_port != 0;
}

// A socket that was shut down or reset is on its way out: it counts no more, though its descriptor may live a little
// longer. One that is yet to connect counts.
bool is_in_use(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return false;  // closed, or something else by now
  if (info.tcpi_state == TCP_CLOSE) return !has_local_port(fd);
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

bool SocketWitness::must_look(std::uint64_t of_port, std::uint64_t peak_of_port) const {
  const bool passes_limit =
      (limit_ != 0 && open_.size() > limit_) || (limit_per_port_ != 0 && of_port > limit_per_port_);
  return passes_limit || (open_.size() <= kFew && (open_.size() > peak_ || of_port > peak_of_port));
}

void SocketWitness::note(int fd, std::uint16_t port) {
  ++seen_;
  forget(fd);
  open_[fd] = port;
  std::uint64_t& of_port = open_by_port_[port];
  std::uint64_t& peak_of_port = peak_by_port_[port];
  ++of_port;
  if (must_look(of_port, peak_of_port)) forget_closed(fd);
  peak_ = std::max<std::uint64_t>(peak_, open_.size());
  peak_of_port = std::max(peak_of_port, of_port);
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
