// What the kernel knows about this process, and tests that need a process of their own.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace hc::test {

/// Descriptor -> what it refers to, as /proc/self/fd tells.
std::map<int, std::string> open_descriptors();
/// Names of the threads of this process, but for those that have ended and are on their way out of the kernel's list.
std::vector<std::string> thread_names();
inline size_t thread_count() { return thread_names().size(); }

/// Remembers descriptors and threads, and checks at the end that they are the same again. It waits a little, since
/// a server in the same process may learn of a close a moment later.
class LeakCheck {
 public:
  LeakCheck();
  ~LeakCheck();
  LeakCheck(const LeakCheck&) = delete;
  LeakCheck& operator=(const LeakCheck&) = delete;

 private:
  std::map<int, std::string> descriptors_;
  size_t threads_;
};

struct ChildResult {
  int exit_code = -1;  // 128 + signal if it was killed
  std::string output;
};

/// True in the process that run_this_test_in_child() started.
bool is_child();
/// Starts this program again, for the test that is running now, with so many descriptors and these environment
/// variables, and waits for its end. A fork alone would not do: the servers' threads would be missing in it.
ChildResult run_this_test_in_child(unsigned descriptor_limit,
                                   const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace hc::test
