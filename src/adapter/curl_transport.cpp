#include "adapter/curl_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <utility>

#include "adapter/janitor.h"
#include "base/check.h"

namespace hc {
namespace {

// How many identities without a connection keep their TLS sessions: a few KB each.
constexpr size_t kRestingLanes = 64;
// Buffers of bodies that go piece by piece: of one, and of all together while each gets more than the least.
constexpr long kLeastBuffer = 64 << 10;
constexpr long kLargestBuffer = 512 << 10;
constexpr long kBuffersTogether = 8 << 20;

// For libcurl 7.88 a TLS connection with anything left to read is alive, and the server's close_notify is such a
// thing: it would never be closed. MSG_TRUNC throws the bytes of a TCP socket away uncopied (tcp(7)); nothing comes
// after them, since the kernel answers what arrives after a shutdown with a reset.
void discard_unread(int fd) {
  while (recv(fd, nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) > 0) {
  }
  if (errno != EFAULT) return;
  char bytes[4096];  // a unix socket copies what it throws away
  while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
  }
}

std::string in_brackets(const IpAddress& address) {
  if (address.family != Family::kV6) return address.to_string();
  std::string text = "[";  // by pieces: gcc 12 warns of an overlap in "[" + text
  return text.append(address.to_string()).append("]");
}

uint64_t port_key(const CurlShard& place, uint16_t local_port) {
  return uint64_t{place.number()} << 16 | local_port;
}

}  // namespace

CurlTransport::CurlTransport(const SessionConfig& config, Reactor& reactor, Ledger& ledger)
    : config_(config),
      reactor_(reactor),
      ledger_(ledger),
      user_agent_line_("User-Agent: " + config.user_agent),
      encodings_line_("Accept-Encoding: " + CurlRuntime::encodings()),
      sockets_(config),
      free_attempts_(reactor.timers()) {
  CurlLane& lane = lane_of(lend(config.routes.direct));
  own_claim_ = lane.claim();
  // The first handle reads files and sets OpenSSL up: before the loop starts, not in its first turn.
  give_back(*lease());
  if (lane.shard(0) == nullptr) throw std::bad_alloc();
}

CurlTransport::~CurlTransport() {
  HC_CHECK(leased_ == 0);
  // Ends the connections that are left, through close_callback(), and with them the last origins.
  for (auto& [route, lane] : lanes_) lane->close();
  own_claim_.reset();
  free_attempts_.clear();  // they use the lanes' shares
  lanes_.clear();
  for (auto& [key, list] : dummy_addresses_) curl_slist_free_all(list);
}

CurlLane& CurlTransport::lane_of(const RoutePointer& route) {
  HC_CHECK(route != nullptr);
  auto found = lanes_.find(route.get());
  if (found == lanes_.end()) {
    auto lane = std::make_unique<CurlLane>(*this, reactor_, route, ++last_lane_);
    const Route* key = lane->route().get();
    found = lanes_.emplace(key, std::move(lane)).first;
  }
  return *found->second;
}

CurlLane& CurlTransport::lane_of(Origin& origin) {
  if (origin.lane == nullptr) origin.lane = lane_of(origin.route()).claim();
  return *static_cast<CurlLane*>(origin.lane.get());
}

CurlShard& CurlTransport::shard_of(const Connection& connection) {
  return static_cast<CurlLane*>(connection.origin().lane.get())->open_shard(connection.shard());
}

// Possibly inside libcurl, which is closing the last connection of the lane.
void CurlTransport::on_lane_unused(CurlLane& lane) {
  if (std::exchange(lane.is_listed_unused, true)) return;
  unused_lanes_.push_back(&lane);
}

void CurlTransport::end_unused_lanes() {
  std::vector<CurlLane*> unused;
  unused.swap(unused_lanes_);
  for (CurlLane* lane : unused) {
    lane->is_listed_unused = false;
    if (lane->is_claimed()) continue;
    lane->close();
    std::erase_if(active_, [](CurlShard* place) { return !place->is_open(); });
    lane->drop_shards();
    std::erase(resting_lanes_, lane);
    resting_lanes_.push_back(lane);
  }
  while (resting_lanes_.size() > kRestingLanes) {
    CurlLane* oldest = resting_lanes_.front();
    resting_lanes_.pop_front();
    if (!oldest->is_claimed()) lanes_.erase(lanes_.find(oldest->route().get()));
  }
}

CurlAttempt* CurlTransport::lease() {
  std::unique_ptr<CurlAttempt> attempt = free_attempts_.take();
  if (attempt == nullptr) attempt = std::make_unique<CurlAttempt>(*this);
  ++leased_;
  return attempt.release();
}

