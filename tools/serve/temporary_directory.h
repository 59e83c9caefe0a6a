// Where servers and tests keep files that end with them.
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <string>

#include "serve/net.h"

namespace hc::serve {

/// Makes a fresh directory under TMPDIR (or /tmp), with that at the beginning of its name.
inline std::string make_temporary_directory(const std::string& prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string path = base != nullptr && *base != '\0' ? base : "/tmp";
  path.append("/").append(prefix).append("-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) throw_errno(path);
  return path;
}

}  // namespace hc::serve
