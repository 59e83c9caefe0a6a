#include "model/request.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "model/body_fields.h"
#include "model/text.h"
#include "model/url.h"

namespace hc {
namespace {

constexpr size_t kMaxHeaderLines = 1000;
constexpr uint64_t kLongestMs = 1000ULL * 3600 * 24 * 365 * 100;

// Collects the header lines in one string, of which one memory block is taken.
class HeaderBlock {
 public:
  HeaderBlock() = default;
  HeaderBlock(const hc_request& args, const SessionConfig& session) {
    size_t size = 80;  // what complete_headers() adds
    for (size_t i = 0; i < args.header_count; ++i)
      size += view(args.headers[i].name).size() + view(args.headers[i].value).size() + 3;
    for (const DefaultHeader& header : session.headers) size += header.name.size() + header.value.size() + 3;
    text_.reserve(size);
  }
  void add(std::string_view name, std::string_view value) {
    text_ += name;
    // libcurl reads "Name:" as "send no such field" and "Name;" as an empty value.
    if (value.empty()) {
      text_ += ';';
    } else {
      text_ += ": ";
      text_ += value;
    }
    end_line();
  }
  void remove(std::string_view name) {
    text_ += name;
    text_ += ':';
    end_line();
  }
  /// One that another block had.
  void add_line(std::string_view line) {
    text_ += line;
    end_line();
  }
  const std::string& text() const { return text_; }
  size_t lines() const { return lines_; }

