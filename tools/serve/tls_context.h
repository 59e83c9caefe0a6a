// The TLS settings of a listener as OpenSSL wants them.
#pragma once

#include "serve/http_server.h"
#include "serve/openssl_handles.h"

namespace hc::serve {

/// Throws std::runtime_error with OpenSSL's reason.
SslContext make_tls_context(const TlsOptions& options);

}  // namespace hc::serve
