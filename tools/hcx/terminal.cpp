#include "hcx/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace hc::hcx {

namespace {

bool wants_colours() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

[[noreturn]] void fail_out() {
  throw std::runtime_error(std::string("cannot write stdout: ") + std::strerror(errno));
}

}  // namespace

Style::Style(int fd, Colours colours)
    : is_on_(colours == Colours::kOnTerminals && is_terminal(fd) && wants_colours()) {}

std::string Style::with(std::string_view code, std::string_view text) const {
  if (!is_on_) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

bool is_terminal(int fd) { return isatty(fd) == 1; }

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) fail_out();
}

void write_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void occupy_standard_descriptors() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (fcntl(number, F_GETFD) >= 0) continue;
    // The lowest free number is this one. The mode is the wrong one on purpose.
    if (::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY) != number) std::abort();
  }
}

void check_out() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) fail_out();
}

}  // namespace hc::hcx
