#include "hcx/get_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "hcx/descriptors.h"
#include "hcx/terminal.h"

namespace hc::hcx {

namespace {

const std::string kStandardOutput = "-";
const std::string kStandardError = "/dev/stderr";

constexpr unsigned kMemoryDevices = 1;  // major number of /dev/null, /dev/full and their like

// Nothing stays in there that could be mixed up.
bool keeps_nothing(const std::string& name) {
  struct stat what {};
  return stat(name.c_str(), &what) == 0 && S_ISCHR(what.st_mode) && major(what.st_rdev) == kMemoryDevices;
}

// Where a file of this name will be made. weakly_canonical() follows no link to what is not there.
std::string place_of(const std::string& name) {
  namespace fs = std::filesystem;
  constexpr int kMostLinks = 40;  // Linux's own limit; opening will tell
  std::error_code error;
  fs::path path = fs::absolute(name, error);
  for (int links = 0; links < kMostLinks && fs::is_symlink(path, error); ++links) {
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  const fs::path place = fs::weakly_canonical(path, error);
  return error ? name : place.string();
}

// The same text for all names of one file: of what is there, its number.
std::string identity_of(const std::string& name) {
  struct stat what {};
  const bool is_there =
      (name == kStandardOutput ? fstat(STDOUT_FILENO, &what) : stat(name.c_str(), &what)) == 0;
  if (!is_there) return place_of(name);
  return std::to_string(what.st_dev) + ":" + std::to_string(what.st_ino);
}

/// One name for each file: standard output's or error's, or else the first that was used for it.
class FileNames {
 public:
  std::string of(const std::string& name) {
    return keeps_nothing(name) ? name : names_.emplace(identity_of(name), name).first->second;
  }

 private:
  std::map<std::string, std::string> names_{{identity_of(kStandardOutput), kStandardOutput},
                                            {identity_of(kStandardError), kStandardError}};
};

}  // namespace

Output::Output(int descriptor, std::string name) : name_(std::move(name)), descriptor_(descriptor) {
  if (descriptor < 0) fail();
  if (descriptor != STDOUT_FILENO) own_ = serve::Fd(descriptor);
}

void Output::write(std::string_view text) {
  while (descriptor_ >= 0 && !text.empty()) {
    const ssize_t count = ::write(descriptor_, text.data(), text.size());
    if (count < 0 && !goes_on(descriptor_, POLLOUT)) fail();
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

Outputs::Outputs(const std::vector<std::string>& names, const std::optional<std::string>& dump,
                 std::size_t repeat) {
  FileNames files;
  for (const std::string& name : names) users_[names_.emplace_back(files.of(name))] += repeat;
  if (dump) ++users_[dump_.emplace(files.of(*dump))];
}

const std::string& Outputs::name_of(std::size_t url_index) const {
  return url_index < names_.size() ? names_[url_index] : kStandardOutput;
}

bool Outputs::is_shared(std::size_t url_index) const {
  const std::string& name = name_of(url_index);
  if (name == kStandardOutput) return true;
  return users_.at(name) > 1 && !keeps_nothing(name);
}

Output Outputs::open(std::size_t url_index) { return open_file(name_of(url_index)); }

Output Outputs::open_dump() { return dump_ ? open_file(*dump_) : Output(); }

Output Outputs::open_file(const std::string& name) {
  if (name == kStandardOutput) return {STDOUT_FILENO, "stdout"};
  if (name == kStandardError) return {fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), name};
  const int start = begun_.contains(name) ? 0 : O_TRUNC;
  Output output(::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_APPEND | start, 0666),
                name);
  if (!output.has_failed()) begun_.insert(name);
  return output;
}

}  // namespace hc::hcx
