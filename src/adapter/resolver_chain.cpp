#include "adapter/resolver_chain.h"

#include <ares.h>

#include "adapter/hosts_file.h"
#include "adapter/nameserver_list.h"
#include "adapter/nss_config.h"

namespace hc {
namespace {

class ResolverChain final : public Resolver {
 public:
  ResolverChain(Reactor& reactor, const ResolverOptions& options, const Post& post,
                std::unique_ptr<AresResolver> ares);
  ~ResolverChain() override { inbox_->close(); }

  void lookup(const std::string& host, Family family, Done done) override;

 private:
  enum class Route { kAres, kAresThenSystem, kSystem };

  Route route(const std::string& host);
  void lookup_both(const std::string& host, Family family, Done done);
  void fall_back(const std::string& host, Family family, LookupResult first, Done done);

  Reactor& reactor_;
  const bool has_own_nameservers_;
  HostsFile hosts_;
  NssConfig nss_;
  std::shared_ptr<LookupInbox> inbox_;  // for answers that need no lookup
  std::unique_ptr<HookResolver> hook_;  // null: none
  SystemResolver system_;
  std::unique_ptr<AresResolver> ares_;
};

// c-ares asked, and either a server knows that there is no such name, or there is no server.
bool may_be_known_elsewhere(const LookupResult& result) {
  bool has_no_server =
      result.status.native_domain() == HC_NATIVE_ARES && result.status.native_code() == ARES_ECONNREFUSED;
  return result.is_no_such_name || has_no_server;
}

ResolverChain::ResolverChain(Reactor& reactor, const ResolverOptions& options, const Post& post,
                             std::unique_ptr<AresResolver> ares)
    : reactor_(reactor),
      has_own_nameservers_(!options.nameservers.empty()),
      hosts_(options.hosts_file),
      nss_(options.nsswitch_conf),
      inbox_(std::make_shared<LookupInbox>(post)),
      hook_(options.hook ? std::make_unique<HookResolver>(options.hook, post) : nullptr),
      system_(post, options.system),
      ares_(std::move(ares)) {
  // The first reading happens here, before the loop runs.
  hosts_.find("", Family::kAny, reactor.now());
  nss_.has_other_sources(reactor.now());
}

void ResolverChain::lookup(const std::string& host, Family family, Done done) {
  HC_ASSERT_LOOP(reactor_);
  if (hook_ != nullptr && hook_->offer(host, family, done)) return;
  LookupResult from_file;
  from_file.addresses = hosts_.find(host, family, reactor_.now());
  if (!from_file.addresses.empty()) return inbox_->answer(inbox_->add(std::move(done)), std::move(from_file));
  switch (route(host)) {
    case Route::kAres: return ares_->lookup(host, family, std::move(done));
    case Route::kSystem: return system_.lookup(host, family, std::move(done));
    case Route::kAresThenSystem: return lookup_both(host, family, std::move(done));
  }
}

ResolverChain::Route ResolverChain::route(const std::string& host) {
  if (has_own_nameservers_) return Route::kAres;
  if (host == "local" || host.ends_with(".local")) return Route::kSystem;
  bool is_single_label = host.find('.') == std::string::npos;
  return is_single_label || nss_.has_other_sources(reactor_.now()) ? Route::kAresThenSystem : Route::kAres;
}

void ResolverChain::lookup_both(const std::string& host, Family family, Done done) {
  ares_->lookup(host, family, [this, host, family, done = std::move(done)](LookupResult result) {
    if (!may_be_known_elsewhere(result)) return done(std::move(result));
    fall_back(host, family, std::move(result), done);
  });
}

// When the system does not know the name either, what c-ares said is the better message.
void ResolverChain::fall_back(const std::string& host, Family family, LookupResult first, Done done) {
  system_.lookup(host, family, [first = std::move(first), done = std::move(done)](LookupResult second) {
    done(second.is_no_such_name ? first : second);
  });
}

}  // namespace

std::unique_ptr<Resolver> make_resolver(Reactor& reactor, const ResolverOptions& options, Post post,
                                        Status* status) {
  AresChannelOptions ares_options;
  ares_options.resolv_conf = options.resolv_conf;
  ares_options.port = options.port;
  *status = options.nameservers.empty() ? Status::ok()
                                        : parse_nameservers(options.nameservers, &ares_options.nameservers);
  if (!status->is_ok()) return nullptr;
  std::unique_ptr<AresResolver> ares;
  *status = AresResolver::create(reactor, ares_options, &ares);
  if (!status->is_ok()) return nullptr;
  return std::make_unique<ResolverChain>(reactor, options, post, std::move(ares));
}

}  // namespace hc
