// What the benchmark clients have in common: arguments, clocks, memory, and one line of JSON at the end.
//
//   PROGRAM POSITIONAL... [KEY=VALUE...]
#pragma once

#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

[[noreturn]] inline void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

class Arguments {
 public:
  Arguments(int argc, char** argv, size_t positional) {
    for (int i = 1; i < argc; ++i) add(argv[i], positional);
    if (positional_.size() != positional) die(std::to_string(positional) + " arguments are needed");
  }

  const std::string& at(size_t place) const { return positional_[place]; }
  long number(size_t place) const { return std::atol(positional_[place].c_str()); }
  std::string text(const std::string& key) const {
    auto found = keys_.find(key);
    return found == keys_.end() ? "" : found->second;
  }
  bool has(const std::string& key) const { return keys_.count(key) > 0; }
  long number(const std::string& key, long otherwise) const {
    return has(key) ? std::atol(text(key).c_str()) : otherwise;
  }

 private:
  void add(const std::string& argument, size_t positional) {
    if (positional_.size() < positional) {
      positional_.push_back(argument);
      return;
    }
    size_t equals = argument.find('=');
    if (equals == std::string::npos) die("not KEY=VALUE: " + argument);
    keys_[argument.substr(0, equals)] = argument.substr(equals + 1);
  }

  std::vector<std::string> positional_;
  std::map<std::string, std::string> keys_;
};

inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

struct Memory {
  double resident = 0;   // bytes, as the kernel counts them
  double allocated = 0;  // bytes that malloc has given out

  static Memory now() {
    long pages = 0;
    if (FILE* statm = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(statm, "%*d %ld", &pages) != 1) pages = 0;
      std::fclose(statm);
    }
    const auto in_use = mallinfo2();
    return {static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)),
            static_cast<double>(in_use.uordblks) + static_cast<double>(in_use.hblkhd)};
  }
};

class Report {
 public:
  void add(const char* key, double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.3f", value);
    line_ += (line_.empty() ? "\"" : ", \"") + std::string(key) + "\": " + text;
  }
  void print() const { std::printf("{%s}\n", line_.c_str()); }

 private:
  std::string line_;
};

}  // namespace bench
