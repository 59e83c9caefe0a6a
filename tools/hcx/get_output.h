// Where the answers of `hcx get` go: files, and standard output.
#pragma once

#include <cstddef>
#include <map>
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

/// Empties the file; '-' is standard output.
Output open_output(const std::string& name);

/// The outputs of all URLs: the n-th name is the n-th URL's, '-' and what has no name is standard output.
///
/// Rules: a file is opened for each answer, emptied by the first one and added to by those that share it; so that no
/// more files are open than answers are on their way.
class Outputs {
 public:
  /// `names` must outlive it. Each URL is fetched `repeat` times.
  Outputs(const std::vector<std::string>& names, std::size_t repeat);

  /// Whether an answer there can be mixed up with another one, and so has to wait for its turn.
  bool is_shared(std::size_t url_index) const;
  Output open(std::size_t url_index);

 private:
  const std::string& name_of(std::size_t url_index) const;

  const std::vector<std::string>& names_;
  std::map<std::string_view, std::size_t> answers_;  // that go to each name
  std::set<std::string_view> begun_;
};

}  // namespace hc::hcx