 private:
  void end_line() {
    text_ += '\0';
    ++lines_;
  }
  std::string text_;
  size_t lines_ = 0;
};

bool has_field(const hc_request& args, std::string_view name) {
  return std::any_of(args.headers, args.headers + args.header_count,
                     [&](const hc_header& header) { return equals_ignoring_case(view(header.name), name); });
}

Status bad_header(size_t index, std::string_view what) {
  return Status::invalid("headers[" + std::to_string(index) + "]: " + std::string(what));
}

// As Content-Length says it; a file's is not known yet.
std::string length_of_body(const hc_request& args) {
  if (!has_body_elsewhere(args)) return std::to_string(args.body.len);
  return args.body_length == HC_UNSET ? "unknown" : std::to_string(args.body_length);
}

Status check_header(const hc_request& args, size_t index) {
  const hc_header& header = args.headers[index];
  if (header.name.data == nullptr || !is_token(view(header.name))) {
    return bad_header(index, "name is not a token");
  }
  if (has_line_break(view(header.value))) return bad_header(index, "value has CR, LF or NUL");
  std::string_view name = view(header.name);
  // Direct, or in a tunnel, it would go to the server.
  if (equals_ignoring_case(name, "proxy-authorization")) {
    return bad_header(index, "Proxy-Authorization belongs into the proxy's URL or into proxy_headers");
  }
  if (equals_ignoring_case(name, "transfer-encoding")) {
    return bad_header(index, "Transfer-Encoding is set by the library");
  }
  if (equals_ignoring_case(name, "content-length") && header.value.data != nullptr &&
      trim(view(header.value)) != length_of_body(args)) {
    return bad_header(index, "Content-Length is not the length of the body");
  }
  return Status::ok();
}

Status check_headers(const hc_request& args) {
  if (args.header_count > kMaxHeaderLines) return Status::invalid("header_count: more than 1000");
  if (args.header_count > 0 && args.headers == nullptr) return Status::invalid("headers: NULL");
  for (size_t i = 0; i < args.header_count; ++i) {
    if (Status status = check_header(args, i); !status.is_ok()) return status;
  }
  return Status::ok();
}

// Methods that are expected to have content say so when they have none (RFC 9110 8.6).
bool anticipates_content(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

void add_headers(const hc_request& args, const SessionConfig& session, const Request& request,
                 HeaderBlock* block) {
  for (size_t i = 0; i < args.header_count; ++i) {
    std::string_view name = view(args.headers[i].name);
    if (request.tells_length && equals_ignoring_case(name, "content-length")) continue;  // libcurl writes it
    if (args.headers[i].value.data == nullptr) {
      block->remove(name);
    } else {
      block->add(name, trim(view(args.headers[i].value)));
    }
  }
  for (const DefaultHeader& header : session.headers) {
    if (!has_field(args, header.name)) block->add(header.name, header.value);
  }
}

// What libcurl would add by itself and nobody asked for, and what the session adds.
void complete_headers(const hc_request& args, const SessionConfig& session, Request* request,
                      HeaderBlock* block) {
  auto is_set_by_session = [&](std::string_view name) {
    return std::any_of(session.headers.begin(), session.headers.end(),
                       [&](const DefaultHeader& header) { return equals_ignoring_case(header.name, name); });
  };
  auto is_set = [&](std::string_view name) { return has_field(args, name) || is_set_by_session(name); };
  if (request->has_body) {
    // libcurl 7.88 adds it to bodies beyond 1 MB
    if (args.expect_continue == HC_ON && !is_set("expect")) block->add("Expect", "100-continue");
    if (args.expect_continue != HC_ON && !is_set("expect")) block->remove("Expect");
  }
  if (request->tells_length && !is_set("content-type")) block->remove("Content-Type");
  request->sends_user_agent = !session.user_agent.empty() && !is_set("user-agent");
  request->asks_for_encodings = request->decompress && !is_set("accept-encoding");
  request->has_own_host = is_set("host");
  request->has_own_accept = is_set("accept");
  if (request->force_close && !is_set("connection")) block->add("Connection", "close");
}

Status parse_addresses(const hc_request& args, std::vector<IpAddress>* out) {
  if (args.address_count > kMaxAddresses) return Status::invalid("address_count: more than 64");
  if (args.address_count > 0 && args.addresses == nullptr) return Status::invalid("addresses: NULL");
  for (size_t i = 0; i < args.address_count; ++i) {
    std::optional<IpAddress> address = IpAddress::parse(view(args.addresses[i]));
    if (!address) return Status::invalid("addresses[" + std::to_string(i) + "]: not a numeric address");
    out->push_back(*address);
  }
  return Status::ok();
}

uint64_t pick(uint64_t own, uint64_t session) { return own == HC_UNSET ? session : own; }

Status pick_timeouts(const hc_timeouts& own, const hc_timeouts& session,
                     std::shared_ptr<const hc_timeouts>* out) {
  static constexpr hc_timeouts kUnset{HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET,
                                      HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET};
  if (std::memcmp(&own, &kUnset, sizeof own) == 0) {
    *out = {std::shared_ptr<void>(), &session};  // not counted: the session outlives its requests
    return Status::ok();
  }
  auto picked = std::make_shared<hc_timeouts>();
  struct Clock {
    const char* name;
    uint64_t hc_timeouts::*length;
  };
  static constexpr Clock kClocks[] = {{"total_ms", &hc_timeouts::total_ms},
                                      {"pool_ms", &hc_timeouts::pool_ms},
                                      {"dns_ms", &hc_timeouts::dns_ms},
                                      {"connect_ms", &hc_timeouts::connect_ms},
                                      {"sock_connect_ms", &hc_timeouts::sock_connect_ms},
                                      {"sock_read_ms", &hc_timeouts::sock_read_ms},
                                      {"sock_write_ms", &hc_timeouts::sock_write_ms},
                                      {"first_byte_ms", &hc_timeouts::first_byte_ms}};
  for (const Clock& clock : kClocks) {
    uint64_t length = own.*clock.length;
    if (length > kLongestMs && length != HC_UNSET && length != HC_FOREVER) {
      return Status::invalid("timeouts." + std::string(clock.name) + ": is longer than 100 years; 0 is none");
    }
    (*picked).*clock.length = pick(length, session.*clock.length);
  }
  *out = std::move(picked);
  return Status::ok();
}

Status pick_flag(uint8_t own, bool session, const char* name, bool* out) {
  if (own != HC_UNSET_FLAG && own != HC_OFF && own != HC_ON) {
    return Status::invalid(std::string(name) + ": neither HC_OFF nor HC_ON");
  }
  *out = own == HC_UNSET_FLAG ? session : own == HC_ON;
  return Status::ok();
}

Method classify(std::string_view name) {
  if (name == "GET") return Method::kGet;
  if (name == "HEAD") return Method::kHead;
  if (name == "POST") return Method::kPost;
  return Method::kOther;
}

bool is_idempotent_method(std::string_view name) {
  constexpr std::string_view kIdempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::find(std::begin(kIdempotent), std::end(kIdempotent), name) != std::end(kIdempotent);
}

Status find_url(std::string_view text, const SessionConfig& session, Url* out) {
  return session.base_url.empty() ? Url::parse(text, out) : Url::resolve(session.base_url, text, out);
}

Status read_answer_fields(const hc_request& args, const SessionConfig& session, Request* request) {
  request->max_redirects = pick(args.max_redirects, session.max_redirects);
  if (request->max_redirects > kMaxRedirects) return Status::invalid("max_redirects: is more than 1000");
  Status status = pick_flag(args.insecure_redirects, session.insecure_redirects, "insecure_redirects",
                            &request->insecure_redirects);
  if (!status.is_ok()) return status;
  return pick_flag(args.decompress, session.decompress, "decompress", &request->decompress);
}

Status read_stream_fields(const hc_request& args, const SessionConfig& session, Request* request) {
  Status status = pick_flag(args.stream, false, "stream", &request->is_streamed);
  if (!status.is_ok()) return status;
  request->max_body = pick(args.max_body, request->is_streamed ? session.max_stream : session.max_body);
  request->body_window = pick(args.body_window, session.body_window);
  if (request->body_window < kMinBodyWindow || request->body_window > kMaxBodyWindow) {
    return Status::invalid("body_window: must be from 1024 to 1073741824");
  }
  if (args.body_window != HC_UNSET && !request->is_streamed) {
    return Status::invalid("body_window: means nothing without stream");
  }
  return Status::ok();
}

Status read_body_kind(const hc_request& args, Request* request) {
  if (Status status = check_body_fields(args); !status.is_ok()) return status;
  if (args.on_release != nullptr)
    request->release = std::make_unique<BodyRelease>(args.on_release, args.body_data);
  request->has_body = has_body_elsewhere(args) || args.body.data != nullptr;
  return Status::ok();
}

Status read_plain_fields(const hc_request& args, const SessionConfig& session, Request* request) {
  request->priority = args.priority;
  if (Status status = read_body_kind(args, request); !status.is_ok()) return status;
  if (args.certificates != HC_UNSET_FLAG) {
    if (args.certificates > HC_CERTIFICATES_PEM) return Status::invalid("certificates: unknown form");
    request->certificates = args.certificates;
  }
  Status status = pick_timeouts(args.timeouts, session.timeouts, &request->timeouts);
  if (!status.is_ok()) return status;
  status = read_stream_fields(args, session, request);
  if (!status.is_ok()) return status;
  status = read_answer_fields(args, session, request);
  if (!status.is_ok()) return status;
  bool expects = false;
  status = pick_flag(args.expect_continue, false, "expect_continue", &expects);
  if (!status.is_ok()) return status;
  status = pick_flag(args.force_close, session.force_close, "force_close", &request->force_close);
  if (!status.is_ok()) return status;
  return pick_flag(args.retry_stale, session.retry_stale, "retry_stale", &request->retry_stale);
}

Status read_credentials(const hc_request& args, const SessionConfig& session, const Url& url,
                        std::string* out) {
  if (args.username.data == nullptr && args.password.data != nullptr)
    return Status::invalid("password: only with username");
  if (args.username.data != nullptr) {
    std::string_view username = view(args.username);
    std::string_view password = view(args.password);
    if (has_line_break(username) || has_line_break(password)) {
      return Status::invalid("username: user or password has CR, LF or NUL");
    }
    if (username.find(':') != std::string_view::npos) return Status::invalid("username: contains a colon");
    *out = std::string(username) + ":" + std::string(password);
  } else if (url.has_userinfo) {
    *out = url.username + ":" + url.password;
  } else {
    *out = session.credentials;
  }
  return Status::ok();
}

// What servers put into a Location against the rules, browsers take, and Url::parse() is too strict for.
std::string spelled_out(std::string_view location) {
  std::string out;
  for (char c : trim(location)) {
    if (c == ' ') {
      out += "%20";
    } else {
      out += c;
    }
  }
  return out;
}

// Without user and password, query and fragment; of what is no http URL only the scheme, for the rest may be all secret.
std::string shown(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  size_t scheme = std::min(url.find_first_of(":/"), url.size());
  bool has_scheme = scheme < url.size() && url[scheme] == ':';
  bool is_http = equals_ignoring_case(url.substr(0, scheme), "http") ||
                 equals_ignoring_case(url.substr(0, scheme), "https");
  if (has_scheme && !is_http) return escaped(url.substr(0, scheme + 1));
  return escaped(url.substr(url.rfind('@') + 1));
}

bool is_bound_to_origin(std::string_view name) {
  constexpr std::string_view kNames[] = {"authorization", "cookie", "proxy-authorization", "host"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [name](std::string_view bound) { return equals_ignoring_case(name, bound); });
}

bool is_about_the_body(std::string_view name) {
  return equals_ignoring_case(name, "expect") || equals_ignoring_case(name.substr(0, 8), "content-");
}

}  // namespace

// What is copied into bytes_.
struct Request::Text {
  std::string_view method;
  const Url& url;
  std::string_view headers;
  size_t header_lines;
  std::string_view credentials;
  std::string_view body;
};

Status Request::create(const hc_request& args, const SessionConfig& session, std::unique_ptr<Request>* out) {
  auto request = std::make_unique<Request>();
  std::string_view method = args.method.data == nullptr ? "GET" : view(args.method);
  if (!is_token(method) || method.size() > 64) return Status::invalid("method: not a token");
  Url url;
  if (Status status = find_url(view(args.url), session, &url); !status.is_ok()) return status;
  if (Status status = read_plain_fields(args, session, request.get()); !status.is_ok()) return status;
  if (Status status = read_wish(args, session.routes, &request->wish); !status.is_ok()) return status;
  request->route = choose_route(request->wish, url);
  if (Status status = check_addresses(args, *request->route); !status.is_ok()) return status;
  // RFC 9110 9.3.2 gives a body there no meaning, and libcurl would wait for one in the answer.
  if (method == "HEAD" && request->has_body) return Status::invalid("body: a HEAD request has none");
  if (Status status = parse_addresses(args, &request->addresses); !status.is_ok()) return status;
  if (Status status = check_headers(args); !status.is_ok()) return status;
  request->tells_length = request->has_body || anticipates_content(method);
  HeaderBlock headers(args, session);
  add_headers(args, session, *request, &headers);
  complete_headers(args, session, request.get(), &headers);
  std::string credentials;
  if (Status status = read_credentials(args, session, url, &credentials); !status.is_ok()) return status;

  bool is_borrowed = args.body_kind == HC_BODY_BORROWED;
  request->keep({method, url, headers.text(), headers.lines(), credentials,
                 is_borrowed ? std::string_view() : view(args.body)});
  if (is_borrowed) request->body = view(args.body);
  *out = std::move(request);
  return Status::ok();
}

void Request::keep(const Text& text) {
  size_t total = text.method.size() + text.url.text.size() + text.url.host.size() + text.headers.size() +
                 text.credentials.size() + text.url.fragment.size() + text.body.size() + 6;
  bytes_ = std::make_unique_for_overwrite<char[]>(total);
  char* end = bytes_.get();
  auto keep = [&end](std::string_view part) {
    std::string_view kept(end, part.size());
    if (!part.empty()) std::memcpy(end, part.data(), part.size());
    end[part.size()] = '\0';
    end += part.size() + 1;
    return kept;
  };
  method = classify(text.method);
  is_idempotent = is_idempotent_method(text.method);
  method_name = keep(text.method);
  url = keep(text.url.text);
  origin_size = static_cast<uint16_t>(text.url.origin_size);
  host = keep(text.url.host);
  credentials = keep(text.credentials);
  fragment = keep(text.url.fragment);
  header_lines = static_cast<uint16_t>(text.header_lines);
  headers = end;
  if (!text.headers.empty()) std::memcpy(end, text.headers.data(), text.headers.size());
  end += text.headers.size();
  body = keep(text.body);
  is_https = text.url.is_https;
  port = text.url.port;
}

Status Request::redirect(const Request& from, int32_t http_status, std::string_view location,
                         std::unique_ptr<Request>* out) {
  Url url;
  std::string base(from.url);
  if (!from.fragment.empty()) base.append("#").append(from.fragment);
  if (Status status = Url::resolve(base, spelled_out(location), &url); !status.is_ok()) {
    return {HC_E_REDIRECT, "Location \"" + shown(location) + "\": " + status.message()};
  }
  if (from.is_https && !url.is_https && !from.insecure_redirects) {
    return {HC_E_REDIRECT, "from https to http (insecure_redirects is off): \"" + shown(url.text) + "\""};
  }
  bool same_origin = from.is_https == url.is_https && from.port == url.port && from.host == url.host;
  // RFC 9110 15.4: what browsers have always done, and aiohttp does.
  bool becomes_get = (http_status == 303 && from.method != Method::kHead) ||
                     ((http_status == 301 || http_status == 302) && from.method == Method::kPost);
  HeaderBlock headers;
  const char* line = from.headers;
  for (size_t i = 0; i < from.header_lines; ++i) {
    std::string_view text(line);
    std::string_view name = text.substr(0, text.find_first_of(":;"));
    bool is_dropped = (!same_origin && is_bound_to_origin(name)) || (becomes_get && is_about_the_body(name));
    if (!is_dropped) headers.add_line(text);
    line += text.size() + 1;
  }
  std::string credentials(same_origin ? from.credentials : "");
  if (url.has_userinfo) credentials = url.username + ":" + url.password;

  auto next = std::make_unique<Request>();
  static_cast<RequestOptions&>(*next) = from;
  if (!same_origin) next->addresses.clear();
  next->route = choose_route(next->wish, url);
  next->keep({becomes_get ? "GET" : from.method_name, url, headers.text(), headers.lines(), credentials, {}});
  if (!becomes_get) {
    next->has_body = from.has_body;
    next->body = from.body;
    next->source = from.source;
    if (!from.can_repeat_body()) {
      return {HC_E_REDIRECT, "the body must go along, and cannot be repeated: there is no on_rewind"};
    }
  }
  next->tells_length = next->has_body || anticipates_content(next->method_name);
  *out = std::move(next);
  return Status::ok();
}

}  // namespace hc
