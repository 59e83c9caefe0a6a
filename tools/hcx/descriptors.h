// Reading and writing where somebody else holds the other end.
#pragma once

namespace hc::hcx {

/// After a read or a write that failed: whether to try again; waits for `events` (of poll) where whoever holds the other
/// end has made it non-blocking. If not, errno says why.
bool goes_on(int descriptor, short events);

}  // namespace hc::hcx
