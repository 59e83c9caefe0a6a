// What the tests of callbacks inside libcurl have in common: a server of one kind, and a session that nobody owns.
#pragma once

#include <gtest/gtest.h>
#include <hc/hc.h>

#include <string>
#include <string_view>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/tls_server.h"

namespace hc::test {

class PlainOrTls {
 public:
  explicit PlainOrTls(bool is_tls) : server_(options(is_tls)) { server_.start(); }
  std::string url(std::string_view path) const { return server_.url(0, path); }
  static void trust(hc_session_options& o) { o.ca_file = str(pki().ca().certificate_path); }

  /// For callbacks that free it themselves; nullptr when it could not be made.
  static hc_session* open_session() {
    hc_session_options options;
    EXPECT_EQ(hc_session_options_init(&options, sizeof options), HC_OK);
    trust(options);
    hc_session* session = nullptr;
    EXPECT_EQ(hc_session_create(&session, &options, nullptr), HC_OK);
    return session;
  }

 private:
  static serve::HttpServerOptions options(bool is_tls) {
    serve::HttpServerOptions made;
    made.listeners.resize(1);
    if (is_tls) made.listeners[0].tls = tls_with(pki().server());
    return made;
  }

  serve::HttpServer server_;
};

}  // namespace hc::test
