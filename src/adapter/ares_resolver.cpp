#include "adapter/ares_resolver.h"

#include <ares.h>

#include <algorithm>
#include <optional>

#include "adapter/address_order.h"
#include "adapter/nameserver_list.h"
#include "base/fd.h"

namespace hc {
namespace {

// Nobody answered the question; it says nothing about the name.
bool is_trouble(int status) {
  return status != ARES_SUCCESS && status != ARES_ENOTFOUND && status != ARES_ENODATA &&
         status != ARES_EBADNAME;
}

// Of two failures the one that says more: the name may well exist when one family had no answer, and it does
// exist when one family has no data.
int worse(int a, int b) {
  if (is_trouble(a) || is_trouble(b)) return is_trouble(a) ? a : b;
  return a == ARES_ENODATA || b == ARES_ENODATA ? static_cast<int>(ARES_ENODATA) : a;
}

std::string no_data(Family family) {
  std::string what = family == Family::kAny  ? "address"
                     : family == Family::kV4 ? "IPv4 address"
                                             : "IPv6 address";
  return "the name exists, but has no " + what + " (NODATA)";
}

std::string reason(int status, Family family) {
  switch (status) {
    case ARES_ENOTFOUND: return "no such name (NXDOMAIN)";
    case ARES_ENODATA: return no_data(family);
    case ARES_EBADNAME: return "not a valid host name";
    case ARES_ESERVFAIL: return "the name server failed (SERVFAIL)";
    case ARES_EREFUSED: return "the name server refused to answer (REFUSED)";
    case ARES_ETIMEOUT: return "no answer from the name server (timeout)";
    case ARES_ECONNREFUSED: return "no name server there (connection refused)";
    default: return ares_strerror(status);
  }
}

// With several servers c-ares 1.18.1 says "connection refused" whatever each of them said.
std::string trouble(int status, const std::vector<Endpoint>& nameservers) {
  bool is_vague = status == ARES_ECONNREFUSED && nameservers.size() > 1;
  return (is_vague ? "no name server had an answer" : reason(status, Family::kAny)) + "; asked " +
         to_string(nameservers);
}

LookupResult failure(int status, Family family, const AresChannel& channel) {
  LookupResult result;
  // What c-ares says when it could not make a socket, too.
  int shortage = status == ARES_ECONNREFUSED ? descriptor_shortage() : 0;
  if (shortage != 0) {
    result.status = Status::system("socket to a name server", shortage);
    return result;
  }
  std::string text = is_trouble(status) ? trouble(status, channel.nameservers()) : reason(status, family);
  result.status = Status(status == ARES_ENOMEM ? HC_E_NOMEM : HC_E_DNS, std::move(text))
                      .with_native(HC_NATIVE_ARES, status);
  result.is_no_such_name = status == ARES_ENOTFOUND;
  return result;
}

}  // namespace

/// One lookup, with its question for each family. Held by the questions: it lives until the last is answered,
/// which may be long after the result is out.
class AresResolver::Lookup final : public Timer, public ListLink<YoungLookupTag> {
 public:
  Lookup(AresResolver& resolver, AresChannel& channel, Family family, Done done)
      : resolver_(resolver),
        channel_(channel),
        family_(family),
        done_(std::move(done)),
        started_(resolver.reactor_.now()) {}
  ~Lookup() override { unlink(); }

  static void start(const std::shared_ptr<Lookup>& lookup, const std::string& host);
  TimePoint end_of_youth() const { return started_ + kYouth; }
  void on_timer(TimePoint) override { finish(); }

 private:
  static constexpr Duration kTtlWhenIncomplete = kSecond;

  void on_answer(Family family, AresAnswer answer);
  void finish();
  LookupResult merge() const;

