#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "event/reactor.h"
#include "model/ip_address.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace hc {

struct AresChannelOptions {
  std::vector<Endpoint> nameservers;  // empty: those of resolv_conf
  std::string resolv_conf = "/etc/resolv.conf";
  uint16_t port = 53;              // of the servers in resolv_conf, which cannot say it
  Duration timeout = 2 * kSecond;  // of the first try; c-ares doubles it for each further one
  int tries = 3;
};

/// What a question for addresses of one family came to.
struct AresAnswer {
  int status = 0;                    // ARES_*
  std::vector<IpAddress> addresses;  // in the name server's order
  Duration ttl = kNever;             // the shortest among the addresses and the aliases on the way to them
};

/// One c-ares channel on a loop. Knows nothing about names but how to ask for them.
///
/// Rules: loop thread only. A channel never changes its name servers: c-ares before 1.22 refuses that while
/// questions run (docs/curl-notes.md 4), so a new configuration is a new channel. Not to be destroyed from inside
/// a `done`, for ares_destroy() must not run inside a callback of c-ares.
class AresChannel final : public FdWatcher, public Timer {
 public:
  using Done = std::function<void(AresAnswer)>;

  static Status create(Reactor& reactor, const AresChannelOptions& options,
                       std::unique_ptr<AresChannel>* out);
  /// Questions still open end without a `done`.
  ~AresChannel() override;

  /// `family` is kV4 or kV6. `done` is called exactly once, perhaps before this returns.
  void ask(const std::string& host, Family family, Done done);
  size_t open_questions() const { return open_questions_; }
  std::vector<Endpoint> nameservers() const;

 private:
  struct Question;

  AresChannel(Reactor& reactor, int tries) : reactor_(reactor), tries_(tries) {}
  Status open(const AresChannelOptions& options, int flags);
  Status set_nameservers(const std::vector<Endpoint>& nameservers);
  void send(std::unique_ptr<Question> question);
  bool is_worth_another_try(Question& question, int status) const;

  void on_ready(int fd, uint8_t readiness) override;
  void on_timer(TimePoint now) override;
  void process(int readable_fd, int writable_fd);
  void follow_timeout();

  static void on_socket_state(void* self, int fd, int readable, int writable) noexcept;
  static void on_addresses(void* question, int status, int timeouts, ares_addrinfo* found) noexcept;

  Reactor& reactor_;
  const int tries_;
  ares_channeldata* channel_ = nullptr;
  size_t open_questions_ = 0;
  bool sees_server_failures_ =
      false;  // SERVFAIL and its like reach us; otherwise c-ares turns to the next server
  bool is_closing_ = false;
  bool is_inside_ares_ = false;  // guards the last of the rules
};

}  // namespace hc
