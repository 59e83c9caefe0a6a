#include "base/check.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hc {

void invariant_broken(const char* condition, const char* file, int line) noexcept {
  const char* slash = std::strrchr(file, '/');
  std::fprintf(stderr, "libhc: broken invariant: %s (%s:%d). Please report this.\n", condition,
               slash != nullptr ? slash + 1 : file, line);
  std::abort();
}

}  // namespace hc
