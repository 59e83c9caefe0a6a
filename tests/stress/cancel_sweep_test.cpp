// Cancels a request at every point of its life: the point moves by one turn of the loop, or by some microseconds,
// from before the first turn until the cancel comes too late.
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <ostream>
#include <set>

#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "stress/stress.h"
#include "support/process.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using namespace std::chrono_literals;

constexpr int kTooLateInARow = 5;  // ends a sweep
constexpr bool kIsSlow = kThreadSanitizer || kAddressSanitizer;
constexpr int kSweeps = 7;  // at most
constexpr uint64_t kBody = 1000;

struct Way {
  const char* name;
  bool is_tls;
  bool is_reused;
  bool is_looked_up;
  const char* method;
  std::set<int32_t> phases;  // that must be met
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

struct End {
  hc_status status = HC_OK;
  int32_t phase = HC_PHASE_NONE;
  bool was_reused = false;

  static End of(hc_response* response) {
    Outcome outcome;
    outcome.response = {response, hc_response_free};
    return {hc_response_status(response), outcome.error().phase, outcome.was_reused()};
  }
};

/// Cancels a request on the loop thread in the so-manyth turn after its submit. The turns are counted by a request
/// that is submitted and cancelled in its own completion, and so completes once a turn; the loop never sleeps.
class TurnClock {
 public:
  explicit TurnClock(hc_session* session) : session_(session) {}

  End cancel_after(const hc_request& target, int turns) {
    target_ = target;
    target_.on_done = on_target;
    target_.user_data = this;
    cancel_at_ = turns;
    turn_ = 0;
    end_.reset();
    stopped_ = std::promise<void>();
    std::future<void> stopped = stopped_.get_future();
    tick();
    if (stopped.wait_for(kMustHappen) == std::future_status::ready) return *end_;
    ADD_FAILURE() << "no completion of what was cancelled in turn " << turns;
    std::abort();  // it may still come, and this object would be gone
  }

 private:
  void tick() {
    hc_request request = make_request("http://127.0.0.1:1/");
    request.on_done = on_tick;
    request.user_data = this;
    hc_id id = 0;
    EXPECT_EQ(hc_session_submit(session_, &request, &id, nullptr), HC_OK);
    EXPECT_EQ(hc_session_cancel(session_, id), HC_OK);
  }

  static void on_tick(const hc_completion* completion, void* self) {
    hc_response_free(completion->response);
    static_cast<TurnClock*>(self)->turn();
  }

  void turn() {
    if (turn_ == 0) {
      EXPECT_EQ(hc_session_submit(session_, &target_, &target_id_, nullptr), HC_OK);
    }
    if (turn_ == cancel_at_) {
      EXPECT_EQ(hc_session_cancel(session_, target_id_), HC_OK);
    }
    bool is_over = end_ && turn_ >= cancel_at_;
    ++turn_;
    if (is_over) {
      stopped_.set_value();
    } else {
      tick();
    }
  }

  static void on_target(const hc_completion* completion, void* self) {
    auto& clock = *static_cast<TurnClock*>(self);
    EXPECT_FALSE(clock.end_) << "completed twice";
    clock.end_ = End::of(completion->response);
  }

  hc_session* session_;
  hc_request target_{};
  hc_id target_id_ = 0;
  int cancel_at_ = 0;
  int turn_ = 0;
  std::optional<End> end_;
  std::promise<void> stopped_;
};

class CancelSweep : public testing::TestWithParam<Way> {
 protected:
  CancelSweep() : server_(options()) {
    // The parts of the answer take a while, so that no phase is too short to be met, also by long steps.
    static constexpr auto kPart = kIsSlow ? 5ms : 1ms;
    server_.handle("/parts", [this](const serve::RequestView& request, serve::ResponseWriter& writer) {
      arrivals_.insert(*request.parameter("key"));
      writer.wait(kPart);
      writer.begin(200, "text/plain", kBody);
      writer.raw_pattern(kBody / 2);
      writer.wait(kPart);
      writer.raw_pattern(kBody / 2, kBody / 2);
    });
    server_.start();
    dns_.script("sweep.test", {serve::DnsReply::addresses({"127.0.0.1"}).delayed(1ms)});
    dns_.start();
  }

  serve::HttpServerOptions options() {
    serve::HttpServerOptions options;
    if (!GetParam().is_tls) return options;
    options.listeners[0].tls = tls_with(pki_.server());
    return options;
  }

  void setup(hc_session_options& options) {
    options.ca_file = str(pki_.ca().certificate_path);
    if (!GetParam().is_reused) options.force_close = HC_ON;
    options.ttl_dns_cache_ms = 0;
    options.nameservers = str(nameserver_);
  }

  std::string url(const std::string& path) const {
    if (!GetParam().is_looked_up) return server_.url(0, path);
    return "http://sweep.test:" + std::to_string(server_.port()) + path;
  }

