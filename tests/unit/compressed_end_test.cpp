#include "model/compressed_end.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hc {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

// What gzip, zlib and zstd (with and without a checksum) make of "hello hello hello hello".
const std::string kPlain = "hello hello hello hello";
const std::string kGzip =
    bytes({0x1f, 0x8b, 0x8,  0x0,  0x0,  0x0, 0x0,  0x0,  0x2,  0x3,  0xcb, 0x48, 0xcd, 0xc9,
           0xc9, 0x57, 0xc8, 0x40, 0x27, 0x1, 0xe3, 0x51, 0x3d, 0x8d, 0x17, 0x0,  0x0,  0x0});
const std::string kZlib =
    bytes({0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0x1, 0x68, 0x3, 0x8, 0xb1});
const std::string kRawDeflate = bytes({0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0x1});
const std::string kZstd = bytes({0x28, 0xb5, 0x2f, 0xfd, 0x0,  0x58, 0x65, 0x0,  0x0,  0x30, 0x68,
                                 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x1,  0x0,  0x99, 0x4b, 0x11});
const std::string kZstdWithSum =
    bytes({0x28, 0xb5, 0x2f, 0xfd, 0x4, 0x58, 0x65, 0x0,  0x0,  0x30, 0x68, 0x65, 0x6c,
           0x6c, 0x6f, 0x20, 0x1,  0x0, 0x99, 0x4b, 0x11, 0x17, 0x5e, 0xae, 0xd});

/// What `end` says when `received` came in pieces of `piece` bytes and `decoded` came of it.
bool is_whole(std::string_view coding, std::string_view received, std::string_view decoded = kPlain,
              size_t piece = SIZE_MAX, bool is_chunked = false) {
  CompressedEnd end;
  end.add_codings(coding);
  if (is_chunked) end.set_chunked();
  for (; !received.empty(); received.remove_prefix(std::min(piece, received.size()))) {
    end.on_raw(received.substr(0, piece));
  }
  end.on_decoded(decoded);
  return end.is_whole();
}

std::string chunked(std::string_view data, size_t size, std::string_view trailer = "") {
  std::string text;
  for (; !data.empty(); data.remove_prefix(std::min(size, data.size()))) {
    std::string_view chunk = data.substr(0, size);
    char head[32];
    std::snprintf(head, sizeof head, "%zX;x=1\r\n", chunk.size());
    text.append(head).append(chunk).append("\r\n");
  }
  return text.append("0\r\n").append(trailer).append("\r\n");
}

TEST(CompressedEnd, IsSeenWhateverThePieces) {
  for (size_t piece : {size_t{1}, size_t{3}, size_t{1000}}) {
    EXPECT_TRUE(is_whole("gzip", kGzip, kPlain, piece)) << piece;
    EXPECT_TRUE(is_whole("deflate", kZlib, kPlain, piece)) << piece;
    EXPECT_TRUE(is_whole("zstd", kZstd, kPlain, piece)) << piece;
    EXPECT_TRUE(is_whole("zstd", kZstdWithSum, kPlain, piece)) << piece;
  }
}

// What libcurl had decoded by then is all or a part of the text, or nothing.
TEST(CompressedEnd, IsMissedWhereverTheyAreCut) {
  const std::vector<std::pair<const char*, std::string>> all{
      {"gzip", kGzip}, {"x-gzip", kGzip}, {"deflate", kZlib}, {"zstd", kZstd}, {"zstd", kZstdWithSum}};
  for (const auto& [coding, data] : all) {
    for (size_t length = 1; length < data.size(); ++length) {
      for (size_t decoded : {size_t{0}, size_t{7}, kPlain.size()}) {
        bool is_whole_so_far = is_whole(coding, data.substr(0, length), kPlain.substr(0, decoded));
        if (coding == std::string_view("deflate") && length == 1) continue;  // not a header yet
        EXPECT_FALSE(is_whole_so_far) << coding << " cut to " << length << ", decoded " << decoded;
      }
    }
  }
}

