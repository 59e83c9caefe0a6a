// hc.h chapter 9: the session.
#include "adapter/curl_runtime.h"
#include "adapter/hook_resolver.h"
#include "capi/guard.h"
#include "capi/options.h"
#include "capi/structs.h"
#include "model/url.h"

namespace hc::capi {
namespace {

Status destination_of(const hc_request& request, Destination* out) {
  if ((request.queue != nullptr) == (request.on_done != nullptr)) {
    return Status::invalid("queue: name exactly one of queue and on_done");
  }
  if (request.queue != nullptr) {
    HC_RETURN_IF_BAD(check_handle(request.queue, "queue"));
    out->queue = request.queue->queue;
  }
  out->on_done = request.on_done;
  out->user_data = request.user_data;
  return Status::ok();
}

Status parse_addresses(const hc_str* addresses, size_t count, std::vector<IpAddress>* out) {
  if (count > kMaxAddresses) return Status::invalid("count: more than 64");
  if (count > 0 && addresses == nullptr) return null_argument("addresses");
  for (size_t i = 0; i < count; ++i) {
    std::optional<IpAddress> address = IpAddress::parse(view(addresses[i]));
    if (!address) return Status::invalid("addresses[" + std::to_string(i) + "]: not a numeric address");
    out->push_back(*address);
  }
  return Status::ok();
}

}  // namespace
}  // namespace hc::capi

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

extern "C" hc_status hc_session_create(hc_session** out, const hc_session_options* options, hc_error* error) {
  return guard(error, [&]() -> Status {
    HC_REQUIRE(out != nullptr, "out");
    HC_RETURN_IF_BAD(CurlRuntime::require());  // before anything else makes use of OpenSSL
    SessionConfig config;
    HC_RETURN_IF_BAD(session_config(options, &config));
    auto handle = std::make_unique<hc_session>();
    HC_RETURN_IF_BAD(Session::create(std::move(config), &handle->session));
    *out = handle.release();
    return Status::ok();
  });
}

extern "C" hc_status hc_session_submit(hc_session* session, const hc_request* request, hc_id* id,
                                       hc_error* error) {
  return guard(error, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    HC_REQUIRE(request != nullptr, "request");
    hc_request args;
    HC_RETURN_IF_BAD(copy_in(request, "request", &args));
    Destination destination;
    HC_RETURN_IF_BAD(destination_of(args, &destination));
    return session->session->submit(args, std::move(destination), id);
  });
}

extern "C" hc_status hc_session_perform(hc_session* session, const hc_request* request, hc_response** out,
                                        hc_error* error) {
  return guard(error, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    HC_REQUIRE(request != nullptr, "request");
    HC_REQUIRE(out != nullptr, "out");
    hc_request args;
    HC_RETURN_IF_BAD(copy_in(request, "request", &args));
    if (args.queue != nullptr || args.on_done != nullptr) {
      return Status::invalid("queue: hc_session_perform() takes neither queue nor on_done");
    }
    std::unique_ptr<Response> response;
    HC_RETURN_IF_BAD(session->session->perform(args, &response));
    *out = to_handle(response.release());
    return Status::ok();
  });
}

extern "C" hc_status hc_session_cancel(hc_session* session, hc_id id) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    if (id == 0) return Status::invalid("id: 0");
    session->session->cancel(id);
    return Status::ok();
  });
}

extern "C" hc_status hc_session_resume_upload(hc_session* session, hc_id id) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    if (id == 0) return Status::invalid("id: 0");
    session->session->resume_upload(id);
    return Status::ok();
  });
}

extern "C" hc_status hc_session_close(hc_session* session, uint64_t drain_ms) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    return session->session->close(from_ms(drain_ms));
  });
}

extern "C" hc_status hc_session_close_async(hc_session* session, uint64_t drain_ms, hc_closed_fn on_closed,
                                            void* user_data) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    std::function<void()> callback;
    if (on_closed != nullptr) callback = [on_closed, user_data] { on_closed(user_data); };
    session->session->close_async(from_ms(drain_ms), std::move(callback));
    return Status::ok();
  });
}

extern "C" void hc_session_free(hc_session* session) {
  if (session == nullptr) return;
  guard(nullptr, [&]() -> Status {
    if (session->made_in.is_inherited()) {
      // Its thread is not here and its locks may be held: everything behind the handle stays as it is.
      new std::shared_ptr<Session>(std::move(session->session));
    } else {
      session->session->release();
    }
    delete session;
    return Status::ok();
  });
}

extern "C" hc_status hc_session_resolve_add(hc_session* session, hc_str host, uint16_t port,
                                            const hc_str* addresses, size_t count, hc_error* error) {
  return guard(error, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    if (host.data == nullptr || host.len == 0) return Status::invalid("host: empty");
    std::string name;
    HC_RETURN_IF_BAD(parse_host(view(host), &name));
    std::vector<IpAddress> parsed;
    HC_RETURN_IF_BAD(parse_addresses(addresses, count, &parsed));
    return session->session->set_override(std::move(name), port, std::move(parsed));
  });
}

extern "C" hc_status hc_session_dns_clear(hc_session* session, hc_str host) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    return session->session->clear_names(std::string(view(host)));
  });
}

extern "C" hc_status hc_resolve_answer(hc_resolve_query* query, const hc_str* addresses, size_t count,
                                       uint64_t ttl_ms) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(query != nullptr, "query");
    std::vector<IpAddress> parsed;
    HC_RETURN_IF_BAD(parse_addresses(addresses, count, &parsed));
    return answer_hook_query(reinterpret_cast<uintptr_t>(query), std::move(parsed),
                             ttl_ms == HC_UNSET ? kNever : from_ms(ttl_ms));
  });
}

extern "C" hc_status hc_resolve_fail(hc_resolve_query* query, hc_str reason) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(query != nullptr, "query");
    return fail_hook_query(reinterpret_cast<uintptr_t>(query), view(reason));
  });
}