  AresResolver& resolver_;
  AresChannel& channel_;
  const Family family_;
  Done done_;  // empty once the result is out
  const TimePoint started_;
  int open_questions_ = 0;
  std::optional<AresAnswer> v6_;
  std::optional<AresAnswer> v4_;
};

void AresResolver::Lookup::start(const std::shared_ptr<Lookup>& lookup, const std::string& host) {
  lookup->open_questions_ = lookup->family_ == Family::kAny ? 2 : 1;
  for (Family family : {Family::kV6, Family::kV4}) {
    if (lookup->family_ != Family::kAny && lookup->family_ != family) continue;
    lookup->channel_.ask(
        host, family, [lookup, family](AresAnswer answer) { lookup->on_answer(family, std::move(answer)); });
  }
}

void AresResolver::Lookup::on_answer(Family family, AresAnswer answer) {
  --open_questions_;
  bool has_addresses = !answer.addresses.empty();
  (family == Family::kV6 ? v6_ : v4_) = std::move(answer);
  if (open_questions_ == 0) return finish();
  if (has_addresses) {
    resolver_.reactor_.timers().arm(*this, later(resolver_.reactor_.now(), kResolutionDelay));
  }
}

void AresResolver::Lookup::finish() {
  // Also for an answer that comes too late: the channel may be a retired one that waits for its end.
  resolver_.wake_outbox();
  if (!done_) return;
  resolver_.reactor_.timers().disarm(*this);
  resolver_.forget_youth(*this);
  LookupResult result = merge();
  resolver_.note_outcome(&channel_, result);
  resolver_.finish(std::exchange(done_, nullptr), std::move(result));
}

LookupResult AresResolver::Lookup::merge() const {
  LookupResult result;
  std::optional<int> status;
  for (const std::optional<AresAnswer>* answer : {&v6_, &v4_}) {
    if (!answer->has_value()) continue;
    const AresAnswer& part = **answer;
    status = status.has_value() ? worse(*status, part.status) : part.status;
    result.addresses.insert(result.addresses.end(), part.addresses.begin(), part.addresses.end());
    result.ttl = std::min(result.ttl, part.ttl);
  }
  if (result.addresses.empty()) return failure(*status, family_, channel_);
  result.addresses = interleave_families(result.addresses);
  if (open_questions_ > 0) result.ttl = std::min(result.ttl, kTtlWhenIncomplete);
  return result;
}

Status AresResolver::create(Reactor& reactor, const AresChannelOptions& options,
                            std::unique_ptr<AresResolver>* out) {
  std::unique_ptr<AresResolver> resolver(new AresResolver(reactor, options));
  Status status = AresChannel::create(reactor, options, &resolver->channel_);
  if (status.is_ok()) *out = std::move(resolver);
  return status;
}

AresResolver::AresResolver(Reactor& reactor, const AresChannelOptions& options)
    : reactor_(reactor),
      options_(options),
      resolv_conf_(options.resolv_conf),
      outbox_(*this),
      pacer_(*this),
      channels_made_(1) {
  resolv_conf_.has_changed(reactor.now());
}

AresResolver::~AresResolver() = default;

void AresResolver::lookup(const std::string& host, Family family, Done done) {
  HC_ASSERT_LOOP(reactor_);
  follow_configuration();
  waiting_.push_back({host, family, std::move(done)});
  start_waiting();
}

void AresResolver::start_waiting() {
  while (Lookup* oldest = young_.front()) {
    if (oldest->end_of_youth() > reactor_.now()) break;
    forget_youth(*oldest);
  }
  while (!waiting_.empty() && young_count_ < kMaxYoung) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
  if (!waiting_.empty()) reactor_.timers().arm(pacer_, young_.front()->end_of_youth());
}

void AresResolver::start(Waiting waiting) {
  auto lookup = std::make_shared<Lookup>(*this, *channel_, waiting.family, std::move(waiting.done));
  young_.push_back(*lookup);
  ++young_count_;
  Lookup::start(lookup, waiting.host);
}

void AresResolver::forget_youth(Lookup& lookup) {
  if (!lookup.is_linked()) return;
  lookup.unlink();
  --young_count_;
}

void AresResolver::follow_configuration() {
  if (options_.nameservers.empty() && resolv_conf_.has_changed(reactor_.now())) replace_channel();
}

// When there is no memory for another channel, the one at hand is the best there is.
void AresResolver::replace_channel() {
  lookups_in_trouble_ = 0;
  std::unique_ptr<AresChannel> fresh;
  if (!AresChannel::create(reactor_, options_, &fresh).is_ok()) return;
  ++channels_made_;
  retired_.push_back(std::exchange(channel_, std::move(fresh)));
  wake_outbox();
}

void AresResolver::finish(Done done, LookupResult result) {
  finished_.push_back({std::move(done), std::move(result)});
}

void AresResolver::note_outcome(const AresChannel* channel, const LookupResult& result) {
  if (channel != channel_.get()) return;
  bool has_trouble = result.status.native_domain() == HC_NATIVE_ARES &&
                     is_trouble(static_cast<int>(result.status.native_code()));
  lookups_in_trouble_ = has_trouble ? lookups_in_trouble_ + 1 : 0;
}

void AresResolver::deliver() {
  if (lookups_in_trouble_ >= kTroubleLimit) replace_channel();
  std::erase_if(retired_, [](const auto& channel) { return channel->open_questions() == 0; });
  start_waiting();
  std::vector<Finished> batch = std::exchange(finished_, {});
  for (Finished& finished : batch) finished.done(std::move(finished.result));
}

}  // namespace hc
