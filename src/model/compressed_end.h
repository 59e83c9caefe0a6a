#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hc {

/// Takes the framing off a chunked body that comes in pieces. Of what is not valid only that matters here which libcurl,
/// which gets the same bytes, lets pass: whatever is behind the size of a chunk.
class ChunkReader {
 public:
  /// Takes bytes of `raw` away, and returns the next of the data in them; empty when there are none left.
  std::string_view next(std::string_view* raw);
  /// There was something behind a size that is no extension, or a very long one.
  bool is_broken() const { return state_ == State::kBroken; }

 private:
  enum class State : uint8_t { kSize, kBlanks, kExtension, kReturn, kData, kLineEnd, kTrailer, kBroken };
  void on_framing(char c);
  void on_size(char c);
  void on_behind_size(char c);

  State state_ = State::kSize;
  uint64_t size_ = 0;       // of the chunk, or what is left of it
  size_t behind_size_ = 0;  // bytes on its line
};

/// Goes through the frames and blocks of zstd data (RFC 8878) without decoding them.
class ZstdFrames {
 public:
  void take(std::string_view bytes);
  /// The last frame is at its end.
  bool is_at_end() const { return state_ == State::kMagic && header_.empty() && skip_ == 0 && has_frame_; }

 private:
  enum class State : uint8_t { kMagic, kSkippableSize, kDescriptor, kBlock, kBroken };
  void on_header();
  void on_magic(uint32_t magic);
  void on_descriptor(unsigned descriptor);
  void on_block(uint32_t block);
  void expect(State state, size_t header) {
    state_ = state;
    wanted_ = header;
  }

  State state_ = State::kMagic;
  std::string header_;  // of what comes next, as far as it is here
  size_t wanted_ = 4;   // bytes of it
  uint64_t skip_ = 0;   // bytes of no interest before that
  bool has_checksum_ = false;
  bool has_frame_ = false;
};

/// Tells whether the compressed data of a body came to their own end. libcurl decodes them, and takes what stops early
/// for the whole, as long as the body is as long as it was announced: a short success.
///
/// What the data say about their end: gzip how much they unfold to (RFC 1952), zlib, which is HTTP's "deflate", a sum
/// over it (RFC 1950), zstd which block is the last. Brotli says nothing that could be found without decoding it; nor
/// do raw "deflate" data and a body with several codings.
class CompressedEnd {
 public:
  /// The value of a field Content-Encoding.
  void add_codings(std::string_view value);
  void set_chunked() { is_chunked_ = true; }
  bool has_coding() const { return has_coding_; }
  /// It wants to see the body as it was received.
  bool wants_raw() const { return coding_ != Coding::kOther; }

  void on_raw(std::string_view bytes);
  bool has_bad_chunk() const { return chunks_.is_broken(); }
  void on_decoded(std::string_view bytes);
  /// A body without a byte is whole.
  bool is_whole() const;
  /// As it is called in Content-Encoding.
  const char* name() const;

 private:
  enum class Coding : uint8_t { kOther, kGzip, kDeflate, kZstd };
  void add_coding(std::string_view coding);
  void on_compressed(std::string_view bytes);
  bool has_zlib_header() const;

  Coding coding_ = Coding::kOther;
  bool is_chunked_ = false;
  bool has_coding_ = false;
  ChunkReader chunks_;
  ZstdFrames frames_;
  uint64_t compressed_ = 0;  // bytes
  uint16_t first_two_ = 0;
  uint32_t last_four_ = 0;  // the last one is the lowest
  uint32_t decoded_ = 0;    // bytes, modulo 2^32 as in gzip
  uint32_t sum_ = 1, sum_of_sums_ = 0;
};

}  // namespace hc
