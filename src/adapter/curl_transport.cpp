#include "adapter/curl_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <string>

#include "base/check.h"

namespace hc {
namespace {

// Never connected to: open_callback() replaces it. From the reserved 240/4, so that a mistake would fail loudly.
constexpr const char* kDummyAddress = "240.0.0.1";

// For libcurl 7.88 a TLS connection with anything left to read is alive, and the server's close_notify is such a
// thing: it would never be closed. MSG_TRUNC throws the bytes of a TCP socket away uncopied (tcp(7)); nothing comes
// after them, since the kernel answers what arrives after a shutdown with a reset.
void discard_unread(int fd) {
  while (recv(fd, nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) > 0) {
  }
}

}  // namespace

CurlTransport::CurlTransport(const SessionConfig& config, TrustStore trust, Reactor& reactor, Ledger& ledger)
    : config_(config),
      reactor_(reactor),
      ledger_(ledger),
      sockets_(config),
      trust_(std::move(trust)),
      share_(curl_share_init()) {
  if (share_ == nullptr) throw std::bad_alloc();
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  // The first handle reads files and sets OpenSSL up: before the loop starts, not in its first turn.
  give_back(*lease());
  // Since 8.20 no multi handle can be made without descriptors (before, it did without its wakeup): now there are some.
  shard(0);
}

CurlTransport::~CurlTransport() {
  HC_CHECK(free_attempts_.size() == attempts_.size());
  for (auto& janitor : janitors_) janitor->stop();
  for (auto& place : shards_) place->close();  // ends the connections that are left, through close_callback()
  attempts_.clear();
  curl_share_cleanup(share_);
  for (auto& [port, list] : dummy_addresses_) curl_slist_free_all(list);
}

CurlShard& CurlTransport::shard(uint32_t number) {
  while (shards_.size() <= number) {
    shards_.push_back(std::make_unique<CurlShard>(*this, reactor_, static_cast<uint32_t>(shards_.size())));
    janitors_.push_back(std::make_unique<Janitor>(*shards_.back(), reactor_));
  }
  return *shards_[number];
}

CurlAttempt* CurlTransport::lease() {
  if (free_attempts_.empty()) {
    attempts_.push_back(std::make_unique<CurlAttempt>(*this));
    free_attempts_.reserve(attempts_.size());
    return attempts_.back().get();
  }
  CurlAttempt* attempt = free_attempts_.back();
  free_attempts_.pop_back();
  return attempt;
}

void CurlTransport::give_back(CurlAttempt& attempt) {
  std::erase(to_fill_, &attempt);
  attempt.recycle();
  free_attempts_.push_back(&attempt);
}

Status CurlTransport::start(AttemptPlan plan, AttemptSink& sink, Attempt** out) {
  HC_ASSERT_LOOP(reactor_);
  Fd socket;
  Connection* connection = nullptr;
  CurlShard& place = shard(plan.permit.shard());
  if (plan.permit.kind() == Permit::Kind::kNewSocket) {
    if (Status status = sockets_.make(plan.request->host, plan.remote, &socket); !status.is_ok())
      return status;
    connection = &ledger_.open(std::move(plan.permit), socket.get(), plan.remote, reactor_.now());
    size_t fd = static_cast<size_t>(socket.get());
    if (by_fd_.size() <= fd) by_fd_.resize(fd + 64);
    by_fd_[fd] = connection;
  }
  CurlAttempt& attempt = *lease();
  attempt.prepare(std::move(plan), sink, place, std::move(socket));
  attempt.set_connection(connection);
  if (connection != nullptr) connection->rider = &attempt;
  place.add(attempt);
  *out = &attempt;
  return Status::ok();
}

void CurlTransport::abort(Attempt& base) {
  HC_ASSERT_LOOP(reactor_);
  auto& attempt = static_cast<CurlAttempt&>(base);
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
  reactor_.poller().forget(connection.fd(), shard(connection.shard()));
  shutdown(connection.fd(), SHUT_RDWR);
  discard_unread(connection.fd());
  // Since 8.9 libcurl may be waiting in there for the server's close_notify, and 8.23 looks at nothing else.
  shard(connection.shard()).look_at(connection.fd());
  janitors_[connection.shard()]->on_retired();
}

bool CurlTransport::run() {
  if (!is_active()) return false;
  fill_uploads();
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

void CurlTransport::fill_later(CurlAttempt& attempt) {
  if (std::find(to_fill_.begin(), to_fill_.end(), &attempt) == to_fill_.end()) to_fill_.push_back(&attempt);
}

// Each one at most once: libcurl may ask for more in here. One by one, since an attempt that ends takes others with it.
void CurlTransport::fill_uploads() {
  for (size_t left = to_fill_.size(); left > 0 && !to_fill_.empty(); --left) {
    CurlAttempt& attempt = *to_fill_.front();
    to_fill_.erase(to_fill_.begin());
    if (attempt.is_answered_early()) {
      finish(attempt, CURLE_OK);
    } else {
      attempt.fill();
    }
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
    unlink(*connection);
    ledger_.close(*connection);
    return;
  }
  ledger_.rest(*connection, attempt.builder().keepalive_hint(), reactor_.now());
}

curl_slist* CurlTransport::dummy_address(uint16_t port) {
  curl_slist*& list = dummy_addresses_[port];
  if (list == nullptr) {
    std::string entry = "*:" + std::to_string(port) + ":" + kDummyAddress;
    list = curl_slist_append(nullptr, entry.c_str());
    if (list == nullptr) throw std::bad_alloc();
  }
  return list;
}

void CurlTransport::on_connected(Connection& connection, uint16_t local_port) {
  connection.local_port = local_port;
  by_local_port_.emplace(connection.shard() << 16 | local_port, &connection);
  ledger_.use_new(connection);
}

void CurlTransport::on_taken(Connection& connection, CurlAttempt& attempt) {
  ledger_.use_idle(connection, std::move(attempt.permit()));
  connection.rider = &attempt;
  attempt.set_connection(&connection);
}

// libcurl does not say which descriptor a reused connection has (F17). Its own port does, unless two connections to
// two addresses of one origin happen to have the same.
Connection* CurlTransport::find_idle(const CurlAttempt& attempt, std::string_view remote_ip,
                                     uint16_t local_port) {
  auto [first, last] = by_local_port_.equal_range(attempt.shard().number() << 16 | local_port);
  Connection* found = nullptr;
  for (auto place = first; place != last; ++place) {
    Connection& connection = *place->second;
    if (&connection.origin() != &attempt.origin() || connection.state() == Connection::State::kRetired)
      continue;
    if (found == nullptr || connection.remote().address.to_string() == remote_ip) found = &connection;
  }
  if (found != nullptr && found->state() == Connection::State::kInUse) release_early(*found);
  return found != nullptr && found->state() == Connection::State::kIdle ? found : nullptr;
}

// Its last request is over for libcurl, which gives the connection away before we have read the message about it.
void CurlTransport::release_early(Connection& connection) {
  auto& rider = *static_cast<CurlAttempt*>(connection.rider);
  rider.set_connection(nullptr);
  ledger_.rest(connection, rider.builder().keepalive_hint(), reactor_.now());
}

bool CurlTransport::on_activity(int fd, uint8_t) {
  Connection* connection = connection_of(fd);
  if (connection == nullptr) return true;
  if (connection->state() == Connection::State::kIdle) {
    ledger_.retire(*connection);
    return false;
  }
  if (connection->rider != nullptr) static_cast<CurlAttempt*>(connection->rider)->touch(reactor_.now());
  return true;  // a retired one is watched only when libcurl asks for it, to end TLS on it
}

// A connection that is not up yet may be closed by libcurl without a word (F15): nothing to watch any more. One whose
// reader holds it back is readable all the time.
bool CurlTransport::keeps_watching(int fd) const {
  Connection* connection = connection_of(fd);
  if (connection == nullptr) return false;
  if (connection->state() == Connection::State::kIdle) return true;
  if (connection->state() != Connection::State::kInUse) return false;
  return connection->rider == nullptr || !static_cast<CurlAttempt*>(connection->rider)->is_held();
}

void CurlTransport::stop_watching(const Connection& connection) {
  reactor_.poller().forget(connection.fd(), *shards_[connection.shard()]);
}

Connection* CurlTransport::connection_of(int fd) const {
  return static_cast<size_t>(fd) < by_fd_.size() ? by_fd_[static_cast<size_t>(fd)] : nullptr;
}

void CurlTransport::on_janitor_done(CurlShard& place) { janitors_[place.number()]->on_done(); }

// All but the books: these are closed after the descriptor, for with the entry goes its part of the process's budget,
// and another session's thread may spend that in the same moment.
void CurlTransport::unlink(Connection& connection) {
  if (connection.rider != nullptr) static_cast<CurlAttempt*>(connection.rider)->set_connection(nullptr);
  auto [first, last] = by_local_port_.equal_range(connection.shard() << 16 | connection.local_port);
  for (auto place = first; place != last; ++place) {
    if (place->second != &connection) continue;
    by_local_port_.erase(place);
    break;
  }
  reactor_.poller().forget(connection.fd(), *shards_[connection.shard()]);
  // Not when another socket of ours has the number already.
  Connection*& place = by_fd_[static_cast<size_t>(connection.fd())];
  if (place == &connection) place = nullptr;
  if (connection.state() == Connection::State::kRetired) janitors_[connection.shard()]->on_closed();
}

int CurlTransport::close_callback(void* self, curl_socket_t fd) noexcept {
  auto& transport = *static_cast<CurlTransport*>(self);
  Connection* connection = transport.connection_of(fd);
  if (connection != nullptr) transport.unlink(*connection);
  // close() alone ends nothing while a forked child has the descriptor, too: the server would hold the connection for
  // as long as that child lives.
  shutdown(fd, SHUT_RDWR);
  int result = close(fd);
  if (connection != nullptr) transport.ledger_.close(*connection);
  return result;
}

}  // namespace hc
