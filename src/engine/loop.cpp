#include "engine/loop.h"

#include <pthread.h>

#include <algorithm>
#include <system_error>

#include "adapter/curl_transport.h"
#include "adapter/resolver_chain.h"
#include "base/check.h"
#include "base/fork.h"
#include "base/signals_blocked.h"
#include "base/user_call.h"

namespace hc {
namespace {

// So that a flood of instantly finished requests cannot keep the loop from its timers and its mail.
constexpr int kRoundsPerTurn = 8;
// The same for a flood of submits.
constexpr size_t kMailsPerTurn = 4096;
// The shortest time that epoll can wait.
constexpr Duration kDoze = 1 * kMillisecond;
// A turn this long is worth a warning: requests notice.
constexpr Duration kStall = 250 * kMillisecond;

// Which loop a thread is. By number: thread ids and addresses are used again as soon as their owner is gone. And by
// process: a child that was forked in a callback is one thread, and no loop.
struct Place {
  uint64_t loop = 0;
  uint32_t generation = 0;
};
thread_local Place place;
std::atomic<uint64_t> last_loop{0};

Hook make_hook(const SessionConfig& config) {
  if (config.on_resolve == nullptr) return nullptr;
  return [&config](uint64_t query, std::string_view host, Family family) {
    auto* handle = reinterpret_cast<hc_resolve_query*>(static_cast<uintptr_t>(query));
    return call_in_turn([&] {
      return config.on_resolve(handle, {host.data(), host.size()}, static_cast<int32_t>(family),
                               config.on_resolve_data);
    });
  };
}

}  // namespace

Loop::Loop(const SessionConfig& config) : config_(config), number_(++last_loop) {}

Loop::~Loop() { HC_CHECK(!thread_.joinable()); }

Status Loop::open() {
  if (Status status = CurlRuntime::require(); !status.is_ok()) return status;
  if (Status status = Reactor::open(&reactor_); !status.is_ok()) return status;
  if (Status status = Waker::create(&waker_); !status.is_ok()) return status;
  reactor_.bind_to_this_thread();  // while it is put together
  started_ = reactor_.now();

  ResolverOptions options;
  options.nameservers = config_.nameservers;
  options.hook = make_hook(config_);
  Post post_task = [this](std::function<void()> task) {
    post([task = std::move(task)](Engine&) { task(); });
  };
  Status status;
  resolver_ = make_resolver(reactor_, options, std::move(post_task), &status);
  if (!status.is_ok()) return status;

  engine_ = std::make_unique<Engine>(config_, reactor_, DescriptorBudget::process(), *this, metrics_);
  transport_ = std::make_unique<CurlTransport>(config_, reactor_, engine_->ledger());
  names_ = std::make_unique<NameService>(*resolver_, config_.names, engine_->stats(),
                                         [this] { return reactor_.now(); });
  engine_->bind(*transport_, *names_);
  names_->set_on_failure([this](const Status& reason, bool is_no_such_name) {
    engine_->on_lookup_failed(reason, is_no_such_name);
  });
  waker_.attach(reactor_.poller());
  reactor_.unbind();
  return Status::ok();
}

Status Loop::start() {
  SignalsBlocked blocked;  // inherited by the thread
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return Status::system("cannot start the loop thread", error.code().value());
  }
  pthread_setname_np(thread_.native_handle(), "libhc");
  return Status::ok();
}

bool Loop::submit(std::unique_ptr<Transfer> transfer, hc_id* id) {
  bool is_accepted = false;
  mailbox_.push(
      [&] {
        is_accepted = is_accepting_;
        if (!is_accepting_) return Mail{};
        transfer->id = ++last_id_;
        transfer->on_accepted();
        if (id != nullptr) *id = last_id_;
        mailed_.fetch_add(1, std::memory_order_relaxed);
        return Mail{std::move(transfer), 0, nullptr};
      },
      Mailbox<Mail>::Urgency::kCanWait);
  return is_accepted;
}

void Loop::cancel(hc_id id) {
  mailbox_.push([&] { return Mail{nullptr, id, nullptr}; });
}

