#include "model/origin.h"

#include "model/text.h"

namespace hc {

std::string name_of(const OriginKey& key) {
  constexpr size_t kMaxShown = 253;  // the longest host name there can be
  std::string host = escaped(key.host, kMaxShown);
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (key.is_https ? "https://" : "http://") + host + ":" + std::to_string(key.port);
}

}  // namespace hc