void CurlTransport::give_back(CurlAttempt& attempt) {
  std::erase(to_finish_, &attempt);
  if (attempt.is_piecewise()) --streams_;
  attempt.recycle(*static_cast<CurlLane*>(own_claim_.get()));
  --leased_;
  free_attempts_.put(std::unique_ptr<CurlAttempt>(&attempt), reactor_.now());
}

Status CurlTransport::start(AttemptPlan plan, AttemptSink& sink, Attempt** out) {
  HC_ASSERT_LOOP(reactor_);
  Fd socket;
  Connection* connection = nullptr;
  CurlLane& lane = lane_of(*plan.origin);
  CurlShard* place = lane.shard(plan.permit.shard());
  if (place == nullptr) return Status::system("curl_multi_init", EMFILE);
  if (plan.permit.kind() == Permit::Kind::kNewSocket) {
    if (Status status = sockets_.make(plan, &socket); !status.is_ok()) return status;
    connection = &ledger_.open(std::move(plan.permit), socket.get(), plan.remote, reactor_.now());
    size_t fd = static_cast<size_t>(socket.get());
    if (by_fd_.size() <= fd) by_fd_.resize(fd + 64);
    // The number of one that libcurl has closed, which we shall hear of in a moment.
    if (by_fd_[fd] != nullptr) reactor_.poller().forget_closed(socket.get(), shard_of(*by_fd_[fd]));
    by_fd_[fd] = connection;
  }
  CurlAttempt& attempt = *lease();
  if (plan.request->is_piecewise()) ++streams_;
  attempt.prepare(std::move(plan), sink, lane, *place, std::move(socket));
  choose_connection(attempt, connection);
  attempt.set_connection(connection);
  if (connection != nullptr) connection->rider = &attempt;
  place->add(attempt);
  *out = &attempt;
  return Status::ok();
}

void CurlTransport::abort(Attempt& base) {
  HC_ASSERT_LOOP(reactor_);
  auto& attempt = static_cast<CurlAttempt&>(base);
  Connection* connection = attempt.connection();
  if (connection != nullptr && connection->state() == Connection::State::kConnecting) {
    stop_watching(*connection);
  }
  attempt.shard().remove(attempt);
  settle_connection(attempt);
  give_back(attempt);
}

void CurlTransport::resume(Attempt& base) {
  HC_ASSERT_LOOP(reactor_);
  auto& attempt = static_cast<CurlAttempt&>(base);
  if (!attempt.is_held()) return;
  CURLcode code = attempt.resume();
  mark_active(attempt.shard());
  // Refused in there. libcurl only returns it: for the transfer itself nothing has happened.
  if (code != CURLE_OK) finish(attempt, code);
}

void CurlTransport::retire(Connection& connection) {
  // No event may follow: a shut down socket is readable for ever.
  CurlShard& place = shard_of(connection);
  reactor_.poller().forget(connection.fd(), place);
  shutdown(connection.fd(), SHUT_RDWR);
  discard_unread(connection.fd());
  // Since 8.9 libcurl may be waiting in there for the server's close_notify, and 8.23 looks at nothing else.
  place.look_at(connection.fd(), CURL_CSELECT_IN);
  place.janitor().on_retired();
}

bool CurlTransport::run() {
  if (!is_active()) return false;
  if (!unused_lanes_.empty()) end_unused_lanes();
  finish_early_answers();
  std::vector<CurlShard*> active;
  active.swap(active_);
  for (CurlShard* place : active) {
    collect(*place);
    if (!place->wants_kick()) continue;
    place->kick();
    collect(*place);
  }
  return true;
}

void CurlTransport::finish_later(CurlAttempt& attempt) {
  if (std::find(to_finish_.begin(), to_finish_.end(), &attempt) == to_finish_.end())
    to_finish_.push_back(&attempt);
}

// One by one, since an attempt that ends takes others with it.
void CurlTransport::finish_early_answers() {
  while (!to_finish_.empty()) {
    CurlAttempt& attempt = *to_finish_.front();
    to_finish_.erase(to_finish_.begin());
    if (attempt.is_answered_early()) finish(attempt, CURLE_OK);
  }
}

void CurlTransport::resume_upload(Attempt& base) {
  HC_ASSERT_LOOP(reactor_);
  static_cast<CurlAttempt&>(base).resume_upload();
}

void CurlTransport::collect(CurlShard& place) {
  CURLcode code = CURLE_OK;
  while (CurlAttempt* attempt = place.next_finished(&code)) finish(*attempt, code);
}

