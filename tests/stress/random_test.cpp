// Everything at once: threads that submit, cancel, look and close, servers and names that fail in every way, sessions
// that share queues and end anywhere, also on their own loop. Afterwards the promises are counted.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <shared_mutex>

#include "stress/random_world.h"
#include "stress/stress.h"
#include "support/process.h"

namespace hc::test {
namespace {

using namespace std::chrono_literals;

constexpr size_t kThreads = 4;
constexpr size_t kSessions = 4;  // the first one lives to the end
constexpr size_t kQueues = 3;

/// A queue that somebody may close while others want to use it.
struct Outlet {
  Outlet() { EXPECT_EQ(hc_queue_create(&queue, nullptr), HC_OK); }
  void close() {
    std::unique_lock alone(use);
    if (queue != nullptr) hc_queue_close(queue);
    queue = nullptr;
  }
  hc_queue* queue = nullptr;
  std::shared_mutex use;   // shared: inside a call; alone: closing
  std::mutex drainer;      // one at a time
  bool was_lossy = false;  // closed with requests under way; set before close()
};

/// A session; whoever lets go of it last frees it, wherever that is.
struct Life {
  Life(SocketWitness& of_this, std::atomic<size_t>& of_all, const SessionSetup& setup)
      : witness(of_this), ended(of_all), session(make_session([&](hc_session_options& options) {
          setup(options);
          limit = options.limit;
          witness.attach(options);
        })) {}
  ~Life() {
    look();
    // On its own loop, free() does not wait for the last call of the witness.
    EXPECT_EQ(hc_session_close_async(session, 0, count_end, &ended), HC_OK);
    hc_session_free(session);
  }
  static void count_end(void* ended) { ++*static_cast<std::atomic<size_t>*>(ended); }
  // Any thread.
  void look() const {
    EXPECT_LE(witness.peak(), limit);
    hc_stats stats = stats_of(session);
    EXPECT_LE(stats.sockets_peak, limit);
    EXPECT_LE(stats.sockets_connecting + stats.sockets_in_use + stats.sockets_idle, limit);
  }
  uint64_t limit = 0;
  SocketWitness& witness;
  std::atomic<size_t>& ended;
  hc_session* session;
  std::array<std::atomic<hc_id>, 64> recent{};  // ids to cancel
};

class Chaos;

struct Record {
  Chaos* chaos = nullptr;
  Errand errand;
  std::shared_ptr<Outlet> outlet;  // or a callback
  std::shared_ptr<Life> keeps;     // what its completion lets go of
  std::atomic<bool> was_accepted{false};
  std::atomic<uint32_t> completions{0};
};

class Chaos {
 public:
  explicit Chaos(uint32_t seed) : seed_(seed) {
    Dice dice(seed);
    for (auto& outlet : outlets_) outlet = std::make_shared<Outlet>();
    for (auto& life : lives_) life = make_life(dice);
  }

