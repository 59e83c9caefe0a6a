// The FORMAT of `hcx get -w`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hcx/abi.h"

namespace hc::hcx {

/// One URL's outcome, as far as FORMAT can ask for it.
struct Transfer {
  std::string_view url;                   // as asked for
  std::string_view method;                // the same
  const hc_response* response = nullptr;  // null: the request was refused
  hc_response_info info{};
  std::uint64_t received = 0;  // bytes of the body
  int exit_code = 0;
  std::string_view message;  // empty without a failure
};

class WriteOut {
 public:
  /// Throws UsageError for a variable that is not known.
  explicit WriteOut(std::string_view format);

  struct Text {
    std::string out;
    std::string error;  // what follows %{stderr}
  };
  Text of(const Transfer& transfer) const;

 private:
  using Value = std::string (*)(const Transfer&);
  enum class Kind { kText, kValue, kToOut, kToError };
  struct Piece {
    Kind kind;
    std::string text;
    Value value = nullptr;
  };
  struct Variable {
    std::string_view name;
    Value value;
  };
  static const std::vector<Variable>& variables();
  static Piece piece_of(std::string_view name);
  void add_text(std::string_view text);

  std::vector<Piece> pieces_;
};

}  // namespace hc::hcx