bool Loop::post(Task task) {
  auto owned = std::make_unique<Task>(std::move(task));
  return mailbox_.push([&] { return Mail{nullptr, 0, std::move(owned)}; });
}

void Loop::close(Duration drain) {
  auto begin = [this, drain](Engine& engine) {
    if (!engine.is_closing()) open_at_close_ = engine.ledger().live();
    engine.begin_close(drain);
  };
  auto task = std::make_unique<Task>(begin);
  mailbox_.push([&] {
    is_accepting_ = false;
    return Mail{nullptr, 0, std::move(task)};
  });
}

void Loop::on_ended(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!has_ended_) {
      ended_callbacks_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

void Loop::join() {
  if (thread_.joinable()) thread_.join();
}

void Loop::detach() {
  if (thread_.joinable()) thread_.detach();
}

Stats Loop::stats() {
  Stats stats;
  uint64_t mailed = 0;
  {
    std::lock_guard lock(mutex_);
    stats = published_;
    mailed = mailed_.load(std::memory_order_relaxed);
  }
  // In flight for whoever submitted them, though the loop has not met them.
  stats.submitted += mailed;
  stats.in_flight += mailed;
  return stats;
}

bool Loop::is_any_loop_thread() { return place.loop != 0 && place.generation == fork_generation(); }

bool Loop::is_loop_thread() const { return place.loop == number_; }

void Loop::run() {
  DescriptorBudget::process().add_holder(*this);
  place = {number_, fork_generation()};
  reactor_.bind_to_this_thread();
  while (!(engine_->is_closing() && engine_->is_empty())) {
    turn();
    // A callback forked, and the child returned from it. Everything here belongs to the parent; the thread ends, and
    // with it, being the only one, the child.
    if (!is_any_loop_thread()) return;
  }
  end();
}

void Loop::turn() {
  reactor_.poller().flush();
  await_work();
  TimePoint start = reactor_.refresh();
  read_mail();
  reactor_.poller().dispatch();
  expire_timers();
  settle();
  publish();
  Duration in_callbacks = UserCall::take_spent();
  TimePoint callbacks_start = reactor_.refresh();
  engine_->deliver();
  UserCall::take_spent();  // on_release in there is a part of what follows callbacks_start
  count_turn(start, callbacks_start, in_callbacks);
}

void Loop::await_work() {
  if (has_work_left()) return reactor_.poller().wait(0);
  // New requests come, and could only join the line: to be woken for each would take longer than to submit it.
  bool dozes = has_read_mail_ && engine_->is_saturated();
  if (!dozes && look_for_work()) return;
  using Sleep = Mailbox<Mail>::Sleep;
  if (!mailbox_.prepare_sleep(dozes ? Sleep::kDozing : Sleep::kAsleep)) return reactor_.poller().wait(0);
  TimePoint due = reactor_.timers().next_due();
  Duration rest = due == kNever ? kNever : std::max<Duration>(due - reactor_.now(), 0);
  reactor_.poller().wait(dozes ? std::min(rest, kDoze) : rest);
}

bool Loop::has_work_left() const {
  return transport_->is_active() || engine_->has_completions() || engine_->has_more_to_start() ||
         next_mail_ < mail_.size();
}

// Whether it found any. In time, that is: what came while this thread had no processor would have woken it as well.
// Bodies come no sooner by it: while the loop sleeps there is more of them to be read at once.
bool Loop::look_for_work() {
  BusyPoll& habit = engine_->is_empty() ? looks_for_mail_ : looks_for_answers_;
  if (config_.busy_poll_us == 0 || engine_->moves_bodies() || !habit.is_worth_a_look()) return false;
  auto longest = static_cast<Duration>(config_.busy_poll_us) * kMicrosecond;
  TimePoint until = std::min(reactor_.refresh() + longest, reactor_.timers().next_due());
  bool has_found = false;
  do {
    reactor_.poller().wait(0);
    has_found = !reactor_.poller().found_nothing() || mailbox_.has_mail();
  } while (reactor_.refresh() < until && !has_found);
  habit.learn(has_found && reactor_.now() < until);
  return has_found;
}

void Loop::read_mail() {
  if (has_room_.exchange(false)) engine_->on_descriptor_room();
  if (is_wanted_.exchange(false)) engine_->on_descriptor_wanted();
  if (next_mail_ == mail_.size()) {
    mail_.clear();
    next_mail_ = 0;
    mailbox_.drain(mail_);
  }
  has_read_mail_ = next_mail_ < mail_.size();
  size_t end = std::min(mail_.size(), next_mail_ + kMailsPerTurn);
  uint64_t submits = 0;
  for (; next_mail_ < end; ++next_mail_) {
    submits += mail_[next_mail_].transfer != nullptr ? 1 : 0;
    read(mail_[next_mail_]);
  }
  if (submits > 0) count_read(submits);
}

void Loop::read(Mail& mail) {
  if (mail.transfer != nullptr) {
    engine_->accept(std::move(mail.transfer));
  } else if (mail.cancel != 0) {
    engine_->cancel(mail.cancel);
  } else if (mail.task != nullptr) {
    (*mail.task)(*engine_);
  }
}

// What has come by now came in time, however late this turn is: clocks look at what is left. Idle connections that are
// due still go before a request can take one.
void Loop::expire_timers() {
  if (reactor_.timers().next_due() > reactor_.now()) return;
  transport_->run();
  reactor_.timers().expire(reactor_.now());
}

// From "mailed" to "submitted" in one step: the sums of stats() hold at every moment.
void Loop::count_read(uint64_t submits) {
  std::lock_guard lock(mutex_);
  mailed_.fetch_sub(submits, std::memory_order_relaxed);
  published_.submitted += submits;
  published_.in_flight += submits;
}

void Loop::settle() {
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    engine_->settle();
    // Also when much has come already: requests in shards of their own would wait for the end of others' bodies.
    if (!transport_->run() || engine_->has_much_to_publish()) return;
  }
}

