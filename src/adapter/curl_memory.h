#pragma once

#include <curl/curl.h>

namespace hc {

/// Where libcurl gets its memory from: malloc, but for what is large and comes and goes while small things stay.
///
/// An easy handle has 6 KB, and before 8.8 each transfer 16 KB more for what it receives. Between the small blocks of idle
/// connections these left holes of 17 KB for each of them, resident until the process ends.
class CurlMemory {
 public:
  /// In place of curl_global_init(). Does only that when the program has initialised libcurl itself.
  static CURLcode init_curl();
  /// An easy handle ended that nobody needed: its memory, and that for one transfer, may go back to the system.
  static void on_handle_ended();
};

}  // namespace hc
