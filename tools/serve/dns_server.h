// DnsServer: answers DNS questions over UDP and TCP as scripted; for tests of resolvers.
//
//   hc::serve::DnsServer dns;
//   dns.start();
//   dns.script("app.test", {DnsReply::addresses({"127.0.0.1", "::1"}, 30)});           // A and AAAA
//   dns.script("flaky.test", {DnsReply::servfail(), DnsReply::addresses({"127.0.0.1"})});
//   dns.script("slow6.test", DnsType::kAaaa, {DnsReply::nxdomain().delayed(300ms)});   // AAAA only
//
// RULES
//   Each (name, type) goes through its replies one per query; the last one repeats. A query for A takes the
//   IPv4 addresses of a reply, AAAA the IPv6 ones, in the order given; none of that family: an empty NOERROR
//   answer. A name scripted for one type only has an empty answer for the others.
//   A CNAME is followed inside the server, as a recursive resolver does: the answer holds the whole chain.
//   Names compare without case. An exact name goes before "*.suffix", a longer suffix before a shorter one (a
//   wildcard covers every depth below the suffix, not the suffix itself). Names without a script get
//   default_reply. Replies that do not fit the client's UDP size (512 bytes, or what EDNS says) are truncated
//   with TC set.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hc::serve {

enum class DnsType : std::uint16_t { kA = 1, kCname = 5, kSoa = 6, kAaaa = 28 };

struct DnsAddress {
  std::string address;  ///< IPv4 or IPv6 literal
  std::uint32_t ttl = 60;
};

/// One scripted reply. Build it with the static functions, refine it with the others.
struct DnsReply {
  enum class Outcome { kAnswer, kNxDomain, kServFail, kRefused, kSilence };

  Outcome outcome = Outcome::kAnswer;
  std::vector<DnsAddress> records;  ///< both families; filtered by the type asked for
  std::string cname;                ///< when not empty: CNAME to here, and `records` are ignored
  std::uint32_t cname_ttl = 60;
  std::uint32_t negative_ttl = 60;  ///< SOA minimum in answers without records
  std::chrono::milliseconds delay{0};
  bool truncate_udp = false;  ///< over UDP: no records and TC set; over TCP: the answer

  static DnsReply addresses(const std::vector<std::string>& addresses, std::uint32_t ttl = 60);
  static DnsReply with_records(std::vector<DnsAddress> records);  ///< a TTL for each
  static DnsReply alias(std::string target, std::uint32_t ttl = 60);
  static DnsReply nxdomain();
  static DnsReply servfail();
  static DnsReply refused();
  static DnsReply silence();  ///< never answers
  static DnsReply no_data();  ///< the name exists, without addresses

  DnsReply delayed(std::chrono::milliseconds duration) const;
  DnsReply truncated() const;
};

struct DnsServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< the same number for UDP and TCP; 0: ephemeral
  DnsReply default_reply = DnsReply::nxdomain();
};

class DnsServer {
 public:
  explicit DnsServer(DnsServerOptions options = {});
  /// Stops.
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  /// Binds and starts the thread. Throws std::system_error. May follow a stop(); the port stays the same.
  void start();
  /// Closes the sockets and joins; delayed answers are dropped. Idempotent. Scripts and counters stay.
  void stop();

  std::uint16_t port() const;
  /// "127.0.0.1:PORT", as resolvers take it; [brackets] for IPv6.
  std::string endpoint() const;

  // -- Scripts. Threads: any, also while running; the next query sees the change. An address that is none
  // throws
  //    std::invalid_argument.
  /// Replies for A and AAAA; starts again at the first one. Forgets what was said for one type only.
  void script(std::string_view name, std::vector<DnsReply> replies);
  /// For one type; goes before what was said for both.
  void script(std::string_view name, DnsType type, std::vector<DnsReply> replies);
  /// From now on the name gets the default reply.
  void forget(std::string_view name);
  void set_default(DnsReply reply);

  // -- Counters: queries received, answered or not. Threads: any.
  std::uint64_t count(std::string_view name, DnsType type) const;
  std::uint64_t count(std::string_view name) const;  ///< all types
  std::uint64_t total() const;
  std::uint64_t total_over_tcp() const;
  void reset_counters();
  /// Blocks until total() is at least `queries`; false after `timeout`.
  bool wait_for_queries(std::uint64_t queries,
                        std::chrono::milliseconds timeout = std::chrono::seconds(30)) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hc::serve
