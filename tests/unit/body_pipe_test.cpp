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
  /// Puts them, and publishes.
  BodyPipe::Put give(std::string_view bytes) {
    BodyPipe::Put put = pipe.put(bytes);
    was_wanted = pipe.publish();
    return put;
  }
  std::shared_ptr<Owner> owner = std::make_shared<Owner>();
  std::shared_ptr<BlockPool> blocks = std::make_shared<BlockPool>();
  BodyPipe pipe{10, blocks, owner, 7};
  bool was_wanted = false;
  Code last = HC_OK;
};

TEST_F(BodyPipeTest, GivesBytesInOrder) {
  EXPECT_EQ(give("abc"), BodyPipe::Put::kTaken);
  EXPECT_EQ(give("def"), BodyPipe::Put::kTaken);
  for (const char* part : {"ab", "cd", "ef"}) EXPECT_EQ(read(2), part);
  EXPECT_EQ(read(), "");
  EXPECT_EQ(last, HC_E_AGAIN);
}

TEST_F(BodyPipeTest, WhatWasPutIsReadableOnceItIsPublished) {
  pipe.put("abc");
  read();
  EXPECT_EQ(last, HC_E_AGAIN);
  pipe.put("def");
  pipe.publish();
  EXPECT_EQ(read(), "abcdef") << "in one piece";
}

TEST_F(BodyPipeTest, HasMuchWhenThreeQuartersOfTheWindowAreGathered) {
  pipe.put("0123456");
  EXPECT_FALSE(pipe.has_much());
  pipe.put("7");
  EXPECT_TRUE(pipe.has_much());
  pipe.publish();
  EXPECT_FALSE(pipe.has_much()) << "its reader has it";
}

TEST_F(BodyPipeTest, HasMuchAt384KilobytesHoweverLargeTheWindow) {
  BodyPipe large(1 << 30, blocks, owner, 8);
  large.put(std::string((384 << 10) - 1, 'x'));
  EXPECT_FALSE(large.has_much());
  large.put("x");
  EXPECT_TRUE(large.has_much());
}

TEST_F(BodyPipeTest, ReaderWhoGotAllInTheMiddleOfATurnIsNotWokenForNothingAtItsEnd) {
  give("01234");
  EXPECT_EQ(read(), "01234");
  read();
  EXPECT_EQ(last, HC_E_AGAIN);
  EXPECT_FALSE(pipe.publish());
  give("5");
  EXPECT_TRUE(was_wanted) << "it waits still";
}

TEST_F(BodyPipeTest, SaysOnceThatTheReaderWaits) {
  give("a");
  EXPECT_FALSE(was_wanted) << "nobody has asked";
  read();
  read();
  EXPECT_EQ(last, HC_E_AGAIN);
  give("b");
  EXPECT_TRUE(was_wanted);
  give("c");
  EXPECT_FALSE(was_wanted);
}

TEST_F(BodyPipeTest, HoldsAtItsWindowAndAsksForMoreAtHalf) {
  EXPECT_EQ(give("012345678"), BodyPipe::Put::kTaken);
  EXPECT_EQ(give("9abcdef"), BodyPipe::Put::kTakenAndHold) << "what is on its way still fits";
  read(10);
  EXPECT_EQ(owner->rooms, 0) << "6 of 10 are unread";
  read(1);
  EXPECT_EQ(owner->rooms, 1);
  read();
  EXPECT_EQ(owner->rooms, 1) << "told once";
}

TEST_F(BodyPipeTest, IsFullAtThreeTimesItsWindow) {
  EXPECT_EQ(pipe.put(std::string(29, 'a')), BodyPipe::Put::kTakenAndHold);
  EXPECT_EQ(pipe.put("b"), BodyPipe::Put::kTakenAndHold);
  EXPECT_EQ(give("c"), BodyPipe::Put::kFull);
  EXPECT_EQ(read(), std::string(29, 'a') + "b");
  EXPECT_EQ(owner->rooms, 1);
  EXPECT_EQ(give("c"), BodyPipe::Put::kTaken);
}

TEST_F(BodyPipeTest, RoomThatWasMadeBeforeTheReaderGotWhatFilledItIsToldOf) {
  give("012345678");
  pipe.put("9");
  EXPECT_EQ(read(), "012345678");
  EXPECT_EQ(owner->rooms, 0) << "it does not hold yet, for all that the reader knows";
  pipe.publish();
  EXPECT_EQ(owner->rooms, 1);
}

TEST_F(BodyPipeTest, SmallPiecesOfManyTurnsTakeLittleMoreThanTheirBytes) {
  BodyPipe large(1 << 20, blocks, owner, 8);
  for (int i = 0; i < 1000; ++i) {
    large.put(std::string(100, 'x'));
    large.publish();
  }
  std::unique_ptr<BodyBlock> block;
  int count = 0;
  for (; large.take(&block).is_ok(); ++count) {
  }
  EXPECT_LE(count, 4);
}

TEST_F(BodyPipeTest, ReaderThatWasNeverAheadOfTheWindowIsNotToldOfRoom) {
  give("012345678");
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
  give("abcdef");
  read(2);
  std::unique_ptr<BodyBlock> block;
  ASSERT_TRUE(pipe.take(&block).is_ok());
  EXPECT_EQ(block->unread(), "cdef");
  EXPECT_EQ(pipe.take(&block).code(), HC_E_AGAIN);
}

TEST_F(BodyPipeTest, TakenBlocksNoLongerCount) {
  ASSERT_EQ(give("0123456789"), BodyPipe::Put::kTakenAndHold);
  std::unique_ptr<BodyBlock> block;
  ASSERT_TRUE(pipe.take(&block).is_ok());
  EXPECT_EQ(owner->rooms, 1);
}

TEST_F(BodyPipeTest, AbandonedItTakesEverythingAndKeepsNothing) {
  give("0123456789");
  pipe.put("gathered");
  pipe.abandon();
  EXPECT_EQ(owner->abandoned, 1);
  EXPECT_FALSE(pipe.publish());
  EXPECT_EQ(pipe.put(std::string(100, 'x')), BodyPipe::Put::kTaken);
  EXPECT_EQ(pipe.put(std::string(100, 'x')), BodyPipe::Put::kTaken);
}

TEST_F(BodyPipeTest, AbandonedAfterItsEndNobodyIsTold) {
  pipe.end(Status::ok(), {});
  pipe.abandon();
  EXPECT_EQ(owner->abandoned, 0);
}

TEST_F(BodyPipeTest, OutlivesItsOwner) {
  give("0123456789");
  owner.reset();
  EXPECT_EQ(read(), "0123456789");
  pipe.abandon();
}

TEST_F(BodyPipeTest, WaitEndsWithBytesOrAnEnd) {
  EXPECT_FALSE(pipe.wait(0));
  std::thread writer([this] { give("abc"); });
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
