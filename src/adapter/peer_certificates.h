#pragma once

#include <curl/curl.h>
#include <openssl/types.h>

#include <string>
#include <vector>

namespace hc {

/// The server's TLS on the connection that a transfer has just now; nullptr: none.
SSL* tls_of(CURL* easy);

/// The server's certificates as far as it sent them, its own first, in one of HC_CERTIFICATES_*. Only while the
/// transfer has its connection, as in PREREQ; empty without TLS.
std::vector<std::string> peer_certificates(CURL* easy, int form);

}  // namespace hc
