#include "base/status.h"

#include <cerrno>
#include <system_error>

namespace hc {
namespace {

struct StatusEntry {
  Code code;
  const char* name;
  const char* text;
};

#define HC_ENTRY(code, text) \
  { code, #code, text }
constexpr StatusEntry kStatuses[] = {
    HC_ENTRY(HC_OK, "success"),
    HC_ENTRY(HC_E_INVALID, "an argument or option is not acceptable"),
    HC_ENTRY(HC_E_CLOSED, "the session or queue is closed"),
    HC_ENTRY(HC_E_FORKED, "the handle belongs to the parent process"),
    HC_ENTRY(HC_E_DEADLOCK, "a blocking call from inside a callback"),
    HC_ENTRY(HC_E_TLS_CONFIG, "CA, certificate or key could not be loaded"),
    HC_ENTRY(HC_E_UNSUPPORTED, "the libcurl found at run time cannot do this"),
    HC_ENTRY(HC_E_CALLBACK, "a callback refused"),
    HC_ENTRY(HC_E_AGAIN, "nothing is there yet"),
    HC_ENTRY(HC_E_NOMEM, "out of memory"),
    HC_ENTRY(HC_E_SYSTEM, "the operating system refused"),
    HC_ENTRY(HC_E_OVERLOAD, "the waiting line is full"),
    HC_ENTRY(HC_E_CANCELLED, "cancelled"),
    HC_ENTRY(HC_E_DNS, "the host name could not be resolved"),
    HC_ENTRY(HC_E_CONNECT, "could not connect"),
    HC_ENTRY(HC_E_TLS, "the TLS handshake failed"),
    HC_ENTRY(HC_E_TLS_VERIFY, "the server's certificate is not acceptable"),
    HC_ENTRY(HC_E_PROXY, "the proxy refused"),
    HC_ENTRY(HC_E_ADDRESS_DENIED, "the address policy refused"),
    HC_ENTRY(HC_E_STALE, "a reused connection died before any answer; not sent twice"),
    HC_ENTRY(HC_E_DISCONNECTED, "the connection died before the response was whole"),
    HC_ENTRY(HC_E_INCOMPLETE, "the body ended before its announced end"),
    HC_ENTRY(HC_E_PROTOCOL, "the answer is not valid HTTP"),
    HC_ENTRY(HC_E_TOO_LARGE, "the response is larger than allowed"),
    HC_ENTRY(HC_E_REDIRECT, "a redirect that cannot be followed"),
    HC_ENTRY(HC_E_TOO_MANY_REDIRECTS, "too many redirects"),
    HC_ENTRY(HC_E_TIMEOUT_TOTAL, "total timeout"),
    HC_ENTRY(HC_E_TIMEOUT_POOL, "timeout waiting for a connection slot"),
    HC_ENTRY(HC_E_TIMEOUT_DNS, "timeout resolving the host name"),
    HC_ENTRY(HC_E_TIMEOUT_CONNECT, "connect timeout"),
    HC_ENTRY(HC_E_TIMEOUT_SOCK_CONNECT, "socket connect timeout"),
    HC_ENTRY(HC_E_TIMEOUT_SOCK_READ, "socket read timeout"),
    HC_ENTRY(HC_E_TIMEOUT_SOCK_WRITE, "socket write timeout"),
    HC_ENTRY(HC_E_TIMEOUT_FIRST_BYTE, "timeout before the first byte of the response"),
    HC_ENTRY(HC_E_INTERNAL, "a fault of the library"),
};
#undef HC_ENTRY

constexpr const char* kPhases[] = {"none",    "waiting",  "resolving", "connecting",
                                   "sending", "awaiting", "receiving", "done"};

const StatusEntry* find(Code code) {
  for (const StatusEntry& entry : kStatuses) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace

bool Status::is_out_of_descriptors() const {
  return code_ == HC_E_SYSTEM && (native_code_ == EMFILE || native_code_ == ENFILE);
}

Status Status::system(std::string_view what, int error_number) {
  std::string message(what);
  message += ": " + std::generic_category().message(error_number);
  return Status(HC_E_SYSTEM, std::move(message)).with_native(HC_NATIVE_ERRNO, error_number);
}

const char* status_name(Code code) {
  const StatusEntry* entry = find(code);
  return entry != nullptr ? entry->name : "HC_E_?";
}

const char* status_text(Code code) {
  const StatusEntry* entry = find(code);
  return entry != nullptr ? entry->text : "unknown status";
}

const char* phase_name(Phase phase) {
  if (phase < 0 || phase >= static_cast<Phase>(std::size(kPhases))) return "?";
  return kPhases[phase];
}

}  // namespace hc
