// The answer to one request as a list of steps: written by ResponseWriter, carried out by Connection.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/exchange.h"

namespace hc::serve {

struct Step {
  enum class Kind {
    kBytes,    // `amount` of Script::bytes
    kPattern,  // `amount` of the pattern from `offset` on
    kWait,     // `amount` milliseconds
    kEnd,      // the connection, by `ending`
    kHang,
  };
  Kind kind = Kind::kBytes;
  std::uint64_t amount = 0;
  std::uint64_t offset = 0;
  Ending ending = Ending::kClose;
};

/// Reused from request to request, so that the usual answer allocates nothing.
struct Script {
  std::string bytes;            // of all kBytes steps, one after the other
  std::size_t bytes_taken = 0;  // of `bytes`, by steps already done
  std::vector<Step> steps;
  std::size_t next = 0;  // index of the first step not done
  ResponseWriter::Generator generator;

  // What heads must say; set by the connection from the request.
  bool is_head_request = false;
  bool closes = false;           // "Connection: close", and the connection ends after the last step
  bool says_keep_alive = false;  // an HTTP/1.0 client asked for it
  std::uint32_t keep_alive_seconds = 0;
  std::string extra_headers;  // for the next head

  void clear();
  bool has_steps() const { return next < steps.size(); }
  Step& front() { return steps[next]; }

  /// Fills `views` with the bytes that are due now, up to the next step of another kind; returns how many
  /// views.
  std::size_t gather(iovec* views, std::size_t capacity) const;
  /// Takes `count` gathered bytes off.
  void take(std::size_t count);
  void finish_step();
};

/// A stretch of the pattern at `offset`, at least 64 KiB long and valid forever.
std::string_view pattern_stretch(std::uint64_t offset);
std::string_view reason_phrase(int status);

}  // namespace hc::serve
