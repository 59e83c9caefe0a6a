#include "hcx/get_verbose.h"

#include <sys/stat.h>

#include <array>
#include <optional>
#include <utility>

#include "hcx/format.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

// libhc says that they have none.
bool anticipates_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

/// The connection that carried one of the requests on the way.
struct ConnectionShown {
  std::uint64_t number = 0;  // 0: none was ready
  bool is_reused = false;
  std::string address;  // empty: a unix socket
  std::uint16_t port = 0;
  std::size_t attempts = 0;
};

ConnectionShown connection_of(const hc_response* response, std::size_t hop) {
  ConnectionShown shown;
  hc_attempt attempt{};
  attempt.struct_size = sizeof attempt;
  for (std::size_t i = 0; hc_response_attempt(response, i, &attempt) == HC_OK; ++i) {
    if (attempt.hop != hop) continue;
    ++shown.attempts;
    if (attempt.timing.ready_ns == HC_UNSET || (shown.number != 0 && attempt.status != HC_OK)) continue;
    shown.number = attempt.connection;
    shown.is_reused = attempt.reused == HC_ON;
    shown.address = view(attempt.address);
    shown.port = attempt.port;
  }
  return shown;
}

std::string address_text(const ConnectionShown& connection) {
  if (connection.address.empty()) return "the unix socket";
  const bool is_v6 = connection.address.find(':') != std::string::npos;
  return (is_v6 ? "[" + connection.address + "]" : connection.address) + ":" +
         std::to_string(connection.port);
}

std::string connection_text(const ConnectionShown& connection) {
  if (connection.number == 0) return "* No connection\n";
  return "* Connection #" + std::to_string(connection.number) +
         (connection.is_reused ? ", reused, to " : ", new, to ") + address_text(connection) +
         (connection.attempts > 1 ? ", attempt " + std::to_string(connection.attempts) : "") + "\n";
}

std::string phases_text(const Phases& phases) {
  const std::array<std::pair<const char*, std::uint64_t>, 7> parts{{{"waited", phases.waited},
                                                                    {"dns", phases.dns},
                                                                    {"connect", phases.connect},
                                                                    {"tls", phases.tls},
                                                                    {"sent", phases.sent},
                                                                    {"first byte", phases.first_byte},
                                                                    {"done", phases.done}}};
  std::string text = "* " + milliseconds(phases.total) + " ms:";
  for (const auto& [name, ns] : parts) {
    if (ns != HC_UNSET) text += std::string(" ") + name + " " + milliseconds(ns) + ",";
  }
  text.back() = '\n';
  return text;
}

bool is_same_origin(std::string_view one, std::string_view other) {
  const UrlText first = split_url(one);
  const UrlText second = split_url(other);
  return equals_ignoring_case(first.scheme, second.scheme) &&
         equals_ignoring_case(first.authority, second.authority);
}

// As the library follows: RFC 9110 15.4, and what browsers have always done.
bool becomes_get(const hc_hop& hop) {
  const std::string_view method = view(hop.method);
  if (hop.http_status == 303) return method != "HEAD";
  return (hop.http_status == 301 || hop.http_status == 302) && method == "POST";
}

bool is_bound_to_origin(const HeaderArgument& header) {
  return header.is_named("Authorization") || header.is_named("Cookie") || header.is_named("Host");
}

bool is_about_the_body(const HeaderArgument& header) {
  return header.is_named("Expect") || equals_ignoring_case(header.name.substr(0, 8), "Content-");
}

// What libcurl adds to --compressed, in its order.
std::string encodings() {
  constexpr std::array<std::pair<std::string_view, const char*>, 3> kCodings{
      {{"gzip", "deflate, gzip"}, {"br", "br"}, {"zstd", "zstd"}}};
  const std::string features = " " + std::string(view(runtime_info().curl_features)) + " ";
  std::string text;
  for (const auto& [feature, names] : kCodings) {
    if (features.find(" " + std::string(feature) + " ") == std::string::npos) continue;
    text += (text.empty() ? "" : ", ") + std::string(names);
  }
  return text;
}

/// Whether a plain proxy passes the request on, which then names its whole URL. Who decides with lists and the
/// environment is the library.
enum class Forwarding { kNo, kYes, kPerhaps };

Forwarding forwarding_of(std::string_view url, const GetOptions& options) {
  if (!url.starts_with("http://") || options.unix_path) return Forwarding::kNo;
  if (!options.proxy) return options.trust_env ? Forwarding::kPerhaps : Forwarding::kNo;
  if (options.proxy->empty() || options.proxy->starts_with("socks5")) return Forwarding::kNo;
  const bool is_certain = options.no_proxy ? options.no_proxy->empty() : !options.trust_env;
  return is_certain ? Forwarding::kYes : Forwarding::kPerhaps;
}

std::optional<std::string> length_of_body(const GetOptions& options) {
  if (options.body) return std::to_string(options.body->size());
  struct stat file {};
  if (!options.upload_file || stat(options.upload_file->c_str(), &file) != 0) return std::nullopt;
  return std::to_string(file.st_size);
}

