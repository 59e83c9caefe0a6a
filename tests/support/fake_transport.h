#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/reactor.h"
#include "model/ledger.h"
#include "model/transport.h"

namespace hc {

/// One try of a request over one connection, of which the test is the network.
class FakeAttempt final : public Attempt {
 public:
  const Request& request() const { return *plan_.request; }
  const Endpoint& remote() const { return plan_.remote; }
  const AttemptSink& sink() const { return sink_; }
  bool rides_idle() const { return rides_idle_; }
  bool is_ready() const { return is_ready_; }
  bool is_sent() const { return is_sent_; }
  bool has_answer() const { return plan_.builder->has_bytes(); }
  uint64_t uploaded() const override { return uploaded_; }

 private:
  friend class FakeTransport;
  FakeAttempt(AttemptPlan plan, AttemptSink& sink)
      : plan_(std::move(plan)), sink_(sink), rides_idle_(plan_.permit.kind() == Permit::Kind::kIdleSocket) {}

  AttemptPlan plan_;
  AttemptSink& sink_;
  const bool rides_idle_;
  bool is_ready_ = false;
  bool is_sent_ = false;
  uint64_t uploaded_ = 0;
  std::string held_;
};

/// HTTP without a network: real books (Ledger), and servers that do what the test says.
///
/// Rules: as the one over libcurl, it tells a sink nothing inside start() or abort(); a connection is settled
/// before on_finished(), and the attempt, with a permit it did not spend, goes after it.
class FakeTransport final : public Transport {
 public:
  FakeTransport(Ledger& ledger, Reactor& reactor) : ledger_(ledger), reactor_(reactor) {}
  ~FakeTransport() override;

  Status start(AttemptPlan plan, AttemptSink& sink, Attempt** out) override;
  void abort(Attempt& attempt) override;
  void resume(Attempt& attempt) override;
  void resume_upload(Attempt&) override {}
  void retire(Connection& connection) override;

  /// The next `count` new sockets are refused with `status`.
  void refuse_sockets(Status status, int count);

  // What happens to an attempt. Those that return a bool: false, it is over.
  /// Its new connection is up; or the idle one it was to ride was found, or not.
  bool ready(FakeAttempt& attempt);
  void upload(FakeAttempt& attempt, uint64_t bytes);
  void send(FakeAttempt& attempt);
  bool receive_head(FakeAttempt& attempt, std::string_view head = "HTTP/1.1 200 OK\r\n\r\n");
  bool receive_body(FakeAttempt& attempt, std::string_view bytes);
  /// Its window is full; what came last will be given again.
  static bool is_held(const FakeAttempt& attempt) { return !attempt.held_.empty(); }
  /// Its socket was ready, and nothing came of it.
  void touch(FakeAttempt& attempt) { attempt.last_activity_ = reactor_.now(); }
  /// The response is whole; the connection is kept.
  void finish(FakeAttempt& attempt);
  void finish_and_close(FakeAttempt& attempt);
  /// All that is missing to a whole response of `body`. False: it had no connection after all.
  bool answer(FakeAttempt& attempt, std::string_view body = "ok");
  void fail(FakeAttempt& attempt, Status status);
  /// The reused connection dies after the request went out, before any answer.
  void go_stale(FakeAttempt& attempt);

  // What happens to connections that no request uses.
  /// Dies, and nobody notices until a request wants it.
  void poison(Connection& connection) { poisoned_.insert(connection.number()); }
  /// libcurl closes what was retired.
  void close_retired();

  std::vector<FakeAttempt*> attempts() const;
  std::vector<Connection*> connections(Connection::State state);
  /// Addresses of new sockets, in the order of trying.
  std::vector<std::string> dialled;
  size_t aborted = 0;
  size_t refused = 0;
  /// Where on the stack start() was when it refused: more than one place is a recursion.
  std::set<const void*> refused_at;

 private:
  enum class Fate { kKept, kClosed };

  bool ride(FakeAttempt& attempt);
  Connection* find_idle(const FakeAttempt& attempt);
  void settle(FakeAttempt& attempt, Fate fate);
  void end(FakeAttempt& attempt, AttemptResult result, Fate fate);
  void close(Connection& connection);
  std::unique_ptr<FakeAttempt> take_out(FakeAttempt& attempt);

  Ledger& ledger_;
  Reactor& reactor_;
  std::vector<std::unique_ptr<FakeAttempt>> attempts_;  // in the order of their start
  std::vector<Connection*> retired_;
  std::set<uint64_t> poisoned_;  // by number
  Status refusal_;
  int refusals_left_ = 0;
  int last_fd_ = 1000;
};

}  // namespace hc
