#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/fork.h"
#include "base/status.h"
#include "engine/completion.h"
#include "engine/session.h"
#include "model/text.h"

// What the handles of hc.h are.
struct hc_session {
  std::shared_ptr<hc::Session> session;
  hc::ForkGuard made_in;
};
struct hc_queue {
  std::shared_ptr<hc::CompletionQueue> queue;
  hc::ForkGuard made_in;
};

namespace hc::capi {

inline hc_str as_str(std::string_view text) { return {text.data(), text.size()}; }

/// Writes `status` into the caller's struct, if there is a usable one.
void report(hc_error* error, const Status& status) noexcept;

/// The only place where an exception stops: runs `body`, which returns a Status, and turns everything into a code.
template <typename Body>
hc_status guard(hc_error* error, Body&& body) noexcept {
  try {
    Status status = body();
    if (!status.is_ok()) report(error, status);
    return status.code();
  } catch (const std::bad_alloc&) {
    report(error, Status(HC_E_NOMEM, ""));
    return HC_E_NOMEM;
  } catch (...) {
    report(error, Status(HC_E_INTERNAL, ""));
    return HC_E_INTERNAL;
  }
}

inline Status null_argument(const char* name) { return Status::invalid(std::string(name) + ": NULL"); }

/// Refuses NULL, and handles that a fork brought along.
template <typename Handle>
Status check_handle(const Handle* handle, const char* name) {
  if (handle == nullptr) return null_argument(name);
  if (handle->made_in.is_inherited()) {
    return {HC_E_FORKED, std::string(name) + ": belongs to the parent process; create a new one"};
  }
  return Status::ok();
}

}  // namespace hc::capi

/// Leaves the surrounding guard() when `condition` does not hold.
#define HC_REQUIRE(condition, name) \
  if (!(condition)) return ::hc::capi::null_argument(name)
#define HC_RETURN_IF_BAD(expression) \
  if (::hc::Status status_ = (expression); !status_.is_ok()) return status_
