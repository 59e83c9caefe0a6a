#include "adapter/ares_channel.h"

// From 1.28 on c-ares deprecates what 1.18.1 has no other name for.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "adapter/nameserver_list.h"

namespace hc {
namespace {

// c-ares 1.31 and later caches answers for up to an hour unless told not to (c-ares #1293: also "no data").
// Our own cache knows better, and the option is younger than the headers we build with.
constexpr int kOptionQueryCache = 1 << 21;
constexpr int kFirstVersionWithQueryCache = 0x011F00;  // 1.31.0

// The struct has grown at its end since 1.18.1. All new fields are read only for option bits that we leave off,
// but for qcache_max_ttl, for which 0 is what we want to say.
struct RoomyOptions {
  ares_options options;
  unsigned char room_for_later_fields[256];
};

int library_version() {
  int version = 0;
  ares_version(&version);
  return version;
}

// Never cleaned up: the application may use c-ares too, and before 1.20 the count is not thread safe.
int initialise_library_once() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

Status ares_failure(const char* what, int status) {
  return Status(status == ARES_ENOMEM ? HC_E_NOMEM : HC_E_SYSTEM,
                std::string(what) + ": " + ares_strerror(status))
      .with_native(HC_NATIVE_ARES, status);
}

ares_addr_port_node to_node(const Endpoint& nameserver) {
  ares_addr_port_node node{};
  bool is_v6 = nameserver.address.family == Family::kV6;
  node.family = is_v6 ? AF_INET6 : AF_INET;
  std::memcpy(&node.addr, nameserver.address.bytes.data(), is_v6 ? 16 : 4);
  node.udp_port = node.tcp_port = nameserver.port;
  return node;
}

IpAddress to_address(const ares_addrinfo_node& node) {
  IpAddress address;
  if (node.ai_family == AF_INET6) {
    address.family = Family::kV6;
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr, 16);
  } else {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr, 4);
  }
  return address;
}

void read_answer(const ares_addrinfo& found, AresAnswer* answer) {
  int ttl = INT32_MAX;
  for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
    answer->addresses.push_back(to_address(*node));
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (const ares_addrinfo_cname* alias = found.cnames; alias != nullptr; alias = alias->next) {
    ttl = std::min(ttl, alias->ttl);
  }
  answer->ttl = std::max(ttl, 0) * kSecond;
  if (answer->addresses.empty()) answer->status = ARES_ENODATA;
}

}  // namespace

struct AresChannel::Question {
  AresChannel* channel;
  std::string host;
  Family family;
  Done done;
  int failures = 0;
};

// When the server says SERVFAIL or REFUSED, c-ares tries others or again, and 1.18.1 calls the outcome "connection
// refused". With several servers that is what we want. With one there is nobody else to ask: NOCHECKRESP lets us
// see the truth, and we ask again ourselves.
Status AresChannel::create(Reactor& reactor, const AresChannelOptions& options,
                           std::unique_ptr<AresChannel>* out) {
  int library = initialise_library_once();
  if (library != ARES_SUCCESS) return ares_failure("ares_library_init", library);
  std::unique_ptr<AresChannel> channel(new AresChannel(reactor, options.tries));
  Status status = channel->open(options, 0);
  if (status.is_ok() && channel->nameservers().size() == 1) {
    channel->sees_server_failures_ = true;
    status = channel->open(options, ARES_FLAG_NOCHECKRESP);
  }
  if (status.is_ok()) *out = std::move(channel);
  return status;
}

AresChannel::~AresChannel() {
  HC_CHECK(!is_inside_ares_);
  is_closing_ = true;
  if (channel_ != nullptr) ares_destroy(channel_);
}

// No EDNS, as glibc: c-ares has it on since 1.22, and middleboxes that choke on it are why (c-ares #916, #1271).
// Hosts files are read elsewhere, once for both families, hence "b". With `nameservers` given the search list of
// the system does not apply; versions before 1.23 ignore NOSEARCH in getaddrinfo, so the list is emptied as well.
Status AresChannel::open(const AresChannelOptions& options, int flags) {
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  RoomyOptions roomy{};
  ares_options& own = roomy.options;
  own.flags = flags | ARES_FLAG_NOALIASES;  // $HOSTALIASES would send a name elsewhere
  char dns_only[] = "b";
  std::string resolv_conf = options.resolv_conf;
  own.timeout = static_cast<int>(options.timeout / kMillisecond);
  own.tries = options.tries;
  own.lookups = dns_only;
  own.resolvconf_path = resolv_conf.data();
  own.udp_port = own.tcp_port = options.port;
  own.sock_state_cb = &on_socket_state;
  own.sock_state_cb_data = this;
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF |
             ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_SOCK_STATE_CB;
  if (!options.nameservers.empty()) {
    own.flags |= ARES_FLAG_NOSEARCH;
    mask |= ARES_OPT_DOMAINS;
  }
  if (library_version() >= kFirstVersionWithQueryCache) mask |= kOptionQueryCache;
  int status = ares_init_options(&channel_, &own, mask);
  return status == ARES_SUCCESS ? set_nameservers(options.nameservers)
                                : ares_failure("ares_init_options", status);
}

