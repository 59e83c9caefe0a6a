#include "adapter/proxy_error.h"

#include <string>
#include <system_error>

#include "model/text.h"

namespace hc {
namespace {

struct Reply {
  CURLproxycode code;
  int number;  // RFC 1928 6
  const char* text;
};
constexpr Reply kReplies[] = {
    {CURLPX_REPLY_GENERAL_SERVER_FAILURE, 1, "general failure"},
    {CURLPX_REPLY_NOT_ALLOWED, 2, "not allowed by its rules"},
    {CURLPX_REPLY_NETWORK_UNREACHABLE, 3, "network unreachable"},
    {CURLPX_REPLY_HOST_UNREACHABLE, 4, "host unreachable"},
    {CURLPX_REPLY_CONNECTION_REFUSED, 5, "connection refused"},
    {CURLPX_REPLY_TTL_EXPIRED, 6, "TTL expired"},
    {CURLPX_REPLY_COMMAND_NOT_SUPPORTED, 7, "command not supported"},
    {CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, 8, "address type not supported"},
};

Status socks_failure(CURL* easy, const CurlFailure& failure, const std::string& who) {
  long code = CURLPX_OK;
  curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &code);
  for (const Reply& reply : kReplies) {
    if (reply.code != code) continue;
    return Status(HC_E_PROXY, who + " could not reach the server: " + reply.text)
        .with_native(HC_NATIVE_PROXY, reply.number);
  }
  bool is_login = code == CURLPX_USER_REJECTED || code == CURLPX_NO_AUTH;
  std::string text = is_login ? "refused our user and password, or wants some" : escaped(failure.text, 120);
  return Status(HC_E_PROXY, who + ": " + text).with_native(HC_NATIVE_CURL, failure.code);
}

Status connect_failure(const CurlFailure& failure, const std::string& who) {
  Status status(HC_E_PROXY, who + ": connect failed");
  if (failure.os_errno == 0) return status.with_native(HC_NATIVE_CURL, failure.code);
  std::string reason = std::generic_category().message(static_cast<int>(failure.os_errno));
  return Status(HC_E_PROXY, who + ": connect failed: " + reason)
      .with_native(HC_NATIVE_ERRNO, failure.os_errno);
}

// It said yes, and then too much, or not all that belongs to it.
Status broken_head(const CurlFailure& failure, const std::string& who) {
  return Status(HC_E_PROXY, who + " did not end its answer to CONNECT: " + escaped(failure.text, 120))
      .with_native(HC_NATIVE_CURL, failure.code);
}

}  // namespace

std::optional<Status> proxy_failure(CURL* easy, const CurlFailure& failure, const Proxy& proxy,
                                    bool has_tunnel) {
  std::string who = "proxy " + proxy.name() + " (" + failure.where + ")";
  long answer = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &answer);
  if (answer != 0 && answer / 100 != 2) {
    return Status(HC_E_PROXY, who + " answered CONNECT with " + std::to_string(answer))
        .with_native(HC_NATIVE_PROXY, answer);
  }
  switch (failure.code) {
    case CURLE_PROXY: return socks_failure(easy, failure, who);
    case CURLE_COULDNT_CONNECT: return connect_failure(failure, who);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
      if (has_tunnel) return std::nullopt;
      if (answer != 0) return broken_head(failure, who);
      return Status(HC_E_PROXY, who + " closed the connection").with_native(HC_NATIVE_CURL, failure.code);
    default: return std::nullopt;
  }
}

}  // namespace hc
