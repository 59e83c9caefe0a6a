// Structs that grow, shown on one that had three lengths.
#include "capi/structs.h"

#include <gtest/gtest.h>

namespace hc::test {
namespace {

struct Grown {
  uint32_t struct_size;
  uint32_t first;   // version 1 ended here: 8 bytes
  uint64_t second;  // version 2: 16 bytes
  uint64_t third;   // today
};

void unset(Grown* grown) { *grown = {0, 10, 20, 30}; }

}  // namespace
}  // namespace hc::test

template <>
inline constexpr std::initializer_list<size_t> hc::capi::kKeptLengths<hc::test::Grown> = {8, 16};

namespace hc::test {
namespace {

TEST(Structs, OnlyLengthsThatOnceWereAreKnown) {
  std::vector<size_t> known;
  for (size_t length = 0; length <= 100; ++length) {
    if (capi::is_length<Grown>(length)) known.push_back(length);
  }
  EXPECT_EQ(known, (std::vector<size_t>{8, 16, sizeof(Grown)}));
}

TEST(Structs, InitFillsWhatThereIs) {
  Grown grown{1, 1, 1, 1};
  EXPECT_EQ(capi::init(&grown, 16), HC_OK);
  EXPECT_EQ(grown.struct_size, 16u);
  EXPECT_EQ(grown.first, 10u);
  EXPECT_EQ(grown.second, 20u);
  EXPECT_EQ(grown.third, 1u) << "beyond the caller's struct";
  EXPECT_EQ(capi::init(&grown, 12), HC_E_INVALID);
  EXPECT_EQ(capi::init(static_cast<Grown*>(nullptr), 16), HC_E_INVALID);
}

TEST(Structs, WhatAnOldCallerLacksIsNotSet) {
  Grown given{8, 1, 2, 3};
  Grown got{};
  ASSERT_TRUE(capi::copy_in(&given, "given", &got).is_ok());
  EXPECT_EQ(got.first, 1u);
  EXPECT_EQ(got.second, 20u);
  EXPECT_EQ(got.third, 30u);
}

TEST(Structs, ANewerCallerIsRefused) {
  Grown given{sizeof(Grown) + 8, 1, 2, 3};
  Grown got{};
  EXPECT_EQ(capi::copy_in(&given, "given", &got).code(), HC_E_INVALID);
  EXPECT_EQ(capi::copy_out(got, "given", &given).code(), HC_E_INVALID);
  EXPECT_EQ(given.first, 1u);
}

TEST(Structs, OutputEndsWhereTheCallersStructDoes) {
  Grown out{16, 1, 1, 1};
  ASSERT_TRUE(capi::copy_out(Grown{0, 5, 6, 7}, "out", &out).is_ok());
  EXPECT_EQ(out.struct_size, 16u);
  EXPECT_EQ(out.first, 5u);
  EXPECT_EQ(out.second, 6u);
  EXPECT_EQ(out.third, 1u);
}

}  // namespace
}  // namespace hc::test
