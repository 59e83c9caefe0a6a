// Counts a session's sockets from outside, by asking the kernel.
#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <unordered_map>

namespace hc::hcx {

/// Sees each new socket of a session (hc_session_options.on_socket) and knows from the kernel which earlier ones
/// are still open, so that the limits can be checked without believing the session: peaks happen when a socket is
/// made, and the loop thread does nothing else meanwhile.
///
/// Rule: `open_` holds every open socket and perhaps some closed ones. Those are looked for when a limit seems to be
/// passed, and, among few sockets, at each new peak; so peaks are exact up to kFew, and above it at most too high.
/// The kernel gives new sockets the numbers of closed ones: there are never many to look for.
class SocketWitness {
 public:
  /// 0: no such limit.
  SocketWitness(std::uint64_t limit, std::uint64_t limit_per_port)
      : limit_(limit), limit_per_port_(limit_per_port) {}

  /// For on_socket; `witness` is the user data. Loop thread.
  static std::int32_t on_socket(const hc_socket_info* socket, void* witness);

  // After the session was closed.
  std::uint64_t seen() const { return seen_; }
  std::uint64_t peak() const { return peak_; }
  std::uint64_t peak_of(std::uint16_t port) const;

 private:
  static constexpr std::uint64_t kFew = 500;

  bool must_look(std::uint64_t of_port, std::uint64_t peak_of_port) const;
  void note(int fd, std::uint16_t port);
  void forget(int fd);
  void forget_closed(int newest);

  const std::uint64_t limit_;
  const std::uint64_t limit_per_port_;
  std::unordered_map<int, std::uint16_t> open_;  // port by descriptor
  std::map<std::uint16_t, std::uint64_t> open_by_port_;
  std::map<std::uint16_t, std::uint64_t> peak_by_port_;
  std::uint64_t seen_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace hc::hcx
