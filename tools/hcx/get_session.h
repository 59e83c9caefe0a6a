// From the options of `hcx get` to what the library takes.
#pragma once

#include <vector>

#include "hcx/abi.h"
#include "hcx/get_options.h"

namespace hc::hcx {

/// Throws UsageError for an option that makes no sense, and Refused for what does not work here.
Session open_session(const GetOptions& options);

/// What all requests have in common. Views into the options, which must outlive it.
class RequestTemplate {
 public:
  explicit RequestTemplate(const GetOptions& options);
  RequestTemplate(const RequestTemplate&) = delete;
  RequestTemplate& operator=(const RequestTemplate&) = delete;

  hc_request request;

 private:
  void add_headers(const GetOptions& options);
  void add_body(const GetOptions& options);

  std::vector<hc_header> headers_;
};

}  // namespace hc::hcx
