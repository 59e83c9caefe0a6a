#include "hcx/get_options.h"

#include <algorithm>

#include "hcx/get_option_table.h"
#include "hcx/option_parser.h"
#include "hcx/url_text.h"

namespace hc::hcx {

std::string_view GetOptions::method_name() const {
  if (!method.empty()) return method;
  if (head) return "HEAD";
  if (upload_file) return "PUT";
  return body ? "POST" : "GET";
}

bool GetOptions::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const auto& header) { return header.is_named(name); });
}

GetOptions parse_get_options(const std::vector<std::string>& arguments) {
  GetOptions options;
  OptionParser parser;
  add_request_options(parser, options);
  add_session_options(parser, options);
  add_route_options(parser, options);
  add_output_options(parser, options);
  for (const std::string& url : parser.parse(arguments)) options.urls.push_back(with_scheme(url));
  if (options.urls.empty() && !options.help) throw UsageError("get: no URL");
  if (options.body && options.upload_file) throw UsageError("-T: not together with -d");
  return options;
}

}  // namespace hc::hcx
