#include "hcx/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "hcx/format.h"

namespace hc::hcx {

namespace {

constexpr std::chrono::milliseconds kInterval{200};
constexpr std::size_t kBarWidth = 14;

std::string bar(const Progress::State& state) {
  const std::size_t filled = state.total == 0 ? 0 : std::min(state.done * kBarWidth / state.total, kBarWidth);
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "]";
}

}  // namespace

Progress::Progress(Mode mode)
    : is_on_(mode == Mode::kOnTerminals && is_terminal(STDOUT_FILENO)),
      style_(STDOUT_FILENO, Colours::kOnTerminals),
      next_(Clock::now()),
      last_(Clock::now()) {}

// An ornament: that it cannot be drawn, say when the terminal is gone, is nobody's error.
void Progress::draw(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string progress_text(const Progress::State& state, double rate) {
  const std::string total = grouped(state.total);
  return bar(state) + " " + right(grouped(state.done), total.size()) + "/" + total +
         right(fixed(rate, 0), 8) + "/s  " + grouped(state.open) + " open  " + grouped(state.waiting) +
         " waiting";
}

void Progress::show(const State& state) {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - last_).count();
  if (seconds > 0.01) {
    const double current = static_cast<double>(state.done - last_done_) / seconds;
    rate_ = rate_ == 0 ? current : 0.6 * rate_ + 0.4 * current;
  }
  last_ = now;
  last_done_ = state.done;
  next_ = now + kInterval;
  is_shown_ = true;
  draw("\r" + progress_text(state, rate_) + "\x1b[K");
}

void Progress::erase() {
  if (is_shown_) draw("\r\x1b[K");
  is_shown_ = false;
}

}  // namespace hc::hcx
