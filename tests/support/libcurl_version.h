// The libcurl that the library found, for what differs between versions.
#pragma once

#include <gtest/gtest.h>
#include <hc/hc.h>

namespace hc::test {

/// As 0x075801 for 7.88.1.
inline uint32_t libcurl_version() {
  hc_runtime_info info{};
  info.struct_size = sizeof info;
  EXPECT_EQ(hc_runtime_get_info(&info), HC_OK);
  return info.curl_version_number;
}

}  // namespace hc::test
