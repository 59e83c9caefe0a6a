#include "serve/connection.h"

#include <sys/epoll.h>

#include <utility>

#include "serve/server_core.h"

namespace hc::serve {

namespace {

// Pipelined requests and early body bytes beyond this wait in the kernel.
constexpr std::size_t kMaxInput = 2u << 20;
// Taken bytes are removed in one move when there are so many, not request by request.
constexpr std::size_t kMaxTaken = 64 * 1024;
constexpr Milliseconds kLingerTime{1000};

}  // namespace

Connection::Connection(ServerCore& core, Listener& listener, Fd socket, std::uint16_t peer_port,
                       std::uint64_t number)
    : core_(core),
      listener_(listener),
      stream_(std::move(socket), listener.tls()),
      peer_port_(peer_port),
      number_(number),
      state_(listener.tls() != nullptr ? State::kHandshake : State::kHead),
      timer_([this] { on_timer(); }),
      last_active_(core.loop.now()) {}

void Connection::start() {
  interest_ = may_read() ? EPOLLIN : 0u;
  core_.loop.watch(stream_.fd(), interest_, this);
  update_interest();
  if (core_.options.idle_timeout.count() > 0) arm(Purpose::kIdle, core_.options.idle_timeout);
}

void Connection::on_event(std::uint32_t events) {
  if (state_ == State::kClosed) return;
  if ((events & EPOLLIN) == 0 && (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) return drop();
  if (state_ == State::kHandshake) return shake_hands();
  if ((events & EPOLLOUT) != 0) {
    wants_write_ = false;
    pump();
    advance();
  }
  if ((events & EPOLLIN) != 0 || stream_.is_tls()) receive();
  update_interest();
}

void Connection::shake_hands() {
  if (!may_read()) return;
  const Stream::Result result = stream_.handshake();
  if (result.status == Stream::Status::kBlocked) return update_interest();
  if (result.status != Stream::Status::kDone) {
    core_.state.add(listener_.index(), &LiveCounters::tls_failed);
    return drop();
  }
  core_.state.add(listener_.index(),
                  stream_.is_resumed() ? &LiveCounters::tls_resumed : &LiveCounters::tls_full);
  state_ = State::kHead;
  last_active_ = core_.loop.now();
  update_interest();
}

void Connection::receive() {
  if (state_ == State::kClosed || !may_read()) return;
  const Stream::Result result = stream_.read(core_.scratch.data(), core_.scratch.size());
  if (result.status == Stream::Status::kBlocked) return;
  if (result.status == Stream::Status::kEnd) return peer_ended();
  if (result.status == Stream::Status::kError) return drop();
  core_.state.received(listener_.index(), result.bytes);
  last_active_ = core_.loop.now();
  if (state_ == State::kLinger || listener_.behaviour() == Behaviour::kSilent) return;
  if (input_taken_ > kMaxTaken) input_.erase(0, std::exchange(input_taken_, 0));
  input_.append(core_.scratch.data(), result.bytes);
  advance();
}

void Connection::peer_ended() {
  peer_ended_ = true;
  // An answer that only waits for the socket is still delivered: the client may have closed its sending half
  // only.
  if (state_ != State::kExchange || !answering_ || waiting_) drop();
}

bool Connection::ignores_input() const {
  const Behaviour behaviour = listener_.behaviour();
  if (behaviour == Behaviour::kNoReads) return state_ != State::kLinger;
  return behaviour == Behaviour::kStallHandshake && state_ == State::kHandshake;
}

bool Connection::may_read() const {
  return !ignores_input() && !peer_ended_ && !body_paused_ && input_.size() - input_taken_ < kMaxInput;
}

void Connection::update_interest() {
  if (state_ == State::kClosed) return;
  std::uint32_t wanted = wants_write_ || stream_.wants_write() ? EPOLLOUT : 0u;
  if (may_read()) wanted |= EPOLLIN;
  // Nothing is read, but a client that leaves shall be noticed. Not while reading only pauses: it may
  // half-close.
  if (ignores_input()) wanted |= EPOLLRDHUP;
  if (wanted == interest_) return;
  interest_ = wanted;
  core_.loop.change(stream_.fd(), interest_, this);
}

void Connection::behaviour_changed() {
  if (state_ != State::kClosed) update_interest();
}

void Connection::arm(Purpose purpose, Milliseconds duration) {
  purpose_ = purpose;
  core_.loop.arm(timer_, core_.loop.now() + duration);
}

void Connection::on_timer() {
  switch (purpose_) {
    case Purpose::kIdle: return check_idle();
    case Purpose::kLinger: return drop();
    case Purpose::kBodyPause: body_paused_ = false; break;
    case Purpose::kWait:
      waiting_ = false;
      script_.finish_step();
      pump();
      break;
  }
  advance();
  update_interest();
}

// Armed once per idle time and not per request: when it fires too early for the newest activity, it goes on.
void Connection::check_idle() {
  if (state_ == State::kExchange) return;  // finish_exchange() arms again
  const TimePoint end_of_patience = last_active_ + core_.options.idle_timeout;
  if (core_.loop.now() >= end_of_patience) return end(Ending::kCloseNow);
  core_.loop.arm(timer_, end_of_patience);
}

void Connection::end(Ending ending) {
  if (state_ == State::kClosed) return;
  if (ending == Ending::kReset) {
    core_.loop.unwatch(stream_.fd());
    stream_.reset();
    return drop();
  }
  if (ending != Ending::kFin) stream_.send_close_notify();
  if (ending == Ending::kCloseNow || peer_ended_) return drop();
  linger();
}

// close() with unread bytes in the socket would send a RST, which can overtake what the client has not read
// yet.
void Connection::linger() {
  stream_.shut_down_sending();
  state_ = State::kLinger;
  answering_ = false;
  waiting_ = false;
  body_paused_ = false;
  wants_write_ = false;
  input_.clear();
  input_taken_ = 0;
  arm(Purpose::kLinger, kLingerTime);
  update_interest();
}

void Connection::drop() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  answering_ = false;
  core_.loop.disarm(timer_);
  core_.loop.unwatch(stream_.fd());
  stream_.close();
  core_.retire(*this);
}

}  // namespace hc::serve