Status AresChannel::set_nameservers(const std::vector<Endpoint>& nameservers) {
  if (nameservers.empty()) return Status::ok();
  std::vector<ares_addr_port_node> nodes;
  for (const Endpoint& nameserver : nameservers) nodes.push_back(to_node(nameserver));
  for (size_t i = 1; i < nodes.size(); ++i) nodes[i - 1].next = &nodes[i];
  int status = ares_set_servers_ports(channel_, nodes.data());
  return status == ARES_SUCCESS ? Status::ok() : ares_failure("ares_set_servers_ports", status);
}

void AresChannel::ask(const std::string& host, Family family, Done done) {
  HC_ASSERT_LOOP(reactor_);
  ++open_questions_;
  send(std::make_unique<Question>(Question{this, host, family, std::move(done)}));
  follow_timeout();
}

// Without sorting: that (RFC 6724) would connect a UDP socket to each address, and we race them anyway.
void AresChannel::send(std::unique_ptr<Question> question) {
  ares_addrinfo_hints hints{};
  hints.ai_family = question->family == Family::kV6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  std::string host = question->host;  // the question may be gone before the call returns
  bool was_inside = std::exchange(is_inside_ares_, true);
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &on_addresses, question.release());
  is_inside_ares_ = was_inside;
}

bool AresChannel::is_worth_another_try(Question& question, int status) const {
  if (!sees_server_failures_ || is_closing_) return false;
  bool is_server_failure = status == ARES_ESERVFAIL || status == ARES_EREFUSED || status == ARES_ENOTIMP;
  return is_server_failure && ++question.failures < tries_;
}

std::vector<Endpoint> AresChannel::nameservers() const {
  ares_addr_port_node* nodes = nullptr;
  if (ares_get_servers_ports(channel_, &nodes) != ARES_SUCCESS) return {};
  std::vector<Endpoint> nameservers;
  for (ares_addr_port_node* node = nodes; node != nullptr; node = node->next) {
    Endpoint& nameserver = nameservers.emplace_back();
    nameserver.port = node->udp_port != 0 ? static_cast<uint16_t>(node->udp_port) : kDnsPort;
    nameserver.address.family = node->family == AF_INET6 ? Family::kV6 : Family::kV4;
    std::memcpy(nameserver.address.bytes.data(), &node->addr, node->family == AF_INET6 ? 16 : 4);
  }
  if (nodes != nullptr) ares_free_data(nodes);
  return nameservers;
}

void AresChannel::on_ready(int fd, uint8_t readiness) {
  HC_ASSERT_LOOP(reactor_);
  bool is_broken = (readiness & kBroken) != 0;
  process(is_broken || (readiness & kReadable) != 0 ? fd : ARES_SOCKET_BAD,
          is_broken || (readiness & kWritable) != 0 ? fd : ARES_SOCKET_BAD);
}

void AresChannel::on_timer(TimePoint) {
  HC_ASSERT_LOOP(reactor_);
  process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void AresChannel::process(int readable_fd, int writable_fd) {
  is_inside_ares_ = true;
  ares_process_fd(channel_, readable_fd, writable_fd);
  is_inside_ares_ = false;
  follow_timeout();
}

void AresChannel::follow_timeout() {
  timeval wait{};
  if (ares_timeout(channel_, nullptr, &wait) == nullptr) return reactor_.timers().disarm(*this);
  // c-ares cuts to whole ms: without the one more we would come back up to 1 ms early, several times.
  Duration length = wait.tv_sec * kSecond + wait.tv_usec * kMicrosecond + kMillisecond;
  reactor_.timers().arm(*this, later(reactor_.now(), length));
}

// c-ares says "nothing" (0, 0) before it closes a descriptor.
void AresChannel::on_socket_state(void* self, int fd, int readable, int writable) noexcept {
  auto* channel = static_cast<AresChannel*>(self);
  Poller& poller = channel->reactor_.poller();
  if (readable == 0 && writable == 0) return poller.forget(fd, *channel);
  int interest = (readable != 0 ? kReadable : 0) | (writable != 0 ? kWritable : 0);
  poller.watch(fd, *channel, static_cast<uint8_t>(interest));
}

void AresChannel::on_addresses(void* argument, int status, int, ares_addrinfo* found) noexcept {
  std::unique_ptr<Question> question(static_cast<Question*>(argument));
  AresChannel& channel = *question->channel;
  if (channel.is_worth_another_try(*question, status)) return channel.send(std::move(question));
  AresAnswer answer;
  answer.status = status;
  try {
    if (status == ARES_SUCCESS && found != nullptr) read_answer(*found, &answer);
  } catch (const std::bad_alloc&) {
    answer = {};
    answer.status = ARES_ENOMEM;
  }
  if (found != nullptr) ares_freeaddrinfo(found);
  --channel.open_questions_;
  if (!channel.is_closing_) question->done(std::move(answer));
}

}  // namespace hc
