#pragma once

#include <string>

#include "base/spares.h"

namespace hc {

/// The memory of heads and bodies that were freed, for those to come.
class SpareBuffers {
 public:
  static constexpr size_t kMost = 256;
  static constexpr size_t kLargest = 16 << 10;  // of both together

  static SpareBuffers& of_process() { return of_process_; }

  /// Gives two empty strings some room, if there is any.
  void lend(std::string& head, std::string& body) noexcept;
  /// They are not needed any more.
  void take_back(std::string& head, std::string& body) noexcept;

 private:
  struct Pair {
    std::string head;
    std::string body;
  };

  static SpareBuffers& of_process_;
  Spares<Pair> spares_{kMost};
};

}  // namespace hc