void CurlTransport::mark_active(CurlShard& place) {
  if (std::find(active_.begin(), active_.end(), &place) == active_.end()) active_.push_back(&place);
}

void CurlTransport::finish(CurlAttempt& attempt, CURLcode code) {
  AttemptResult result = attempt.result(code);
  attempt.shard().remove(attempt);
  settle_connection(attempt);
  attempt.sink().on_finished(attempt, std::move(result));
  give_back(attempt);
}

void CurlTransport::settle_connection(CurlAttempt& attempt) {
  Connection* connection = attempt.connection();
  if (connection == nullptr) return;  // it had none, or close_callback() has seen its end
  attempt.set_connection(nullptr);
  if (connection->state() == Connection::State::kConnecting) {
    attempt.drop_unopened_socket();
    unlink(*connection, /*is_closed=*/true);
    ledger_.close(*connection);
    return;
  }
  watch_idle(*connection);
  ledger_.rest(*connection, attempt.keepalive_hint(), reactor_.now());
}

// A unix socket connects at once, and when the answer is there at once as well libcurl never asked to have it watched.
void CurlTransport::watch_idle(const Connection& connection) {
  if (reactor_.poller().is_watched(connection.fd())) return;
  reactor_.poller().watch(connection.fd(), shard_of(connection), kReadable);
}

curl_slist* CurlTransport::dummy_address(const Request& request) {
  const Proxy* proxy = request.route->proxy.get();
  bool is_socks = proxy != nullptr && proxy->is_socks();
  uint16_t port = proxy != nullptr ? proxy->port : request.port;
  curl_slist*& list = dummy_addresses_[{is_socks, port}];
  if (list == nullptr) {
    // With SOCKS5 the server's address is looked up in the same cache, and a wildcard would serve it as well.
    std::string entry =
        std::string(is_socks ? kDummyAddress : "*") + ":" + std::to_string(port) + ":" + kDummyAddress;
    list = curl_slist_append(nullptr, entry.c_str());
    if (list == nullptr) throw std::bad_alloc();
  }
  return list;
}

// Whom libcurl has to be told by name which connection to take: unix sockets, because they could not be told apart
// later, and tunnels to an address that was found here, because it is part of libcurl's key (CURLOPT_CONNECT_TO).
void CurlTransport::choose_connection(CurlAttempt& attempt, Connection* connection) {
  const Route& route = attempt.route();
  bool is_unix = !route.unix_path.empty();
  if (!is_unix && (route.proxy == nullptr || !route.proxy->wants_address())) return;
  if (connection == nullptr) {
    connection = ledger_.choose_idle(attempt.origin(), attempt.permit().shard());
    if (connection != nullptr) attempt.choose(*connection);
  } else if (is_unix) {
    connection->pool_name = "::c" + std::to_string(connection->number()) + ".unix.invalid:";
  } else {
    connection->pool_name = "::" + in_brackets(attempt.target().address) + ":";
  }
  if (connection != nullptr) attempt.set_pool_name(connection->pool_name);
}

void CurlTransport::on_connected(Connection& connection, uint16_t local_port) {
  connection.local_port = local_port;
  if (!connection.is_unix()) by_local_port_.emplace(port_key(shard_of(connection), local_port), &connection);
  ledger_.use_new(connection);
}

void CurlTransport::on_taken(Connection& connection, CurlAttempt& attempt) {
  ledger_.use_idle(connection, std::move(attempt.permit()));
  connection.rider = &attempt;
  attempt.set_connection(&connection);
}

// libcurl does not say which descriptor a reused connection has (F17). Its own port does, unless two connections to
// two addresses of one origin happen to have the same; a unix socket has none, and is ridden under a name of its own.
Connection* CurlTransport::find_idle(const CurlAttempt& attempt, std::string_view remote_ip,
                                     uint16_t local_port) {
  if (attempt.choice() != nullptr && attempt.choice()->is_unix()) return attempt.choice();
  auto [first, last] = by_local_port_.equal_range(port_key(attempt.shard(), local_port));
  Connection* found = nullptr;
  for (auto place = first; place != last; ++place) {
    Connection& connection = *place->second;
    if (connection.state() == Connection::State::kRetired) continue;
    if (&connection.origin() != &attempt.origin() && !attempt.is_forwarded()) continue;
    if (found == nullptr || connection.remote().address.to_string() == remote_ip) found = &connection;
  }
  if (found != nullptr && found->state() == Connection::State::kInUse) release_early(*found);
  if (found != nullptr && &found->origin() != &attempt.origin()) {
    // A forwarding proxy's connections are all alike to libcurl: it took one that another origin had.
    bool is_traded =
        found->state() == Connection::State::kIdle && ledger_.trade_idle(*found, attempt.origin());
    if (!is_traded) return nullptr;
  }
  return found != nullptr && found->state() == Connection::State::kIdle ? found : nullptr;
}

