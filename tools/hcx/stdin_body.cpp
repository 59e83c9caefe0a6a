#include "hcx/stdin_body.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace hc::hcx {

namespace {

constexpr std::size_t kPiece = 256 << 10;

}  // namespace

StdinBody::StdinBody() : stop_event_(eventfd(0, EFD_CLOEXEC)) {
  if (!stop_event_) serve::throw_errno("eventfd");
}

void StdinBody::attach(hc_request& request) {
  request.body_kind = HC_BODY_PULLED;
  request.on_body = give;
  request.body_data = this;
}

void StdinBody::start(hc_session* session, hc_id id) {
  thread_ = std::thread([this, session, id] { read_all(session, id); });
}

void StdinBody::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  const std::uint64_t one = 1;
  // An eventfd that was never written to takes it.
  if (write(stop_event_.get(), &one, sizeof one) != sizeof one) std::abort();
  thread_.join();
}

std::string StdinBody::failure() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::kFailed ? std::string("cannot read stdin: ") + std::strerror(error_) : "";
}

hc_status StdinBody::give(void* buffer, std::size_t capacity, std::size_t* count, void* self) {
  return static_cast<StdinBody*>(self)->take(static_cast<char*>(buffer), capacity, count);
}

hc_status StdinBody::take(char* buffer, std::size_t capacity, std::size_t* count) {
  const std::lock_guard lock(mutex_);
  *count = std::min(capacity, bytes_.size() - given_);
  if (*count == 0 && state_ == State::kOpen) return HC_E_AGAIN;
  if (*count == 0 && state_ == State::kFailed) return HC_E_CALLBACK;
  if (*count > 0) std::memcpy(buffer, bytes_.data() + given_, *count);
  given_ += *count;
  if (given_ == bytes_.size()) changed_.notify_all();
  return HC_OK;
}

void StdinBody::read_all(hc_session* session, hc_id id) {
  bool goes_on = true;
  while (goes_on && wait_for_room() && wait_for_input()) {
    goes_on = read_some();
    hc_session_resume_upload(session, id);
  }
}

bool StdinBody::wait_for_room() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_stopping_ || given_ == bytes_.size(); });
  return !is_stopping_;
}

bool StdinBody::wait_for_input() const {
  std::array<pollfd, 2> watched{{{STDIN_FILENO, POLLIN, 0}, {stop_event_.get(), POLLIN, 0}}};
  while (poll(watched.data(), watched.size(), -1) < 0) {
    if (errno != EINTR) return true;  // and reading will tell
  }
  return watched[1].revents == 0;
}

bool StdinBody::read_some() {
  std::vector<char> piece(kPiece);
  const ssize_t count = read(STDIN_FILENO, piece.data(), piece.size());
  const int error = errno;
  if (count < 0 && (error == EINTR || error == EAGAIN)) return true;
  piece.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  const std::lock_guard lock(mutex_);
  bytes_ = std::move(piece);
  given_ = 0;
  if (count == 0) state_ = State::kEnded;
  if (count < 0) {
    state_ = State::kFailed;
    error_ = error;
  }
  return count > 0;
}

}  // namespace hc::hcx
