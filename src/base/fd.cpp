#include "base/fd.h"

#include <sys/eventfd.h>

#include <cerrno>

namespace hc {

int descriptor_shortage() {
  Fd probe(eventfd(0, EFD_CLOEXEC));
  return !probe.is_open() && (errno == EMFILE || errno == ENFILE) ? errno : 0;
}

}  // namespace hc
