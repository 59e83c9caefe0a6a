// What tests that fork have in common.
#pragma once

#include <gtest/gtest.h>

#include <sys/wait.h>

#include <cerrno>

namespace hc::test {

// A child that hangs dies of its alarm.
constexpr unsigned kLongestChildSeconds = 30;

constexpr const char* kNoForksUnderSanitizers =
    "gcc 12's sanitizers do not follow a fork of a program with threads: their own threads are lost in the child, and a "
    "lock of their allocator that another thread held hangs it";

/// Waits for its end, which must be exit(0).
inline void expect_exit(pid_t child) {
  ASSERT_GT(child, 0);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  if (WIFEXITED(status)) {
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

}  // namespace hc::test
