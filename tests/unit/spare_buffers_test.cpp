#include "model/spare_buffers.h"

#include <gtest/gtest.h>

#include "support/sanitizer.h"

namespace hc {
namespace {

// The one of the process, which other tests have used: so each begins with taking what is there.
class SpareBuffersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test::kAddressSanitizer) GTEST_SKIP() << "not used there";
    for (size_t i = 0; i < SpareBuffers::kMost; ++i) {
      std::string head, body;
      spare.lend(head, body);
    }
  }
  bool has_any() {
    std::string head, body;
    spare.lend(head, body);
    return body.capacity() > std::string().capacity();
  }
  void give(size_t head_size, size_t body_size) {
    std::string head(head_size, 'h');
    std::string body(body_size, 'b');
    spare.take_back(head, body);
  }
  SpareBuffers& spare = SpareBuffers::of_process();
};

TEST_F(SpareBuffersTest, LendsTheRoomAndNothingOfWhatWasThere) {
  give(300, 1000);
  std::string head, body;
  spare.lend(head, body);
  EXPECT_EQ(head, "");
  EXPECT_EQ(body, "");
  EXPECT_GE(head.capacity(), 300U);
  EXPECT_GE(body.capacity(), 1000U);
  EXPECT_FALSE(has_any()) << "lent twice";
}

TEST_F(SpareBuffersTest, TheLastOneInIsTheFirstOneOut) {
  give(300, 1000);
  give(300, 2000);
  std::string head, body;
  spare.lend(head, body);
  EXPECT_GE(body.capacity(), 2000U);
}

TEST_F(SpareBuffersTest, DoesNotKeepLargeOnes) {
  give(300, SpareBuffers::kLargest);
  EXPECT_FALSE(has_any());
}

TEST_F(SpareBuffersTest, KeepsOnlySoMany) {
  for (size_t i = 0; i < SpareBuffers::kMost + 10; ++i) give(100, 100);
  for (size_t i = 0; i < SpareBuffers::kMost; ++i) ASSERT_TRUE(has_any());
  EXPECT_FALSE(has_any());
}

}  // namespace
}  // namespace hc
