#include "model/body_block.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace hc {
namespace {

struct BodyBlockTest : testing::Test {
  std::unique_ptr<BodyBlock> make(size_t capacity = BlockPool::kBlock) {
    return std::make_unique<BodyBlock>(capacity, pool);
  }
  std::shared_ptr<BlockPool> pool = std::make_shared<BlockPool>();
};

TEST_F(BodyBlockTest, HoldsWhatIsAppendedUntilItIsSkipped) {
  auto block = make(10);
  block->append("abc");
  block->append("def");
  EXPECT_EQ(block->room(), 4u);
  block->skip(2);
  EXPECT_EQ(block->unread(), "cdef");
}

TEST_F(BodyBlockTest, MemoryIsKeptForTheNextOneWhileAStreamRuns) {
  BlockPool::Stream stream(pool);
  auto first = make();
  const char* bytes = first->unread().data();
  first.reset();
  EXPECT_EQ(pool->kept(), 1u);
  EXPECT_EQ(make()->unread().data(), bytes);
  make(10).reset();
  EXPECT_EQ(pool->kept(), 1u) << "only of one size";
}

TEST_F(BodyBlockTest, NoMoreIsKeptThanTheStreamsNeed) {
  BlockPool::Stream one(pool);
  auto fill = [this] {
    std::vector<std::unique_ptr<BodyBlock>> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(make());
  };
  fill();
  size_t of_one = pool->kept();
  EXPECT_LE(of_one * BlockPool::kBlock, 1u << 20);
  {
    BlockPool::Stream another(pool);
    fill();
    EXPECT_EQ(pool->kept(), 2 * of_one);
  }
  EXPECT_EQ(pool->kept(), of_one);
}

TEST_F(BodyBlockTest, NothingIsKeptWhenNoStreamRuns) {
  make().reset();
  EXPECT_EQ(pool->kept(), 0u);
  BlockPool::Stream stream(pool);
  make().reset();
  stream.end();
  stream.end();
  EXPECT_EQ(pool->kept(), 0u);
}

TEST_F(BodyBlockTest, BlocksOutliveWhoeverElseKnewThePool) {
  auto block = make();
  block->append("abc");
  pool.reset();
  EXPECT_EQ(block->unread(), "abc");
}

}  // namespace
}  // namespace hc
