// What a terminal can do, and text for it.
#pragma once

#include <string>
#include <string_view>

namespace hc::hcx {

enum class Colours { kNever, kOnTerminals };

/// Text with emphasis, or without where nobody could see it: not a terminal, TERM=dumb, or NO_COLOR is set.
class Style {
 public:
  Style(int fd, Colours colours);

  std::string bold(std::string_view text) const { return with("1", text); }
  std::string dim(std::string_view text) const { return with("2", text); }
  std::string red(std::string_view text) const { return with("1;31", text); }
  std::string green(std::string_view text) const { return with("32", text); }
  std::string yellow(std::string_view text) const { return with("33", text); }

 private:
  std::string with(std::string_view code, std::string_view text) const;

  bool is_on_;
};

bool is_terminal(int fd);
/// To stdout, at once. Throws std::runtime_error when it cannot be written.
void write_out(std::string_view text);
/// To stderr, at once. There is nobody to tell when that fails.
void write_error(std::string_view text);

/// Opens /dev/null for each of stdin, stdout and stderr that is closed, or the next socket or file would take its
/// number, and with it what is meant for the user. Reading and writing fail as before.
void occupy_standard_descriptors();
/// Throws std::runtime_error when something that was written to stdout did not get there.
void check_out();

}  // namespace hc::hcx
