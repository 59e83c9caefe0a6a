#include "event/mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hc {
namespace {

class MailboxTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Poller::create(&poller).is_ok());
    ASSERT_TRUE(Waker::create(&waker).is_ok());
    waker.attach(poller);
    poller.flush();
  }
  void TearDown() override { waker.detach(poller); }

  bool send(int letter) {
    return box.push([letter] { return letter; });
  }
  bool is_awake() {
    poller.wait(0);
    bool is_woken = !poller.found_nothing();
    poller.dispatch();
    return is_woken;
  }
  std::vector<int> drain() {
    std::vector<int> mail;
    box.drain(mail);
    return mail;
  }

  Poller poller;
  Waker waker;
  Mailbox<int> box{waker};
};

TEST_F(MailboxTest, TheWakerWakesOnceForManyCalls) {
  waker.wake();
  waker.wake();
  EXPECT_TRUE(is_awake());
  EXPECT_FALSE(is_awake());
}

TEST_F(MailboxTest, AFullWakerStillWakes) {
  for (int i = 0; i < 100'000; ++i) waker.wake();
  EXPECT_TRUE(is_awake());
  EXPECT_FALSE(is_awake());
}

TEST_F(MailboxTest, MailComesInOrder) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(send(i));
  EXPECT_EQ(drain(), (std::vector{0, 1, 2, 3, 4}));
  EXPECT_TRUE(drain().empty());
}

TEST_F(MailboxTest, WakesOnlyALoopThatSleeps) {
  send(1);
  EXPECT_FALSE(is_awake()) << "a busy loop gets its mail without a system call";
  EXPECT_FALSE(box.prepare_sleep()) << "there is mail";
  drain();
  EXPECT_TRUE(box.prepare_sleep());
  send(2);
  EXPECT_TRUE(is_awake());
  send(3);
  EXPECT_FALSE(is_awake()) << "it was woken already";
  EXPECT_EQ(drain(), (std::vector{2, 3}));
  send(4);
  EXPECT_FALSE(is_awake()) << "draining means being awake";
}

TEST_F(MailboxTest, ALoopThatDozesIsWokenForWhatIsUrgent) {
  auto send_later = [this](int letter) {
    return box.push([letter] { return letter; }, Mailbox<int>::Urgency::kCanWait);
  };
  send_later(1);
  EXPECT_TRUE(box.prepare_sleep(Mailbox<int>::Sleep::kDozing)) << "that can wait";
  send_later(2);
  EXPECT_FALSE(is_awake()) << "it will look by itself";
  send(3);
  EXPECT_TRUE(is_awake());
  EXPECT_FALSE(box.prepare_sleep(Mailbox<int>::Sleep::kDozing)) << "there is something urgent";
  EXPECT_EQ(drain(), (std::vector{1, 2, 3}));
  EXPECT_TRUE(box.prepare_sleep());
  send_later(4);
  EXPECT_TRUE(is_awake()) << "one that sleeps would not look";
}

TEST_F(MailboxTest, AfterDrainingNobodyWakesIt) {
  EXPECT_TRUE(box.prepare_sleep());
  drain();
  send(1);
  EXPECT_FALSE(is_awake());
}

TEST_F(MailboxTest, AClosedBoxTakesNothing) {
  send(1);
  box.close();
  bool was_made = false;
  EXPECT_FALSE(box.push([&] {
    was_made = true;
    return 2;
  }));
  EXPECT_FALSE(was_made);
  EXPECT_EQ(drain(), std::vector{1});
}

TEST_F(MailboxTest, NumbersGivenOutUnderTheLockAreInTheOrderOfTheMail) {
  constexpr int kThreads = 4;
  constexpr int kLetters = 5000;
  int last_number = 0;  // under the box's lock
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kLetters; ++i) box.push([&] { return ++last_number; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int> mail = drain();
  ASSERT_EQ(mail.size(), static_cast<size_t>(kThreads * kLetters));
  for (size_t i = 0; i < mail.size(); ++i) ASSERT_EQ(mail[i], static_cast<int>(i) + 1);
}

TEST_F(MailboxTest, ASleepingLoopNeverMissesMail) {
  constexpr int kThreads = 3;
  constexpr int kLetters = 3000;
  std::atomic<int> sent{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kLetters; ++i) {
        sent.fetch_add(send(i));
        if (i % 16 == 0) std::this_thread::yield();
      }
    });
  }
  int received = 0;
  std::vector<int> mail;
  while (received < kThreads * kLetters) {
    poller.wait(box.prepare_sleep() ? 20 * kSecond : 0);  // a lost wake-up would be that long
    poller.dispatch();
    box.drain(mail);
    received += static_cast<int>(mail.size());
    mail.clear();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent.load(), received);
}

}  // namespace
}  // namespace hc