  void run() {
    auto end = std::chrono::steady_clock::now() + 20s;
    on_threads(kThreads, [&](size_t thread) {
      Dice dice(seed_ * 31 + static_cast<uint32_t>(thread));
      for (size_t i = 0; i < scaled(2'500); ++i) {
        if (std::chrono::steady_clock::now() < end) operate(dice);
      }
    });
    finish();
  }

 private:
  // ------------------------------------------------------------------------------------------ what there is

  std::shared_ptr<Life> make_life(Dice& dice) {
    return std::make_shared<Life>(new_witness(), ended_lives_, [&](hc_session_options& options) {
      world_.introduce(options);
      options.limit = dice.pick<uint64_t>({1, 2, 5, 20});
      options.limit_per_host = dice.pick<uint64_t>({0, 0, 1, 3});
      options.max_connecting = dice.pick<uint64_t>({0, 0, 2});
      options.max_waiting = dice.pick<uint64_t>({0, 0, 50});
      options.keepalive_timeout_ms = dice.pick<uint64_t>({HC_UNSET, HC_UNSET, 20, 0});
      options.max_lifetime_ms = dice.pick<uint64_t>({0, 0, 50});
      options.happy_eyeballs_ms = dice.pick<uint64_t>({HC_UNSET, 5, 0});
      options.ttl_dns_cache_ms = dice.pick<uint64_t>({HC_UNSET, 0, 5});
    });
  }

  std::shared_ptr<Life> life(size_t place) {
    std::lock_guard lock(mutex_);
    return lives_[place];
  }
  std::shared_ptr<Outlet> outlet(size_t place) {
    std::lock_guard lock(mutex_);
    return outlets_[place];
  }
  Record& new_record() {
    std::lock_guard lock(mutex_);
    return records_.emplace_back();
  }
  SocketWitness& new_witness() {
    std::lock_guard lock(mutex_);
    return witnesses_.emplace_back();
  }

  // ------------------------------------------------------------------------------------------ what happens

  void operate(Dice& dice) {
    size_t place = dice.roll(kSessions);
    uint64_t roll = dice.roll(100);
    if (roll < 55) return submit(dice, place);
    if (roll < 70) return cancel(dice, *life(place));
    if (roll < 80) return drain(dice);
    if (roll < 85) return life(place)->look();
    if (roll < 89) return meddle_with_names(dice, *life(place));
    if (roll < 92) return perform(dice, *life(place));
    if (roll < 93) return replace_queue(dice);
    if (roll < 94) return end_life(dice, place);
    busy_wait(std::chrono::microseconds(dice.roll(1500)));
  }

  void submit(Dice& dice, size_t place) {
    std::shared_ptr<Life> mine = life(place);
    Record& record = new_record();
    record.chaos = this;
    record.errand = world_.errand(dice);
    hc_request request = record.errand.request();
    request.user_data = &record;
    request.priority = dice.percent(80) ? 0 : static_cast<int32_t>(dice.roll(3)) - 1;
    if (dice.percent(50)) {
      request.on_done = on_done;
      if (dice.percent(30)) record.keeps = mine;
      hand_over(dice, *mine, request, record);
      return;
    }
    record.outlet = outlet(dice.roll(kQueues));
    std::shared_lock open(record.outlet->use);
    request.queue = record.outlet->queue;
    if (request.queue != nullptr) hand_over(dice, *mine, request, record);
  }

  void hand_over(Dice& dice, Life& mine, const hc_request& request, Record& record) {
    hc_id id = 0;
    hc_status status = hc_session_submit(mine.session, &request, &id, nullptr);
    if (status == HC_OK) {
      record.was_accepted = true;
      mine.recent[dice.roll(mine.recent.size())] = id;
    } else {
      EXPECT_TRUE(status == HC_E_CLOSED || status == HC_E_OVERLOAD) << hc_status_name(status);
      record.keeps.reset();
    }
  }

  void cancel(Dice& dice, Life& mine) {
    hc_id id = mine.recent[dice.roll(mine.recent.size())];
    EXPECT_EQ(hc_session_cancel(mine.session, id != 0 ? id : 1), HC_OK);
  }

  void meddle_with_names(Dice& dice, Life& mine) {
    hc_str address = HC_STR("127.0.0.1");
    hc_status status = HC_OK;
    switch (dice.roll(3)) {
      case 0: status = hc_session_dns_clear(mine.session, hc_str{}); break;
      case 1: status = hc_session_dns_clear(mine.session, HC_STR("two.test")); break;
      default:
        status = hc_session_resolve_add(mine.session, HC_STR("nx.test"), 0, &address, dice.roll(2), nullptr);
    }
    EXPECT_TRUE(status == HC_OK || status == HC_E_CLOSED) << hc_status_name(status);
  }

  void perform(Dice& dice, Life& mine) {
    Errand errand = world_.errand(dice);
    hc_request request = errand.request();
    request.timeouts.total_ms = 1 + dice.roll(20);
    hc_response* response = nullptr;
    if (hc_session_perform(mine.session, &request, &response, nullptr) == HC_OK) {
      errand.check_body(hc_response_http_status(response), hc_response_body(response));
    }
    hc_response_free(response);
  }

  void drain(Dice& dice) {
    std::shared_ptr<Outlet> from = outlet(dice.roll(kQueues));
    uint64_t patience_ms = dice.roll(3);
    std::shared_lock open(from->use);
    std::unique_lock alone(from->drainer, std::try_to_lock);
    if (!alone || from->queue == nullptr) return;
    EXPECT_EQ(hc_queue_wait(from->queue, patience_ms, nullptr), HC_OK);
    drain_ready(from->queue, take);
  }

  void replace_queue(Dice& dice) {
    auto fresh = std::make_shared<Outlet>();
    {
      std::lock_guard lock(mutex_);
      outlets_[dice.roll(kQueues)].swap(fresh);
    }
    fresh->was_lossy = true;
    fresh->close();
  }

  // Not the first one.
  void end_life(Dice& dice, size_t place) {
    if (place == 0) return;
    std::shared_ptr<Life> ending = make_life(dice);
    {
      std::lock_guard lock(mutex_);
      lives_[place].swap(ending);
    }
    hc_session* session = ending->session;
    switch (dice.roll(3)) {
      case 0: EXPECT_EQ(hc_session_close(session, dice.roll(30)), HC_OK); break;
      case 1: {
        auto* last = new std::shared_ptr<Life>(ending);
        EXPECT_EQ(hc_session_close_async(session, dice.roll(30), let_go, last), HC_OK);
        break;
      }
      default: break;  // freed open, by whoever still has it
    }
  }

  static void let_go(void* life) { delete static_cast<std::shared_ptr<Life>*>(life); }

  // ------------------------------------------------------------------------------------------ what comes back

  static void take(const hc_completion& completion) {
    auto& record = *static_cast<Record*>(completion.user_data);
    EXPECT_EQ(record.completions++, 0u) << record.errand.url;
    if (completion.status == HC_OK) record.errand.check_body(completion.http_status, completion.body);
    hc_response_free(completion.response);
  }

  // On a loop thread, and at times as busy as the others.
  static void on_done(const hc_completion* completion, void* user_data) {
    auto& record = *static_cast<Record*>(user_data);
    Chaos& chaos = *record.chaos;
    std::shared_ptr<Life> kept = std::move(record.keeps);
    Dice dice(static_cast<uint32_t>(completion->id * 2'654'435'761U) + chaos.seed_);
    if (kept != nullptr) {
      EXPECT_EQ(hc_session_close(kept->session, 0), HC_E_DEADLOCK);
      kept->look();
      if (dice.percent(20)) chaos.cancel(dice, *kept);
      if (dice.percent(10)) chaos.meddle_with_names(dice, *kept);
    }
    if (dice.percent(20) && !chaos.is_finishing_) chaos.submit(dice, dice.roll(kSessions));
    take(*completion);
  }

  // ------------------------------------------------------------------------------------------ what must hold

  void finish() {
    is_finishing_ = true;
    Dice dice(seed_);
    for (auto& life : lives_) {
      if (dice.percent(50)) {
        EXPECT_EQ(hc_session_close(life->session, dice.roll(50)), HC_OK);
      }
      life.reset();
    }
    EXPECT_TRUE(eventually([this] { return count_unsettled() == 0; })) << describe_unsettled();
    EXPECT_TRUE(eventually([this] { return ended_lives_ == witnesses_.size(); }));
    for (auto& outlet : outlets_) outlet->close();
    for (const Record& record : records_) {
      EXPECT_LE(record.completions, record.was_accepted ? 1u : 0u) << record.errand.url;
      if (!record.errand.is_post) continue;
      EXPECT_LE(world_.server.once_count(record.errand.key), 1u) << "a POST arrived more than once";
    }
  }

  bool is_settled(const Record& record) const {
    if (!record.was_accepted || record.completions > 0) return true;
    return record.outlet != nullptr && record.outlet->was_lossy;
  }
  size_t count_unsettled() {
    for (auto& outlet : outlets_) drain_ready(outlet->queue, take);
    std::lock_guard lock(mutex_);
    return static_cast<size_t>(std::count_if(records_.begin(), records_.end(),
                                             [this](const Record& record) { return !is_settled(record); }));
  }
  std::string describe_unsettled() {
    std::string text;
    for (const Record& record : records_) {
      if (!is_settled(record)) text += record.errand.url + (record.outlet ? " queue\n" : " callback\n");
    }
    return text;
  }

  const uint32_t seed_;
  World world_;
  std::atomic<bool> is_finishing_{false};
  std::mutex mutex_;  // guards what follows while the threads run
  std::array<std::shared_ptr<Life>, kSessions> lives_;
  std::array<std::shared_ptr<Outlet>, kQueues> outlets_;
  std::deque<Record> records_;
  std::deque<SocketWitness> witnesses_;  // a session that is freed on its own loop ends a little later
  std::atomic<size_t> ended_lives_{0};
};

class RandomTest : public testing::TestWithParam<uint32_t> {};

TEST_P(RandomTest, KeepsItsPromises) {
  LeakCheck leaks;
  Chaos(GetParam()).run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTest, testing::Values(1, 2, 3));

// HC_STRESS_SEED=N runs that seed again.
TEST(RandomSeedTest, KeepsItsPromises) {
  const char* given = std::getenv("HC_STRESS_SEED");
  uint32_t seed = given != nullptr ? static_cast<uint32_t>(std::stoul(given)) : std::random_device()();
  SCOPED_TRACE("HC_STRESS_SEED=" + std::to_string(seed));
  std::printf("HC_STRESS_SEED=%u\n", seed);
  LeakCheck leaks;
  Chaos(seed).run();
}

}  // namespace
}  // namespace hc::test
