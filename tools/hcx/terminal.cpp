#include "hcx/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace hc::hcx {

namespace {

bool wants_colours() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

void write_to(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

}  // namespace

Style::Style(int fd, Colours colours)
    : is_on_(colours == Colours::kOnTerminals && is_terminal(fd) && wants_colours()) {}

std::string Style::with(std::string_view code, std::string_view text) const {
  if (!is_on_) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

bool is_terminal(int fd) { return isatty(fd) == 1; }

void write_out(std::string_view text) { write_to(stdout, text); }

void write_error(std::string_view text) { write_to(stderr, text); }

}  // namespace hc::hcx
