#include "support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "support/eventually.h"

namespace hc::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kChildMark = "HC_TEST_CHILD";

// The descriptor that reads the directory is gone when its link is read.
std::string target_of(const fs::path& link) {
  std::error_code gone;
  fs::path target = fs::read_symlink(link, gone);
  return gone ? std::string() : target.string();
}

std::string read_to_end(int fd) {
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = read(fd, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<size_t>(got));
  return text;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ThreadSanitizer has one of its own from the first thread of the program on.
void start_sanitizers_thread() {
#if defined(__SANITIZE_THREAD__)
  static const bool is_started = [] {
    std::thread([] {}).join();
    return true;
  }();
  static_cast<void>(is_started);
#endif
}

// pthread_join() returns when the kernel has let go of the thread's memory; out of /proc it goes a moment later, which
// is long on a busy machine. `stat` is what follows the name in /proc/self/task/TID/stat, see proc(5).
bool is_exiting(const std::string& stat) {
  constexpr unsigned long kExiting = 0x4;  // PF_EXITING of linux/sched.h, set before the memory is let go of
  std::istringstream fields(stat);
  std::string skipped;
  for (int i = 0; i < 6; ++i) fields >> skipped;  // state, ppid, pgrp, session, tty_nr, tpgid
  unsigned long flags = 0;
  fields >> flags;
  return (flags & kExiting) != 0;
}

std::string describe(const std::map<int, std::string>& descriptors) {
  std::string text;
  for (const auto& [fd, target] : descriptors) text += std::to_string(fd) + " " + target + "\n";
  return text;
}

}  // namespace

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
    std::string target = target_of(entry.path());
    if (target.find("/fd") == std::string::npos && !target.empty()) {
      found.emplace(std::stoi(entry.path().filename()), target);
    }
  }
  return found;
}

std::vector<std::string> thread_names() {
  start_sanitizers_thread();
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/task")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    size_t end = std::getline(file, line) ? line.rfind(')') : std::string::npos;
    if (end == std::string::npos || is_exiting(line.substr(end + 1))) continue;
    size_t begin = line.find('(') + 1;
    names.push_back(line.substr(begin, end - begin));
  }
  return names;
}

LeakCheck::LeakCheck() : descriptors_(open_descriptors()), threads_(thread_count()) {}

LeakCheck::~LeakCheck() {
  EXPECT_TRUE(eventually([this] { return open_descriptors() == descriptors_; }))
      << "before:\n"
      << describe(descriptors_) << "now:\n"
      << describe(open_descriptors());
  EXPECT_TRUE(eventually([this] { return thread_count() == threads_; }))
      << thread_count() << " threads, not " << threads_;
}

bool is_child() { return std::getenv(kChildMark) != nullptr; }

ChildResult run_this_test_in_child(unsigned descriptor_limit,
                                   const std::vector<std::pair<std::string, std::string>>& environment) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string filter = std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    dup2(output[1], 1);
    dup2(output[1], 2);
    setenv(kChildMark, "1", 1);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    rlimit limit{descriptor_limit, descriptor_limit};
    setrlimit(RLIMIT_NOFILE, &limit);
    execl("/proc/self/exe", "child", filter.c_str(), nullptr);
    _exit(127);
  }
  close(output[1]);
  ChildResult result;
  result.output = read_to_end(output[0]);
  close(output[0]);
  result.exit_code = wait_for(child);
  return result;
}

}  // namespace hc::test
