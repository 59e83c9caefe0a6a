#pragma once

namespace hc {

/// AddressSanitizer looks for what is used after its end, and would not see it in memory that is kept for the next one.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace hc
