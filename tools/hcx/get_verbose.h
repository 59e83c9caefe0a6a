// What `hcx get -v` tells of an exchange.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hcx/abi.h"
#include "hcx/get_options.h"
#include "hcx/get_print.h"

namespace hc::hcx {

/// A request on the way to the answer: the one asked for, or what a redirect led to.
struct RequestShown {
  std::string_view url;
  std::string_view method;
  bool is_first_origin = true;  // else nothing went along that is meant for that one alone
  bool has_body = false;
};
/// In order; the last one got the answer.
std::vector<RequestShown> requests_of(std::string_view url, const GetOptions& options,
                                      const hc_response_info& info);

/// As it goes out, as far as that is known here: the library does not tell what it sent. Without secrets.
std::string request_head(const RequestShown& request, const GetOptions& options, Reader reader);

/// What stands before the body, redirects included, and what behind it.
std::string verbose_opening(std::string_view url, const GetOptions& options, const hc_response* response,
                            Reader reader);
std::string verbose_closing(const hc_response_info& info, std::uint64_t received);

}  // namespace hc::hcx
