// Reads request heads and the framing of request bodies. Strict: what a careless proxy would accept is an
// error here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/exchange.h"

namespace hc::serve {

enum class BodyFraming { kNone, kLength, kChunked };

/// A parsed head; all views point into the text that was parsed. Reused from request to request.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::string_view path;
  std::string_view query;
  std::string_view head;
  std::vector<HeaderView> headers;
  BodyFraming framing = BodyFraming::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

enum class ParseResult { kComplete, kIncomplete, kBad, kTooLarge };

constexpr std::size_t kMaxHeadBytes = 1u << 20;

/// Parses the head at the start of `input`, after empty lines if there are any. On kComplete `consumed` is
/// how many bytes the head took, with those lines.
ParseResult parse_head(std::string_view input, RequestHead& head, std::size_t& consumed);

/// Takes the framing of one request body away, piece by piece.
class BodyReader {
 public:
  enum class Status { kMore, kDone, kBad };

  void start(const RequestHead& head);
  /// Consumes from `input`; `data` receives the next stretch of body bytes in it, which may be empty. Call
  /// again with the rest of the input until it is empty or the status is not kMore.
  Status read(std::string_view input, std::size_t& consumed, std::string_view& data);

 private:
  enum class State { kData, kSizeLine, kChunkData, kChunkEnd, kTrailer };

  Status read_line(std::string_view input, std::size_t& consumed);
  Status end_of_line();
  bool parse_size_line();

  State state_ = State::kData;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::string line_;
};

}  // namespace hc::serve
