#include "hcx/get_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "hcx/terminal.h"

namespace hc::hcx {

namespace {

const std::string kStandardOutput = "-";

constexpr unsigned kMemoryDevices = 1;  // major number of /dev/null, /dev/full and their like

// Nothing stays in there that could be mixed up.
bool keeps_nothing(const std::string& name) {
  struct stat what {};
  return stat(name.c_str(), &what) == 0 && S_ISCHR(what.st_mode) && major(what.st_rdev) == kMemoryDevices;
}

// After a write that failed. A pipe may have been made non-blocking by who holds its other end.
bool goes_on(int descriptor) {
  if (errno != EAGAIN) return errno == EINTR;
  pollfd writable{descriptor, POLLOUT, 0};
  return poll(&writable, 1, -1) >= 0 || errno == EINTR;
}

Output open_with(const std::string& name, int start) {
  if (name == kStandardOutput) return {STDOUT_FILENO, "stdout"};
  return {::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | start, 0666), name};
}

}  // namespace

Output open_output(const std::string& name) { return open_with(name, O_TRUNC); }

Output::Output(int descriptor, std::string name) : name_(std::move(name)), descriptor_(descriptor) {
  if (descriptor < 0) fail();
  if (descriptor != STDOUT_FILENO) own_ = serve::Fd(descriptor);
}

void Output::write(std::string_view text) {
  while (descriptor_ >= 0 && !text.empty()) {
    const ssize_t count = ::write(descriptor_, text.data(), text.size());
    if (count < 0 && !goes_on(descriptor_)) fail();
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Output::close() {
  descriptor_ = -1;
  if (own_ && ::close(own_.release()) != 0 && !has_failed()) fail();
}

Reader Output::reader() const { return is_terminal(descriptor_) ? Reader::kTerminal : Reader::kProgram; }

void Output::fail() {
  failure_ = "cannot write " + name_ + ": " + std::strerror(errno);
  descriptor_ = -1;
}

Outputs::Outputs(const std::vector<std::string>& names, std::size_t repeat) : names_(names) {
  for (const std::string& name : names) answers_[name] += repeat;
}

const std::string& Outputs::name_of(std::size_t url_index) const {
  return url_index < names_.size() ? names_[url_index] : kStandardOutput;
}

bool Outputs::is_shared(std::size_t url_index) const {
  const std::string& name = name_of(url_index);
  if (name == kStandardOutput) return true;
  return answers_.at(name) > 1 && !keeps_nothing(name);
}

Output Outputs::open(std::size_t url_index) {
  const std::string& name = name_of(url_index);
  Output output = open_with(name, begun_.contains(name) ? O_APPEND : O_TRUNC);
  if (!output.has_failed()) begun_.insert(name);
  return output;
}

}  // namespace hc::hcx