// Its last request is over for libcurl, which gives the connection away before we have read the message about it.
void CurlTransport::release_early(Connection& connection) {
  auto& rider = *static_cast<CurlAttempt*>(connection.rider);
  rider.set_connection(nullptr);
  ledger_.rest(connection, rider.keepalive_hint(), reactor_.now());
}

bool CurlTransport::on_activity(int fd, uint8_t) {
  Connection* connection = connection_of(fd);
  if (connection == nullptr) return true;
  if (connection->state() == Connection::State::kIdle) {
    ledger_.retire(*connection, EndReason::kServer);
    return false;
  }
  if (connection->rider != nullptr) static_cast<CurlAttempt*>(connection->rider)->touch(reactor_.now());
  return true;  // a retired one is watched only when libcurl asks for it, to end TLS on it
}

void CurlTransport::note_receiver(int fd) {
  Connection* connection = connection_of(fd);
  if (connection == nullptr || connection->rider == nullptr) return;
  static_cast<CurlAttempt*>(connection->rider)->note_receipt();
}

long CurlTransport::buffer_of_a_stream() const {
  return std::clamp(kBuffersTogether / static_cast<long>(streams_), kLeastBuffer, kLargestBuffer);
}

// Such a one may be closed by libcurl without a word (F15).
bool CurlTransport::is_connecting(int fd) const {
  Connection* connection = connection_of(fd);
  return connection != nullptr && connection->state() == Connection::State::kConnecting;
}

// One whose reader holds it back is readable all the time.
bool CurlTransport::keeps_watching(int fd) const {
  Connection* connection = connection_of(fd);
  if (connection == nullptr) return false;
  if (connection->state() == Connection::State::kIdle) return true;
  if (connection->state() != Connection::State::kInUse) return false;
  auto* rider = static_cast<CurlAttempt*>(connection->rider);
  return rider == nullptr || !rider->is_held();
}

// Another socket of ours may have the number already.
void CurlTransport::stop_watching(const Connection& connection) {
  if (connection_of(connection.fd()) != &connection) return;
  reactor_.poller().forget(connection.fd(), shard_of(connection));
}

void CurlTransport::watch_for_sending(const Connection& connection) {
  reactor_.poller().watch(connection.fd(), shard_of(connection), kWritable);
}

Connection* CurlTransport::connection_of(int fd) const {
  return static_cast<size_t>(fd) < by_fd_.size() ? by_fd_[static_cast<size_t>(fd)] : nullptr;
}

// All but the books: these are closed after the descriptor, for with the entry goes its part of the process's budget,
// and another session's thread may spend that in the same moment.
void CurlTransport::unlink(Connection& connection, bool is_closed) {
  if (connection.rider != nullptr) static_cast<CurlAttempt*>(connection.rider)->set_connection(nullptr);
  if (connection.chooser != nullptr) static_cast<CurlAttempt*>(connection.chooser)->unchoose();
  auto [first, last] = by_local_port_.equal_range(port_key(shard_of(connection), connection.local_port));
  for (auto place = first; place != last; ++place) {
    if (place->second != &connection) continue;
    by_local_port_.erase(place);
    break;
  }
  if (!is_closed) stop_watching(connection);
  Connection*& place = by_fd_[static_cast<size_t>(connection.fd())];
  if (place == &connection) {
    reactor_.poller().forget_closed(connection.fd(), shard_of(connection));
    place = nullptr;
  }
  if (connection.state() == Connection::State::kRetired) shard_of(connection).janitor().on_closed();
}

int CurlTransport::close_callback(void* self, curl_socket_t fd) noexcept {
  auto& transport = *static_cast<CurlTransport*>(self);
  Connection* connection = transport.connection_of(fd);
  if (connection != nullptr && connection->rider != nullptr) {
    auto& rider = *static_cast<CurlAttempt*>(connection->rider);
    if (rider.shard().is_acting()) rider.hear_last_words();
  }
  if (connection != nullptr) transport.unlink(*connection, /*is_closed=*/false);
  // close() alone ends nothing while a forked child has the descriptor, too: the server would hold the connection for
  // as long as that child lives.
  shutdown(fd, SHUT_RDWR);
  int result = close(fd);
  if (connection != nullptr) transport.ledger_.close(*connection);
  return result;
}

}  // namespace hc
