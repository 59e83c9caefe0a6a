// What the clients of libhc have in common.
#pragma once

#include <hc/hc.h>

#include <string>

#include "client.h"

namespace bench {

inline void must(hc_status status, const char* what) {
  if (status != HC_OK) die(std::string(what) + ": " + hc_status_name(status));
}

inline hc_str view(const std::string& text) { return {text.data(), text.size()}; }

/// The host in an http or https URL without user, with a port.
inline std::string host_of(const std::string& url) {
  size_t begin = url.find("://") + 3;
  return url.substr(begin, url.find(':', begin) - begin);
}

inline hc_stats stats_of(hc_session* session) {
  hc_stats stats{};
  stats.struct_size = sizeof stats;
  must(hc_session_stats(session, &stats), "stats");
  return stats;
}

}  // namespace bench
