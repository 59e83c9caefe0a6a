#include "hcx/library_traps.h"

#include <algorithm>
#include <iterator>

namespace hc::hcx {

namespace {

constexpr std::uint32_t at(std::uint32_t major, std::uint32_t minor, std::uint32_t patch) {
  return major << 16 | minor << 8 | patch;
}

struct Trap {
  std::uint32_t first;
  std::uint32_t last;
  const char* text;
};

// #N: the project's issue or pull request.
constexpr Trap kCurlTraps[] = {
    {at(8, 2, 0), at(8, 13, 255),
     "an HTTP/2 download that was paused may stall (#16955): 8.14.1 or newer is better"},
    {at(8, 7, 0), at(8, 7, 0), "socket events may be overwritten (#12971): use another version"},
    {at(8, 9, 0), at(8, 9, 1),
     "timers and closing connections may be missed (#13998, #14047, #14252): use another version"},
    {at(8, 13, 0), at(8, 13, 0),
     "connection limits do not hold with a shared pool (#22265), and its socket events were "
     "rebuilt: use 8.14.1 or newer"},
    {at(8, 14, 0), at(8, 14, 0), "many requests at one time may fail (#17473): use 8.14.1 or newer"},
    {at(8, 16, 0), at(8, 16, 0),
     "refuses an unlimited DNS cache age (#18959; libhc goes around it) and remembers passing "
     "DNS errors (#18953): use 8.17 or newer"},
    {at(8, 17, 0), at(8, 17, 255), "remembers passing DNS errors (#18954): use 8.18 or newer"},
    {at(8, 21, 0), at(8, 21, 255),
     "may leak closed sockets when its pool is full (#22306): use 8.22 or newer"},
};

constexpr Trap kAresTraps[] = {
    {at(1, 32, 3), at(1, 34, 4), "CVE-2025-31498, a use after free: update c-ares"},
    {at(1, 34, 6), at(1, 34, 6), "one socket per query after a failure (#1152): use 1.34.7 or newer"},
};

template <std::size_t kCount>
std::vector<std::string> matching(const Trap (&traps)[kCount], std::uint32_t version) {
  std::vector<std::string> found;
  for (const Trap& trap : traps) {
    if (version >= trap.first && version <= trap.last) found.emplace_back(trap.text);
  }
  return found;
}

}  // namespace

std::uint32_t version_in(std::string_view text) {
  std::uint32_t version = 0;
  std::size_t position = std::min(text.find_first_of("0123456789"), text.size());
  for (int shift = 16; shift >= 0; shift -= 8) {
    std::uint32_t part = 0;
    for (; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position) {
      part = std::min<std::uint32_t>(part * 10 + static_cast<std::uint32_t>(text[position] - '0'), 255);
    }
    version |= part << shift;
    if (position >= text.size() || text[position] != '.') break;
    ++position;
  }
  return version;
}

std::vector<std::string> curl_traps(std::uint32_t version) { return matching(kCurlTraps, version); }

std::vector<std::string> ares_traps(std::uint32_t version) { return matching(kAresTraps, version); }

}  // namespace hc::hcx
