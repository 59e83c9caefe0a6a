// A TLS identity for a test, with options set by name.
#pragma once

#include <hc/hc.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "support/client.h"

namespace hc::test {

class TlsHandle {
 public:
  using Setup = std::function<void(hc_tls_options&)>;

  /// Throws with the message when the options are refused.
  explicit TlsHandle(const Setup& setup) {
    hc_error error;
    hc_error_init(&error, sizeof error);
    if (create(setup, &tls_, &error) != HC_OK) throw std::runtime_error(error.message);
  }
  ~TlsHandle() { hc_tls_free(tls_); }
  TlsHandle(const TlsHandle&) = delete;
  TlsHandle& operator=(const TlsHandle&) = delete;

  static hc_status create(const Setup& setup, hc_tls** out, hc_error* error) {
    hc_tls_options options;
    hc_tls_options_init(&options, sizeof options);
    setup(options);
    return hc_tls_create(out, &options, error);
  }

  const hc_tls* get() const { return tls_; }
  /// For requests.
  Tune tune() const {
    return [tls = tls_](hc_request& request) { request.tls = tls; };
  }

 private:
  hc_tls* tls_ = nullptr;
};

}  // namespace hc::test
