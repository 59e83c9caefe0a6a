#include "hcx/descriptors.h"

#include <poll.h>

#include <cerrno>

namespace hc::hcx {

bool goes_on(int descriptor, short events) {
  if (errno != EAGAIN) return errno == EINTR;
  pollfd watched{descriptor, events, 0};
  return poll(&watched, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace hc::hcx
