#include "model/compressed_end.h"

#include <algorithm>
#include <array>

#include "model/text.h"

namespace hc {
namespace {

constexpr size_t kLongestExtension = 4096;
constexpr size_t kLeastGzip = 18;  // its head and its end
constexpr size_t kLeastZlib = 6;
constexpr uint32_t kZstdMagic = 0xFD2FB528;
constexpr uint32_t kSkippableMagic = 0x184D2A50;  // to ...5F
constexpr uint32_t kAdlerModulus = 65521;
constexpr size_t kAdlerRun = 5552;  // so many bytes before a sum could overflow

unsigned byte_of(char c) { return static_cast<unsigned char>(c); }

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= byte_of(bytes[i]) << (8 * i);
  return value;
}

uint32_t reversed(uint32_t value) {
  return value << 24 | (value & 0xFF00) << 8 | (value >> 8 & 0xFF00) | value >> 24;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char letter = to_lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace

std::string_view ChunkReader::next(std::string_view* raw) {
  while (!raw->empty()) {
    if (state_ == State::kData) {
      std::string_view data = raw->substr(0, size_);
      raw->remove_prefix(data.size());
      size_ -= data.size();
      if (size_ == 0) state_ = State::kLineEnd;
      return data;
    }
    on_framing(raw->front());
    raw->remove_prefix(1);
  }
  return {};
}

void ChunkReader::on_framing(char c) {
  switch (state_) {
    case State::kSize: on_size(c); break;
    case State::kBlanks:
    case State::kExtension:
    case State::kReturn: on_behind_size(c); break;
    case State::kLineEnd:
      if (c == '\n') state_ = State::kSize;
      break;
    case State::kData:
    case State::kTrailer:
    case State::kBroken: break;
  }
}

void ChunkReader::on_size(char c) {
  int digit = hex_digit(c);
  if (digit >= 0) {
    size_ = size_ * 16 + static_cast<unsigned>(digit);
  } else {
    behind_size_ = 0;
    on_behind_size(c);
  }
}

// RFC 9112 7.1.1: blanks, then the end of the line or extensions. What those are is nobody's concern.
void ChunkReader::on_behind_size(char c) {
  bool is_in_extension = state_ == State::kExtension;
  if (c == '\n') {
    state_ = size_ == 0 ? State::kTrailer : State::kData;
  } else if (state_ == State::kReturn || ++behind_size_ > kLongestExtension) {
    state_ = State::kBroken;
  } else if (c == '\r') {
    state_ = State::kReturn;
  } else if (c == ';' || is_in_extension) {
    state_ = State::kExtension;
  } else {
    state_ = c == ' ' || c == '\t' ? State::kBlanks : State::kBroken;
  }
}

void ZstdFrames::take(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kBroken) {
    if (skip_ > 0) {
      size_t skipped = static_cast<size_t>(std::min<uint64_t>(skip_, bytes.size()));
      skip_ -= skipped;
      bytes.remove_prefix(skipped);
      continue;
    }
    size_t taken = std::min(wanted_ - header_.size(), bytes.size());
    header_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (header_.size() == wanted_) on_header();
  }
}

void ZstdFrames::on_header() {
  uint32_t value = little_endian(header_);
  header_.clear();
  switch (state_) {
    case State::kMagic: on_magic(value); break;
    case State::kSkippableSize:
      skip_ = value;
      expect(State::kMagic, 4);
      break;
    case State::kDescriptor: on_descriptor(value); break;
    case State::kBlock: on_block(value); break;
    case State::kBroken: break;
  }
}

void ZstdFrames::on_magic(uint32_t magic) {
  if (magic == kZstdMagic) {
    has_frame_ = true;
    expect(State::kDescriptor, 1);
  } else if ((magic & ~0xFU) == kSkippableMagic) {
    expect(State::kSkippableSize, 4);
  } else {
    state_ = State::kBroken;
  }
}

// RFC 8878 3.1.1.1: what the rest of the frame's header has, of which only the length matters.
void ZstdFrames::on_descriptor(unsigned descriptor) {
  bool is_single_segment = (descriptor >> 5 & 1U) != 0;
  has_checksum_ = (descriptor >> 2 & 1U) != 0;
  constexpr std::array<size_t, 4> kDictionary{0, 1, 2, 4};
  constexpr std::array<size_t, 4> kContentSize{0, 2, 4, 8};
  size_t content_size = kContentSize[descriptor >> 6];
  if (is_single_segment) content_size = std::max<size_t>(content_size, 1);
  skip_ = (is_single_segment ? 0 : 1) + kDictionary[descriptor & 3U] + content_size;
  expect(State::kBlock, 3);
}

// A block that repeats one byte has only that.
void ZstdFrames::on_block(uint32_t block) {
  bool is_last = (block & 1U) != 0;
  bool is_repeated = (block >> 1 & 3U) == 1;
  skip_ = is_repeated ? 1 : block >> 3;
  if (!is_last) return;
  if (has_checksum_) skip_ += 4;
  expect(State::kMagic, 4);
}

void CompressedEnd::add_codings(std::string_view value) {
  for (;;) {
    size_t comma = std::min(value.find(','), value.size());
    add_coding(trim(value.substr(0, comma)));
    if (comma == value.size()) return;
    value.remove_prefix(comma + 1);
  }
}

// "none" is libcurl's other name of "identity".
void CompressedEnd::add_coding(std::string_view coding) {
  if (coding.empty() || equals_ignoring_case(coding, "identity") || equals_ignoring_case(coding, "none"))
    return;
  bool is_first = !has_coding_;
  has_coding_ = true;
  coding_ = Coding::kOther;
  if (!is_first) return;
  if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) coding_ = Coding::kGzip;
  if (equals_ignoring_case(coding, "deflate")) coding_ = Coding::kDeflate;
  if (equals_ignoring_case(coding, "zstd")) coding_ = Coding::kZstd;
}