/// Lines of a request head; what the user wrote or removed with -H is left to that.
class HeadLines {
 public:
  HeadLines(const RequestShown& request, const GetOptions& options, Reader reader)
      : request_(request), options_(options), reader_(reader) {}

  void add(std::string_view name, std::string_view value) {
    text_ += "> " + shown(name, reader_) + ": " + shown(value, reader_) + "\n";
  }
  void add_automatic(std::string_view name, std::string_view value) {
    if (!options_.has_header(name)) add(name, value);
  }
  void add(const HeaderArgument& given) {
    add(given.name, is_secret(given.name) ? kNotShown : std::string_view(given.value));
  }
  void add_proxy_fields();
  void add_given();
  void add_body_fields();
  std::string text() && { return std::move(text_); }

 private:
  const RequestShown& request_;
  const GetOptions& options_;
  const Reader reader_;
  std::string text_;
};

void HeadLines::add_proxy_fields() {
  if (forwarding_of(request_.url, options_) != Forwarding::kYes) return;
  const bool has_user = options_.proxy_user || !split_url(with_scheme(*options_.proxy)).userinfo.empty();
  if (has_user) add("Proxy-Authorization", kNotShown);
  add_automatic("Proxy-Connection", "Keep-Alive");
  for (const HeaderArgument& header : options_.proxy_headers) add(header);
}

void HeadLines::add_given() {
  for (const HeaderArgument& header : options_.headers) {
    if (header.is_removal || (!request_.is_first_origin && is_bound_to_origin(header))) continue;
    if (!request_.has_body && options_.has_body() && is_about_the_body(header)) continue;
    add(header);
  }
}

void HeadLines::add_body_fields() {
  if (request_.has_body && options_.upload_file == "-") {
    add_automatic("Transfer-Encoding", "chunked");
  } else if (request_.has_body) {
    if (const auto length = length_of_body(options_)) add_automatic("Content-Length", *length);
  } else if (anticipates_body(request_.method)) {
    add_automatic("Content-Length", "0");
  }
}

}  // namespace

std::vector<RequestShown> requests_of(std::string_view url, const GetOptions& options,
                                      const hc_response_info& info) {
  std::vector<RequestShown> requests;
  RequestShown next{url, options.method_name(), true, options.has_body()};
  for (std::size_t i = 0; i < info.history_count; ++i) {
    const hc_hop& hop = info.history[i];
    requests.push_back(next);
    next.url = i + 1 < info.history_count ? view(info.history[i + 1].url) : view(info.url);
    next.is_first_origin = next.is_first_origin && is_same_origin(view(info.history[0].url), next.url);
    if (!becomes_get(hop)) continue;
    next.method = "GET";
    next.has_body = false;
  }
  requests.push_back(next);
  return requests;
}

std::string request_head(const RequestShown& request, const GetOptions& options, Reader reader) {
  const UrlText text = split_url(request.url);
  const bool is_whole = forwarding_of(request.url, options) == Forwarding::kYes;
  const std::string target = is_whole ? shown_url(request.url) : shown(text.target, reader);
  const std::string line = "> " + std::string(request.method) + " " + target + " HTTP/1.1\n";
  HeadLines lines(request, options, reader);
  if (!request.is_first_origin || !options.has_header("Host")) lines.add("Host", text.authority);
  const bool has_credentials = !text.userinfo.empty() || (options.user && request.is_first_origin);
  if (has_credentials) lines.add_automatic("Authorization", "Basic " + std::string(kNotShown));
  lines.add_automatic("Accept", "*/*");
  lines.add_proxy_fields();
  lines.add_given();
  if (options.body && request.has_body) {
    lines.add_automatic("Content-Type", "application/x-www-form-urlencoded");
  }
  const std::string agent = options.user_agent.value_or(std::string("libhc/") + hc_version());
  if (!agent.empty()) lines.add_automatic("User-Agent", agent);
  if (options.compressed) lines.add_automatic("Accept-Encoding", encodings());
  lines.add_body_fields();
  const bool is_unsure = forwarding_of(request.url, options) == Forwarding::kPerhaps;
  return line + std::move(lines).text() + "> \n" +
         (is_unsure ? "* A proxy that passes this on gets the whole URL, and fields of its own\n" : "");
}

std::string verbose_opening(std::string_view url, const GetOptions& options, const hc_response* response,
                            Reader reader) {
  const hc_response_info info = info_of(response);
  const std::vector<RequestShown> requests = requests_of(url, options, info);
  std::string text = "* " + shown_url(url) + "\n";
  const HeadStyle style{"< ", "\n", reader, Secrets::kHidden};
  for (std::size_t i = 0; i <= info.history_count; ++i) {
    const ConnectionShown connection = connection_of(response, i);
    text += connection_text(connection);
    if (connection.number != 0) text += request_head(requests[i], options, reader);
    if (i < info.history_count) text += redirect_head(info, i, style);
  }
  if (info.http_status != 0) text += response_head(info, style);
  return text;
}

std::string verbose_closing(const hc_response_info& info, std::uint64_t received) {
  const std::string body = info.http_status != 0 ? "* " + plural(received, "byte") + " of body\n" : "";
  return body + phases_text(phases_of(info.timing));
}

}  // namespace hc::hcx
