// Runs a command and prints, after its output, what it cost as one line of JSON: COMMAND [ARGUMENT...]
//
// It exists because of ru_maxrss: a process starts with the peak of the one that it was forked from, and the runner
// is written in Python. This one is small.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    execvp(argv[1], argv + 1);
    std::perror(argv[1]);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) return 1;
  std::printf("{\"user_s\": %.6f, \"system_s\": %.6f, \"peak_rss_mb\": %.3f}\n", seconds(usage.ru_utime),
              seconds(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
