#pragma once

#include <hc/hc.h>

#include <string>

#include "model/config.h"

namespace hc {

/// One line for the operator, if the session has a log hook and wants this level. Outside every lock and libcurl.
class Log {
 public:
  explicit Log(const SessionConfig& config) : config_(config) {}

  bool wants(int32_t level) const { return config_.on_log != nullptr && level <= config_.log_level; }
  void line(int32_t level, const std::string& text) const {
    if (wants(level)) config_.on_log(level, {text.data(), text.size()}, config_.on_log_data);
  }

 private:
  const SessionConfig& config_;
};

}  // namespace hc
