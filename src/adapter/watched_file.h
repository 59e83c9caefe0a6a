#pragma once

#include <sys/stat.h>

#include <string>
#include <utility>

#include "base/clock.h"

namespace hc {

/// A small configuration file that may change under us. Looks at most once a second, so that a thousand lookups
/// a second do not cost a thousand stat().
class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  /// True the first time, and when the file is another one than at the last time.
  bool has_changed(TimePoint now) {
    if (now < next_look_) return false;
    next_look_ = now + kSecond;
    Stamp stamp = look();
    return std::exchange(stamp_, stamp) != stamp;
  }
  bool is_there() const { return stamp_.modified != -2; }
  /// It could not be read: the next look finds it changed.
  void look_again() { stamp_ = Stamp{}; }

 private:
  // Editors and resolvconf replace the file: then the inode tells, even when the time stays the same.
  struct Stamp {
    uint64_t inode = 0;
    int64_t modified = -1;  // -2: there is no such file
    int64_t size = 0;
    bool operator==(const Stamp&) const = default;
  };

  Stamp look() const {
    struct stat info {};
    if (stat(path_.c_str(), &info) != 0) return {0, -2, 0};
    return {info.st_ino, info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec, info.st_size};
  }

  std::string path_;
  Stamp stamp_;
  TimePoint next_look_ = 0;
};

}  // namespace hc
