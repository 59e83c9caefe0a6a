// One line on a terminal that is rewritten a few times per second; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>

#include "hcx/terminal.h"

namespace hc::hcx {

class Progress {
 public:
  struct State {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::uint64_t open = 0;
    std::uint64_t waiting = 0;
  };
  enum class Mode { kOff, kOnTerminals };

  explicit Progress(Mode mode);
  ~Progress() { erase(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool is_due() const { return is_on_ && Clock::now() >= next_; }
  void show(const State& state);
  void erase();

 private:
  using Clock = std::chrono::steady_clock;

  static void draw(const std::string& text);

  const bool is_on_;
  Style style_;
  bool is_shown_ = false;
  Clock::time_point next_;
  Clock::time_point last_;
  std::uint64_t last_done_ = 0;
  double rate_ = 0;  // per second, smoothed
};

/// The line without colours: at most 79 columns for up to 99,999,999 requests.
std::string progress_text(const Progress::State& state, double rate);

}  // namespace hc::hcx
