// libhc.so as a plugin or another language opens it: by dlopen, its functions by name, nothing of it linked.
#pragma once

#include <hc/hc.h>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace hc::test {

class OpenedLibrary {
 public:
  explicit OpenedLibrary(int flags) : handle_(dlopen(HC_LIBRARY, RTLD_NOW | flags)) {
    EXPECT_NE(handle_, nullptr) << dlerror();
  }

  /// Calls a function of hc.h: call<decltype(hc_version)>("hc_version").
  template <typename Function, typename... Arguments>
  auto call(const char* name, Arguments... arguments) {
    return reinterpret_cast<Function*>(dlsym(handle_, name))(arguments...);
  }

  /// The status and the body of a GET by a session of its own.
  std::pair<int, std::string> fetch(const std::string& url);
  void close() { dlclose(handle_); }

 private:
  void* handle_;
};

#define HC_CALL(library, function, ...) \
  (library).call<decltype(function)>(#function __VA_OPT__(, ) __VA_ARGS__)

inline std::pair<int, std::string> OpenedLibrary::fetch(const std::string& url) {
  hc_error error;
  HC_CALL(*this, hc_error_init, &error, sizeof error);
  hc_session* session = nullptr;
  if (HC_CALL(*this, hc_session_create, &session, nullptr, &error) != HC_OK) return {-1, error.message};
  hc_request request;
  HC_CALL(*this, hc_request_init, &request, sizeof request);
  request.url = {url.data(), url.size()};
  hc_response* response = nullptr;
  std::pair<int, std::string> result{-1, ""};
  if (HC_CALL(*this, hc_session_perform, session, &request, &response, &error) == HC_OK) {
    hc_str body = HC_CALL(*this, hc_response_body, response);
    result = {HC_CALL(*this, hc_response_http_status, response), std::string(body.data, body.len)};
    HC_CALL(*this, hc_response_free, response);
  } else {
    result.second = error.message;
  }
  HC_CALL(*this, hc_session_free, session);
  return result;
}

}  // namespace hc::test
