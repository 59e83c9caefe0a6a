#include "hcx/get_options.h"

#include <algorithm>
#include <filesystem>

#include "hcx/get_option_table.h"
#include "hcx/option_parser.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

constexpr std::string_view kStdin = "-";

// -O. A name is made of the URL as it was given, without what -G and -T add.
void name_outputs(GetOptions& options) {
  for (std::size_t i = 0; i < options.outputs.size(); ++i) {
    if (options.outputs[i] != kNameOfUrl) continue;
    options.outputs[i] = i < options.urls.size() ? file_name_of(options.urls[i]) : "-";
    if (options.outputs[i].empty()) {
      throw UsageError("-O: no file name in " + shown_doubtful_url(options.urls[i]));
    }
  }
}

void move_data_to_urls(GetOptions& options) {
  if (!options.data_in_url || !options.body) return;
  for (std::string& url : options.urls) url = with_query(url, *options.body);
  options.body.reset();
}

void add_upload_name(GetOptions& options) {
  if (!options.upload_file || *options.upload_file == kStdin) return;
  for (std::string& url : options.urls) url = with_file_name(url, *options.upload_file);
}

void check_upload(const GetOptions& options) {
  if (!options.upload_file) return;
  if (options.body) throw UsageError("-T: not together with -d");
  std::error_code ignored;
  if (*options.upload_file != kStdin) {
    if (std::filesystem::is_regular_file(*options.upload_file, ignored)) return;
    throw UsageError("-T: no regular file: " + *options.upload_file);
  }
  if (options.urls.size() * options.repeat != 1) {
    throw UsageError("-T: stdin can be sent to one URL only, and once");
  }
}

void check(const GetOptions& options) {
  if (options.help) return;
  if (options.urls.empty()) throw UsageError("get: no URL");
  if (options.proxy_user && !options.proxy) throw UsageError("-U: only together with -x");
  check_upload(options);
}

}  // namespace

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
  const auto add_url = [&options](const auto& url) { options.urls.push_back(with_scheme(url)); };
  parser.others(add_url);
  parser.value("--url", add_url);
  add_request_options(parser, options);
  add_session_options(parser, options);
  add_route_options(parser, options);
  add_output_options(parser, options);
  parser.parse(arguments);
  if (!options.cookies.empty()) options.headers.push_back({"Cookie", options.cookies, false});
  name_outputs(options);
  move_data_to_urls(options);
  add_upload_name(options);
  check(options);
  return options;
}

}  // namespace hc::hcx
