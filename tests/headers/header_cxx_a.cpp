// hc.h compiles as C++11, twice in one file, and defines nothing that header_cxx_b.cpp would define again.
#include <hc/hc.h>

#include <hc/hc.h>

#include <cstdio>
#include <string>

extern "C" long header_c99_version(void);
long header_cxx_b_version();
bool hpp_cxx17_agrees();

int main() {
  const std::string text = std::to_string(HC_VERSION_MAJOR) + "." + std::to_string(HC_VERSION_MINOR) + "." +
                           std::to_string(HC_VERSION_PATCH);
  const bool agree = text == HC_VERSION_STRING && header_c99_version() == HC_VERSION_NUMBER &&
                     header_cxx_b_version() == HC_VERSION_NUMBER && hpp_cxx17_agrees();
  std::printf("%s: C and C++ see version %s\n", agree ? "ok" : "FAILED", HC_VERSION_STRING);
  return agree ? 0 : 1;
}
