// Where the answers of `hcx get` go: files, and standard output.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hcx/get_print.h"
#include "serve/net.h"

namespace hc::hcx {

/// One answer's way out. Rule: the first failure stays, and what comes after it goes nowhere.
class Output {
 public:
  Output() = default;  // goes nowhere
  /// `descriptor` is closed with it, unless that is standard output's.
  Output(int descriptor, std::string name);

  void write(std::string_view text);
  /// Some failures come to light here. Nothing may be written any more.
  void close();
  Reader reader() const;
  bool has_failed() const { return !failure_.empty(); }
  /// "cannot write FILE: No space left on device"
  const std::string& failure() const { return failure_; }

 private:
  void fail();

  std::string name_;
  serve::Fd own_;
  int descriptor_ = -1;
  std::string failure_;
};

/// The outputs of all URLs: the n-th name is the n-th URL's, '-' and what has no name is standard output.
///
/// Rules: a file is opened for each answer, emptied by the first one and added to by those that share it; so that no
/// more files are open than answers are on their way. It is one file whatever names it is called by.
class Outputs {
 public:
  /// `dump` is for the heads of all answers. Each URL is fetched `repeat` times.
  Outputs(const std::vector<std::string>& names, const std::optional<std::string>& dump, std::size_t repeat);

  /// Whether an answer there can be mixed up with another one, or with heads, and so has to wait for its turn.
  bool is_shared(std::size_t url_index) const;
  Output open(std::size_t url_index);
  /// Goes nowhere without a `dump`.
  Output open_dump();

 private:
  const std::string& name_of(std::size_t url_index) const;
  Output open_file(const std::string& name);

  std::vector<std::string> names_;  // one for each file
  std::optional<std::string> dump_;
  std::map<std::string, std::size_t> users_;  // of each name
  std::set<std::string> begun_;
};

}  // namespace hc::hcx
