#pragma once

namespace hc {

/// Ends the process with the name of a broken invariant of ours. Never for what a caller or a peer did.
[[noreturn]] void invariant_broken(const char* condition, const char* file, int line) noexcept;

}  // namespace hc

/// Stays on in release builds: guards threads, counts and ownership, not hot inner loops.
#define HC_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::hc::invariant_broken(#condition, __FILE__, __LINE__))