void CompressedEnd::on_raw(std::string_view bytes) {
  if (!is_chunked_) {
    on_compressed(bytes);
    return;
  }
  for (std::string_view data = chunks_.next(&bytes); !data.empty(); data = chunks_.next(&bytes)) {
    on_compressed(data);
  }
}

void CompressedEnd::on_compressed(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size() && compressed_ + i < 2; ++i) {
    first_two_ = static_cast<uint16_t>(first_two_ << 8 | byte_of(bytes[i]));
  }
  compressed_ += bytes.size();
  if (coding_ == Coding::kZstd) frames_.take(bytes);
  for (char c : bytes.substr(bytes.size() - std::min<size_t>(bytes.size(), 4))) {
    last_four_ = last_four_ << 8 | byte_of(c);
  }
}

void CompressedEnd::on_decoded(std::string_view bytes) {
  decoded_ += static_cast<uint32_t>(bytes.size());
  if (coding_ != Coding::kDeflate) return;
  while (!bytes.empty()) {
    std::string_view run = bytes.substr(0, kAdlerRun);
    bytes.remove_prefix(run.size());
    for (char c : run) {
      sum_ += byte_of(c);
      sum_of_sums_ += sum_;
    }
    sum_ %= kAdlerModulus;
    sum_of_sums_ %= kAdlerModulus;
  }
}

// Some servers send "deflate" without it, and libcurl takes that.
bool CompressedEnd::has_zlib_header() const { return (first_two_ >> 8 & 0xFU) == 8 && first_two_ % 31 == 0; }

bool CompressedEnd::is_whole() const {
  if (compressed_ == 0) return true;
  switch (coding_) {
    case Coding::kGzip: return compressed_ >= kLeastGzip && reversed(last_four_) == decoded_;
    case Coding::kDeflate:
      return !has_zlib_header() || (compressed_ >= kLeastZlib && last_four_ == (sum_of_sums_ << 16 | sum_));
    case Coding::kZstd: return frames_.is_at_end();
    case Coding::kOther: break;
  }
  return true;
}

const char* CompressedEnd::name() const {
  switch (coding_) {
    case Coding::kGzip: return "gzip";
    case Coding::kDeflate: return "deflate";
    case Coding::kZstd: return "zstd";
    case Coding::kOther: break;
  }
  return "";
}

}  // namespace hc
