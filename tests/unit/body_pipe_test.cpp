#include "model/body_pipe.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace hc {
namespace {

struct Owner final : StreamOwner {
  void on_body_room(hc_id) override { ++rooms; }
  void on_body_abandoned(hc_id) override { ++abandoned; }
  int rooms = 0;
  int abandoned = 0;
};

struct BodyPipeTest : testing::Test {
  std::string read(size_t capacity = 100) {
    std::string bytes(capacity, '\0');
    size_t count = 0;
    last = pipe.read(bytes.data(), capacity, &count).code();
    bytes.resize(last == HC_OK ? count : 0);
    return bytes;
  }
  std::shared_ptr<Owner> owner = std::make_shared<Owner>();
  BodyPipe pipe{10, owner, 7};
  Code last = HC_OK;
};

TEST_F(BodyPipeTest, GivesBytesInOrder) {
  EXPECT_EQ(pipe.put("abc"), BodyPipe::Put::kTaken);
  EXPECT_EQ(pipe.put("def"), BodyPipe::Put::kTaken);
  for (const char* part : {"ab", "cd", "ef"}) EXPECT_EQ(read(2), part);
  EXPECT_EQ(read(), "");
  EXPECT_EQ(last, HC_E_AGAIN);
}

TEST_F(BodyPipeTest, SaysOnceThatTheReaderWaits) {
  EXPECT_EQ(pipe.put("a"), BodyPipe::Put::kTaken) << "nobody has asked";
  read();
  read();
  EXPECT_EQ(last, HC_E_AGAIN);
  EXPECT_EQ(pipe.put("b"), BodyPipe::Put::kTakenAndWanted);
  EXPECT_EQ(pipe.put("c"), BodyPipe::Put::kTaken);
}

TEST_F(BodyPipeTest, IsFullAtItsWindowAndAsksForMoreAtHalf) {
  EXPECT_EQ(pipe.put("0123456789abcdef"), BodyPipe::Put::kTaken) << "one piece may reach beyond";
  EXPECT_EQ(pipe.put("g"), BodyPipe::Put::kFull);
  read(10);
  EXPECT_EQ(owner->rooms, 0) << "6 of 10 are unread";
  read(1);
  EXPECT_EQ(owner->rooms, 1);
  read();
  EXPECT_EQ(owner->rooms, 1) << "told once";
}

TEST_F(BodyPipeTest, ReaderThatWasNeverAheadOfTheWindowIsNotToldOfRoom) {
  pipe.put("0123456789");
  read();
  EXPECT_EQ(owner->rooms, 0);
}

TEST_F(BodyPipeTest, EndComesAfterTheBytes) {
  pipe.put("abc");
  pipe.end(Status(HC_E_INCOMPLETE, "short"), {});
  EXPECT_EQ(read(), "abc");
  read();
  EXPECT_EQ(last, HC_E_INCOMPLETE);
  EXPECT_EQ(pipe.status().code(), HC_E_INCOMPLETE);
}

TEST_F(BodyPipeTest, WholeEndIsOkWithNothing) {
  pipe.end(Status::ok(), {});
  EXPECT_EQ(read(), "");
  EXPECT_EQ(last, HC_OK);
  std::unique_ptr<BodyBlock> block;
  EXPECT_TRUE(pipe.take(&block).is_ok());
  EXPECT_EQ(block, nullptr);
}

TEST_F(BodyPipeTest, TakenBlocksAreWhatIsUnread) {
  pipe.put("abcdef");
  read(2);
  std::unique_ptr<BodyBlock> block;
  ASSERT_TRUE(pipe.take(&block).is_ok());
  EXPECT_EQ(block->unread(), "cdef");
  EXPECT_EQ(pipe.take(&block).code(), HC_E_AGAIN);
}

TEST_F(BodyPipeTest, TakenBlocksNoLongerCount) {
  pipe.put("0123456789");
  ASSERT_EQ(pipe.put("x"), BodyPipe::Put::kFull);
  std::unique_ptr<BodyBlock> block;
  ASSERT_TRUE(pipe.take(&block).is_ok());
  EXPECT_EQ(owner->rooms, 1);
}

TEST_F(BodyPipeTest, AbandonedItTakesEverythingAndKeepsNothing) {
  pipe.put("0123456789");
  pipe.abandon();
  EXPECT_EQ(owner->abandoned, 1);
  EXPECT_EQ(pipe.put(std::string(100, 'x')), BodyPipe::Put::kTaken);
  EXPECT_EQ(pipe.put(std::string(100, 'x')), BodyPipe::Put::kTaken);
}

TEST_F(BodyPipeTest, AbandonedAfterItsEndNobodyIsTold) {
  pipe.end(Status::ok(), {});
  pipe.abandon();
  EXPECT_EQ(owner->abandoned, 0);
}

TEST_F(BodyPipeTest, OutlivesItsOwner) {
  pipe.put("0123456789");
  pipe.put("x");
  owner.reset();
  EXPECT_EQ(read(), "0123456789");
  pipe.abandon();
}

TEST_F(BodyPipeTest, WaitEndsWithBytesOrAnEnd) {
  EXPECT_FALSE(pipe.wait(0));
  std::thread writer([this] { pipe.put("abc"); });
  EXPECT_TRUE(pipe.wait(HC_FOREVER));
  writer.join();
  EXPECT_TRUE(pipe.wait(0));
  read();
  EXPECT_FALSE(pipe.wait(1));
  std::thread ender([this] { pipe.end(Status::ok(), {}); });
  EXPECT_TRUE(pipe.wait(HC_FOREVER - 1)) << "longer than a clock can count";
  ender.join();
}

}  // namespace
}  // namespace hc