  /// One request that `cancel` cancels. Before and after it the session does its work.
  End run(Client& client, const std::function<End(const hc_request&)>& cancel) {
    Outcome probe = client.fetch(server_.url(0, "/bytes/64"));
    EXPECT_TRUE(is(probe, HC_OK));
    EXPECT_EQ(probe.body, serve::pattern(64)) << "what was left of a cancelled request";
    std::string key = std::to_string(++last_key_);
    std::string target = url("/parts?key=" + key);
    hc_request request = make_request(target);
    request.method = str(GetParam().method);
    if (request.method.len == 4) request.body = HC_STR("body of the post");
    End end = cancel(request);
    if (end.status == HC_OK) {
      EXPECT_EQ(end.was_reused, GetParam().is_reused);
      answered_.push_back(key);
    } else {
      EXPECT_EQ(end.status, HC_E_CANCELLED) << hc_status_name(end.status);
      phases_.insert(end.phase);
    }
    return end;
  }

  bool has_met_all_phases() const {
    return std::includes(phases_.begin(), phases_.end(), GetParam().phases.begin(), GetParam().phases.end());
  }

  void check() {
    server_.stop();
    EXPECT_FALSE(answered_.empty());
    for (const std::string& key : answered_) EXPECT_EQ(arrivals_.count(key), 1u);
    for (const std::string& key : arrivals_) EXPECT_EQ(arrivals_.count(key), 1u) << "arrived more than once";
  }

  serve::TestPki pki_;
  serve::HttpServer server_;
  serve::DnsServer dns_;
  std::string nameserver_ = (dns_.start(), dns_.endpoint());
  std::multiset<std::string> arrivals_;  // on the server's thread until it stops
  std::vector<std::string> answered_;
  std::set<int32_t> phases_;
  int last_key_ = 0;
};

TEST_P(CancelSweep, TurnByTurn) {
  {
    LeakCheck leaks;
    Client client([this](hc_session_options& options) { setup(options); });
    TurnClock clock(client.get());
    const int step = kIsSlow ? 7 : 1;
    // Again if the machine was so busy, or the step so long, that some phase passed unseen; then on other turns.
    for (int sweep = 0; sweep < kSweeps && !has_met_all_phases(); ++sweep) {
      int too_late = 0;
      for (int turns = 0; too_late < kTooLateInARow; turns += turns < 30 + sweep ? 1 : step) {
        End end = run(client, [&](const hc_request& request) { return clock.cancel_after(request, turns); });
        too_late = end.status == HC_OK ? too_late + 1 : 0;
      }
    }
  }
  for (int32_t phase : GetParam().phases) {
    EXPECT_EQ(phases_.count(phase), 1u) << "never cancelled while " << hc_phase_name(phase);
  }
  check();
}

TEST_P(CancelSweep, ByTheMicrosecondFromAnotherThread) {
  {
    LeakCheck leaks;
    Client client([this](hc_session_options& options) { setup(options); });
    int too_late = 0;
    std::chrono::microseconds step(kIsSlow ? 200 : 10);
    for (int i = 0; too_late < kTooLateInARow; ++i) {
      End end = run(client, [&](hc_request request) {
        request.queue = client.queue().get();
        hc_id id = 0;
        EXPECT_EQ(hc_session_submit(client.get(), &request, &id, nullptr), HC_OK);
        busy_wait(i * step);
        client.cancel(id);
        Outcome outcome = client.wait(id);
        return End{outcome.status, outcome.error().phase, outcome.was_reused()};
      });
      too_late = end.status == HC_OK ? too_late + 1 : 0;
    }
    EXPECT_TRUE(client.queue().take_ready().empty()) << "completed twice";
  }
  check();
}

const std::set<int32_t> kFromAFreshOne = {HC_PHASE_WAITING, HC_PHASE_CONNECTING, HC_PHASE_AWAITING,
                                          HC_PHASE_RECEIVING};
const std::set<int32_t> kFromAReusedOne = {HC_PHASE_WAITING, HC_PHASE_AWAITING, HC_PHASE_RECEIVING};
const std::set<int32_t> kFromALookup = {HC_PHASE_WAITING, HC_PHASE_RESOLVING, HC_PHASE_AWAITING,
                                        HC_PHASE_RECEIVING};

INSTANTIATE_TEST_SUITE_P(Ways, CancelSweep,
                         testing::Values(Way{"PlainFreshGet", false, false, false, "GET", kFromAFreshOne},
                                         Way{"PlainFreshPost", false, false, false, "POST", kFromAFreshOne},
                                         Way{"PlainReusedGet", false, true, false, "GET", kFromAReusedOne},
                                         Way{"PlainReusedPost", false, true, false, "POST", kFromAReusedOne},
                                         Way{"LookedUpFreshGet", false, false, true, "GET", kFromALookup},
                                         Way{"TlsFreshPost", true, false, false, "POST", kFromAFreshOne},
                                         Way{"TlsReusedGet", true, true, false, "GET", kFromAReusedOne},
                                         Way{"TlsReusedPost", true, true, false, "POST", kFromAReusedOne}),
                         [](const auto& way) { return std::string(way.param.name); });

}  // namespace
}  // namespace hc::test
