#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "adapter/ares_channel.h"
#include "adapter/watched_file.h"
#include "base/intrusive_list.h"
#include "model/resolver.h"

namespace hc {

/// Asks name servers, with c-ares on the loop.
///
/// Rules: for both families there are two questions, A and AAAA, so that a server that is slow with one does not
/// hold back the other for longer than kResolutionDelay (RFC 8305, section 3). RFC 8305 would start to connect
/// at the first AAAA and add the A records when they come; a LookupResult is given once, so we wait for A as
/// well, for the same time, and an answer that lacks a family for this reason says a TTL of one second.
/// A channel is replaced when resolv.conf changes, and after kTroubleLimit lookups in a row that no server
/// answered (a channel can be wedged while a new one works: open-webui #28215). The old one finishes its
/// questions first.
/// At most kMaxYoung lookups at a time are young: without a result, and asked less than kYouth ago. Others wait for
/// their turn. A thousand questions at once overflow socket buffers (measured on loopback: 2 to 6 s of retries),
/// and small forwarders: dnsmasq takes 150 at a time. Old ones do not count, for slow names must not hold up
/// the others.
/// Life cycle: made by the thread that creates the session, used and destroyed on the loop thread (or when the
/// loop is gone), not from inside a `done`.
class AresResolver final : public Resolver {
 public:
  /// HC_E_SYSTEM or HC_E_NOMEM when c-ares cannot be started. Reads resolv.conf.
  static Status create(Reactor& reactor, const AresChannelOptions& options,
                       std::unique_ptr<AresResolver>* out);
  ~AresResolver() override;

  void lookup(const std::string& host, Family family, Done done) override;

  /// How many channels there were, for tests.
  size_t channels_made() const { return channels_made_; }
  /// How many of them are still there: one, and those that finish their questions.
  size_t channels_alive() const { return 1 + retired_.size(); }

 private:
  static constexpr Duration kResolutionDelay = 50 * kMillisecond;
  static constexpr int kTroubleLimit = 5;
  static constexpr size_t kMaxYoung = 64;
  static constexpr Duration kYouth = 250 * kMillisecond;

  class Lookup;
  // Results leave from here, never from inside c-ares: whoever gets one may ask the next question at once.
  class Outbox final : public Timer {
   public:
    explicit Outbox(AresResolver& resolver) : resolver_(resolver) {}
    void on_timer(TimePoint) override { resolver_.deliver(); }

   private:
    AresResolver& resolver_;
  };
  // When the oldest young lookup stops being young, and somebody waits for that.
  class Pacer final : public Timer {
   public:
    explicit Pacer(AresResolver& resolver) : resolver_(resolver) {}
    void on_timer(TimePoint) override { resolver_.start_waiting(); }

   private:
    AresResolver& resolver_;
  };
  struct Waiting {
    std::string host;
    Family family;
    Done done;
  };
  struct Finished {
    Done done;
    LookupResult result;
  };

  AresResolver(Reactor& reactor, const AresChannelOptions& options);
  void follow_configuration();
  void replace_channel();
  void start_waiting();
  void start(Waiting waiting);
  void forget_youth(Lookup& lookup);
  void finish(Done done, LookupResult result);
  void note_outcome(const AresChannel* channel, const LookupResult& result);
  void wake_outbox() { reactor_.timers().arm(outbox_, reactor_.now()); }
  void deliver();

  Reactor& reactor_;
  const AresChannelOptions options_;
  WatchedFile resolv_conf_;
  Outbox outbox_;
  Pacer pacer_;
  std::deque<Waiting> waiting_;
  IntrusiveList<Lookup, struct YoungLookupTag> young_;  // the oldest in front
  size_t young_count_ = 0;
  std::vector<Finished> finished_;
  std::unique_ptr<AresChannel> channel_;
  std::vector<std::unique_ptr<AresChannel>> retired_;  // they still have open questions
  size_t channels_made_ = 0;
  int lookups_in_trouble_ = 0;  // in a row
};

}  // namespace hc
