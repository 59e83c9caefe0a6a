// hc.h chapter 10: responses.
#include "model/response.h"
#include "capi/guard.h"
#include "capi/structs.h"

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

extern "C" hc_status hc_response_get_info(const hc_response* response, hc_response_info* info) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(response != nullptr, "response");
    const Response& from = from_handle(response);
    hc_response_info value{};
    value.status = from.outcome().code();
    value.http_status = from.http_status();
    value.http_version = from.http_version();
    value.reason = as_str(from.reason());
    value.headers = from.headers().data();
    value.header_count = from.headers().size();
    value.body = as_str(from.body());
    value.connection = from.connection;
    value.reused = from.reused ? HC_ON : HC_OFF;
    value.attempts = from.attempts;
    value.remote_address = as_str(from.remote_address());
    value.remote_port = from.remote.port;
    value.timing = from.timing;
    if (from.pipe != nullptr) from.pipe->final_timing(&value.timing);
    value.url = as_str(from.url());
    value.history = from.history().data();
    value.history_count = from.history().size();
    return copy_out(value, "info", info);
  });
}

extern "C" hc_status hc_response_status(const hc_response* response) {
  return response == nullptr ? HC_E_INVALID : from_handle(response).outcome_code();
}

extern "C" int32_t hc_response_http_status(const hc_response* response) {
  return response == nullptr ? 0 : from_handle(response).http_status();
}

extern "C" hc_str hc_response_body(const hc_response* response) {
  return response == nullptr ? hc_str{nullptr, 0} : as_str(from_handle(response).body());
}

extern "C" hc_status hc_response_header(const hc_response* response, hc_str name, size_t nth, hc_str* value) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(response != nullptr, "response");
    HC_REQUIRE(value != nullptr, "value");
    const hc_header* header = from_handle(response).find_header(view(name), nth);
    if (header == nullptr) return Status::invalid("name: no such field");
    *value = header->value;
    return Status::ok();
  });
}

extern "C" hc_str hc_response_certificate(const hc_response* response, size_t nth) {
  if (response == nullptr) return {nullptr, 0};
  const std::vector<std::string>& certificates = from_handle(response).certificates;
  return nth < certificates.size() ? as_str(certificates[nth]) : hc_str{nullptr, 0};
}

extern "C" hc_status hc_response_get_certificate(const hc_response* response, size_t nth,
                                                 hc_str* certificate) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(response != nullptr, "response");
    HC_REQUIRE(certificate != nullptr, "certificate");
    hc_str found = hc_response_certificate(response, nth);
    if (found.data == nullptr) return Status::invalid("nth: no such certificate");
    *certificate = found;
    return Status::ok();
  });
}

namespace {

hc_attempt to_c(const AttemptRecord& record) {
  hc_attempt value{};
  value.status = record.status.code();
  value.connection = record.connection;
  value.address = as_str(record.address);
  value.port = record.port;
  value.reused = record.reused ? HC_ON : HC_OFF;
  value.hop = record.hop;
  value.timing = record.timing;
  value.message = as_str(record.status.message());
  return value;
}

// Not kept as a record: most responses have no other.
hc_attempt only_attempt(const Response& response) {
  hc_attempt value = to_c(response.last_attempt());
  value.address = as_str(response.remote_address());
  value.message = as_str(response.status().message());
  return value;
}

}  // namespace

extern "C" hc_status hc_response_attempt(const hc_response* response, size_t nth, hc_attempt* attempt) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(response != nullptr, "response");
    const Response& from = from_handle(response);
    if (nth >= from.attempts) return Status::invalid("nth: no such attempt");
    if (from.attempt_records.empty()) return copy_out(only_attempt(from), "attempt", attempt);
    return copy_out(to_c(from.attempt_records.at(nth)), "attempt", attempt);
  });
}

extern "C" hc_status hc_response_error(const hc_response* response, hc_error* error) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(response != nullptr, "response");
    HC_REQUIRE(error != nullptr, "error");
    if (!is_length<hc_error>(error->struct_size))
      return Status::invalid("error->struct_size: use hc_error_init()");
    report(error, from_handle(response).outcome());
    return Status::ok();
  });
}

extern "C" void hc_response_free(hc_response* response) {
  if (response != nullptr) delete &from_handle(response);
}