TEST(CompressedEnd, IsSeenThroughChunks) {
  for (size_t size : {size_t{1}, size_t{5}, size_t{100}}) {
    for (size_t piece : {size_t{1}, size_t{4}, size_t{1000}}) {
      EXPECT_TRUE(is_whole("gzip", chunked(kGzip, size), kPlain, piece, true));
      EXPECT_TRUE(is_whole("zstd", chunked(kZstd, size, "Sum: 1\r\n"), kPlain, piece, true));
      EXPECT_FALSE(is_whole("gzip", chunked(kGzip.substr(0, kGzip.size() - 1), size), kPlain, piece, true));
    }
  }
}

TEST(CompressedEnd, TellsOfWhatIsNoExtensionBehindASize) {
  auto is_bad = [](std::string_view line) {
    CompressedEnd end;
    end.set_chunked();
    end.on_raw("1\r\nx\r\n");
    for (char c : line) end.on_raw({&c, 1});
    end.on_raw("\r\n" + kGzip);
    return end.has_bad_chunk();
  };
  const std::string longest(4000, 'x');
  for (const std::string& line : {std::string("1c"), std::string("1C \t"), std::string("1c;a"),
                                  std::string("1c ; a=\"b c\" ; d"), "1c;" + longest}) {
    EXPECT_FALSE(is_bad(line)) << line;
  }
  for (const std::string& line :
       {std::string("1czzz"), std::string("1c 1"), std::string("1c\r;a"), std::string("1c;a\rb"),
        std::string("1c,"), std::string("0zzz"), "1c;" + longest + longest}) {
    EXPECT_TRUE(is_bad(line)) << line;
  }
}

TEST(CompressedEnd, BodyWithoutAByteIsWhole) {
  for (const char* coding : {"gzip", "deflate", "zstd"}) EXPECT_TRUE(is_whole(coding, "", "")) << coding;
  EXPECT_TRUE(is_whole("gzip", "0\r\n\r\n", "", SIZE_MAX, true));
}

TEST(CompressedEnd, CannotBeSeenInAllCodings) {
  EXPECT_TRUE(is_whole("br", "any", "thing"));
  EXPECT_TRUE(is_whole("deflate", kRawDeflate.substr(0, 5), "hel")) << "raw deflate has no end of its own";
  CompressedEnd end;
  end.add_codings("gzip");
  end.add_codings("gzip");
  EXPECT_FALSE(end.wants_raw());
  EXPECT_TRUE(is_whole("gzip, br", "any", "thing"));
}

TEST(CompressedEnd, IsThatOfTheOneCodingInAList) {
  for (const char* coding : {"gzip,", ",gzip", " , gzip\t,,", "gzip, identity", "Identity,gzip,none"}) {
    EXPECT_TRUE(is_whole(coding, kGzip)) << coding;
    EXPECT_FALSE(is_whole(coding, kGzip.substr(0, 20))) << coding;
  }
  for (const char* coding : {"", ",", "identity", "gzip, gzip", "gzip, br", "br, gzip"}) {
    EXPECT_TRUE(is_whole(coding, kGzip.substr(0, 20))) << coding;
  }
  CompressedEnd end;
  end.add_codings("identity");
  end.add_codings("gzip");
  end.add_codings("");
  EXPECT_TRUE(end.wants_raw());
}

TEST(CompressedEnd, ZstdMayHaveSeveralFramesAndSkippableOnes) {
  const std::string skippable = bytes({0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3});
  EXPECT_TRUE(is_whole("zstd", skippable + kZstd + skippable + kZstdWithSum));
  EXPECT_FALSE(is_whole("zstd", skippable)) << "nothing but that";
  EXPECT_FALSE(is_whole("zstd", kZstd + skippable.substr(0, 9)));
  const std::string repeated = bytes({0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x40, 0x03, 0x02, 0x00, 'x'});
  EXPECT_TRUE(is_whole("zstd", repeated, std::string(64, 'x')));
  EXPECT_FALSE(is_whole("zstd", repeated.substr(0, 9), ""));
}

TEST(CompressedEnd, WhatIsNoZstdHasNoEnd) { EXPECT_FALSE(is_whole("zstd", "garbage of any kind", "")); }

}  // namespace
}  // namespace hc
