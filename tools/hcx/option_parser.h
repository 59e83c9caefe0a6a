// Command lines: "-v", "-vk", "-oFILE", "-o FILE", "--limit 5", "--limit=5", "--" and the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hc::hcx {

/// A command line that makes no sense; the text is one line for the user. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class OptionParser {
 public:
  using Flag = std::function<void()>;
  using Value = std::function<void(const std::string&)>;

  /// `names` are separated by spaces, dashes included: "-v --verbose".
  void flag(std::string_view names, Flag apply);
  void value(std::string_view names, Value apply);

  /// What is called with each other argument, among the options in order.
  void others(Value apply) { others_ = std::move(apply); }

  /// Applies the options in order and returns the other arguments, unless others() takes them.
  std::vector<std::string> parse(const std::vector<std::string>& arguments) const;

 private:
  struct Option {
    Flag flag;  // one of the two is set
    Value value;
  };
  using Position = std::vector<std::string>::const_iterator;

  void add(std::string_view names, const Option& option);
  const Option& find(const std::string& name) const;
  Position parse_long(Position at, Position end) const;
  Position parse_short(Position at, Position end) const;

  std::map<std::string, Option, std::less<>> options_;
  Value others_;
};

/// A whole number from `least` to `most`; commas and underscores may group its digits.
std::uint64_t to_number(std::string_view text, std::string_view option, std::uint64_t least = 0,
                        std::uint64_t most = 1'000'000'000);
/// Seconds such as "2" or "0.25", as whole milliseconds, rounded up: 0 only for 0.
std::uint64_t to_milliseconds(std::string_view text, std::string_view option);

}  // namespace hc::hcx
