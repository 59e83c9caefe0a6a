// RAII over the C ABI, as much of it as this tool needs. Header only; nothing here knows more than hc.h.
#pragma once

#include <hc/hc.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hc::hcx {

inline std::string_view view(hc_str text) { return {text.data, text.len}; }
/// Never "not given": an empty text gets a pointer, too.
inline hc_str str(std::string_view text) { return {text.data() != nullptr ? text.data() : "", text.size()}; }

struct HandleEnd {
  void operator()(hc_session* session) const { hc_session_free(session); }
  void operator()(hc_tls* tls) const { hc_tls_free(tls); }
  void operator()(hc_queue* queue) const { hc_queue_close(queue); }
  void operator()(hc_response* response) const { hc_response_free(response); }
};
using Session = std::unique_ptr<hc_session, HandleEnd>;
using Tls = std::unique_ptr<hc_tls, HandleEnd>;
using Queue = std::unique_ptr<hc_queue, HandleEnd>;
using Response = std::unique_ptr<hc_response, HandleEnd>;

inline hc_error make_error() {
  hc_error error;
  hc_error_init(&error, sizeof error);
  return error;
}

inline hc_session_options make_session_options() {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  return options;
}

inline hc_request make_request() {
  hc_request request;
  hc_request_init(&request, sizeof request);
  return request;
}

/// A call that the library refused.
class Refused : public std::runtime_error {
 public:
  explicit Refused(const hc_error& error)
      : std::runtime_error(std::string(hc_status_name(error.status)) + ": " + error.message), error_(error) {}

  hc_status status() const { return error_.status; }
  std::string message() const { return error_.message; }

 private:
  hc_error error_;
};

inline Session create_session(const hc_session_options& options) {
  hc_session* session = nullptr;
  hc_error error = make_error();
  if (hc_session_create(&session, &options, &error) != HC_OK) throw Refused(error);
  return Session(session);
}

inline hc_tls_options make_tls_options() {
  hc_tls_options options;
  hc_tls_options_init(&options, sizeof options);
  return options;
}

inline Tls create_tls(const hc_tls_options& options) {
  hc_tls* tls = nullptr;
  hc_error error = make_error();
  if (hc_tls_create(&tls, &options, &error) != HC_OK) throw Refused(error);
  return Tls(tls);
}

inline Queue create_queue() {
  hc_queue* queue = nullptr;
  hc_error error = make_error();
  if (hc_queue_create(&queue, &error) != HC_OK) throw Refused(error);
  return Queue(queue);
}

inline hc_response_info info_of(const hc_response* response) {
  hc_response_info info{};
  info.struct_size = sizeof info;
  hc_response_get_info(response, &info);
  return info;
}

inline hc_error error_of(const hc_response* response) {
  hc_error error = make_error();
  hc_response_error(response, &error);
  return error;
}

inline hc_stats stats_of(hc_session* session) {
  hc_stats stats{};
  stats.struct_size = sizeof stats;
  hc_session_stats(session, &stats);
  return stats;
}

/// Throws Refused, with the reason, where the library has no libcurl that it can use.
inline hc_runtime_info runtime_info() {
  hc_runtime_info info{};
  info.struct_size = sizeof info;
  const hc_status status = hc_runtime_get_info(&info);
  if (status == HC_OK) return info;
  create_session(make_session_options());  // refused as well, and with words
  throw std::runtime_error(hc_status_name(status));
}

}  // namespace hc::hcx
