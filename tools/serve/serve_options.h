// The command line of `hcx serve`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"

namespace hc::serve {

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

struct DnsScript {
  std::string name;
  std::vector<DnsReply> replies;
};

struct ServeOptions {
  std::vector<Endpoint> http;
  std::vector<Endpoint> https;
  std::vector<Endpoint> dns;  // none or one
  std::vector<DnsScript> dns_scripts;
  HttpServerOptions server;  // listeners are filled in by the command
  int backlog = 4096;
  TestPkiOptions pki;
  bool require_client_certificate = false;
  bool session_tickets = true;
  bool exit_with_parent = false;
  bool ignore_stdin = false;
  bool help = false;
};

/// Throws std::invalid_argument with a sentence for the user.
ServeOptions parse_serve_options(int argc, char** argv);
std::string_view serve_help();

}  // namespace hc::serve
