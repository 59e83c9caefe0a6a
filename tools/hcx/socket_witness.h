// Counts a session's sockets from outside, by asking the kernel.
#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <unordered_map>

namespace hc::hcx {

/// Sees each new socket of a session (hc_session_options.on_socket) and knows from the kernel which earlier ones
/// are still open, so that the limits can be checked without believing the session. It is exact: peaks happen when
/// a socket is made, and the loop thread does nothing else meanwhile.
///
/// Rule: `open_` holds every open socket and perhaps some closed ones; they are looked for only when there seem to
/// be more than ever. The kernel gives new sockets the numbers of closed ones, so that is seldom.
class SocketWitness {
 public:
  /// For on_socket; `witness` is the user data. Loop thread.
  static std::int32_t on_socket(const hc_socket_info* socket, void* witness);

  // After the session was closed.
  std::uint64_t seen() const { return seen_; }
  std::uint64_t peak() const { return peak_; }
  std::uint64_t peak_of(std::uint16_t port) const;

 private:
  void note(int fd, std::uint16_t port);
  void forget(int fd);
  void forget_closed(int newest);

  std::unordered_map<int, std::uint16_t> open_;  // port by descriptor
  std::map<std::uint16_t, std::uint64_t> open_by_port_;
  std::map<std::uint16_t, std::uint64_t> peak_by_port_;
  std::uint64_t seen_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace hc::hcx