// Before the completions go out: whoever gets one finds it counted.
void Loop::publish() {
  const Stats& stats = engine_->stats();
  // Who waits only because a turn starts no more than so many is not in line (docs/decisions/006).
  waiting_.store(engine_->has_more_to_start() ? 0 : stats.waiting, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  published_ = stats;
}

// With the callbacks in it, so it is published a turn later.
void Loop::count_turn(TimePoint start, TimePoint callbacks_start, Duration in_callbacks) {
  Stats& stats = engine_->stats();
  TimePoint end = reactor_.refresh();
  auto busy = static_cast<uint64_t>(end - start);
  stats.loop_elapsed_ns = static_cast<uint64_t>(end - started_);
  ++stats.loop_turns;
  stats.loop_busy_ns += busy;
  stats.loop_worst_turn_ns = std::max(stats.loop_worst_turn_ns, busy);
  in_callbacks += end - callbacks_start;
  if (end - start >= kStall && is_any_loop_thread()) engine_->on_stall(end - start, in_callbacks);
}

void Loop::on_room() {
  has_room_.store(true);
  waker_.wake();
}

void Loop::on_wanted() {
  is_wanted_.store(true);
  waker_.wake();
}

// What may still come in by mail is answered before the box closes for good.
void Loop::end() {
  mailbox_.close();
  do {
    read_mail();
  } while (next_mail_ < mail_.size());
  engine_->settle();
  engine_->deliver();
  HC_CHECK(engine_->is_empty());

  DescriptorBudget::process().remove_holder(*this);
  transport_.reset();
  names_.reset();
  resolver_.reset();
  publish();
  engine_->deliver();  // the trace of connections that ended with the transport
  engine_.reset();
  waker_.detach(reactor_.poller());
  waker_.close();
  reactor_.poller().close();

  std::vector<std::function<void()>> callbacks;
  {
    std::lock_guard lock(mutex_);
    has_ended_ = true;
    ended_at_ = clock_.now();
    callbacks.swap(ended_callbacks_);
  }
  for (auto& callback : callbacks) callback();
}

}  // namespace hc
