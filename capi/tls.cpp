// hc.h chapter 8: TLS identities.
#include "adapter/curl_runtime.h"
#include "adapter/tls_identity.h"
#include "capi/guard.h"
#include "capi/option_reader.h"
#include "capi/structs.h"
#include "model/route.h"
#include "model/text.h"

namespace hc::capi {
namespace {

constexpr size_t kMaxPins = 64;
constexpr size_t kDigest = 32;

// Two ways to give the same thing.
struct Source {
  const char* file_name;
  const char* text_name;
  const hc_str* file;
  const hc_str* text;
};

void read_source(const Source& from, Reader& read, std::string* file, std::string* text) {
  read.text(*from.file, from.file_name, file);
  if (from.text->data != nullptr) *text = view(*from.text);
  if (from.text->data == nullptr) return;
  if (from.file->data != nullptr)
    read.fail(from.text_name, std::string("not together with ") + from.file_name);
  if (text->empty()) read.fail(from.text_name, "is empty");
}

void read_pins(const hc_tls_options& o, Reader& read, std::vector<std::string>* out) {
  if (o.pin_count > kMaxPins) return read.fail("pin_count", "is more than 64");
  if (o.pin_count > 0 && o.pins == nullptr) return read.fail("pins", "NULL");
  for (size_t i = 0; i < o.pin_count; ++i) {
    std::string digest = from_hex(view(o.pins[i]));
    if (digest.size() != kDigest) read.fail("pins", "one is not a SHA-256 digest of 64 hex digits");
    out->push_back(std::move(digest));
  }
}

void read_version(uint8_t given, Reader& read, int* out) {
  if (given == HC_UNSET_FLAG) return;
  if (given != HC_TLS_1_2 && given != HC_TLS_1_3) return read.fail("min_version", "is not one of HC_TLS_*");
  *out = given == HC_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

Status tls_options(const hc_tls_options& o, TlsOptions* out) {
  Status status;
  Reader read(&status);
  read.flag(o.verify, "verify", &out->verify);
  read_version(o.min_version, read, &out->min_version);
  read_source({"ca_file", "ca_pem", &o.ca_file, &o.ca_pem}, read, &out->ca_file, &out->ca_pem);
  read_source({"certificate_file", "certificate_pem", &o.certificate_file, &o.certificate_pem}, read,
              &out->certificate_file, &out->certificate_pem);
  read_source({"key_file", "key_pem", &o.key_file, &o.key_pem}, read, &out->key_file, &out->key_pem);
  read.text(o.key_password, "key_password", &out->key_password);
  read_pins(o, read, &out->pins);
  read.text(o.server_name, "server_name", &out->server_name);
  read.text(o.key_log_file, "key_log_file", &out->key_log_file);
  bool has_key = o.key_file.data != nullptr || o.key_pem.data != nullptr;
  bool has_certificate = o.certificate_file.data != nullptr || o.certificate_pem.data != nullptr;
  if (has_key && !has_certificate) read.fail("key_file", "a key without a certificate");
  if (!out->verify && (o.ca_file.data != nullptr || o.ca_pem.data != nullptr)) {
    read.fail("ca_file", "authorities mean nothing when verify is HC_OFF");
  }
  if (out->server_name.size() > 253) read.fail("server_name", "is longer than 253 bytes");
  out->complete_authorities();
  return status;
}

}  // namespace

void unset(hc_tls_options* options) {
  *options = {};
  options->verify = options->min_version = HC_UNSET_FLAG;
}

}  // namespace hc::capi

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

extern "C" hc_status hc_tls_options_init(hc_tls_options* options, size_t size) { return init(options, size); }

extern "C" hc_status hc_tls_create(hc_tls** out, const hc_tls_options* options, hc_error* error) {
  return guard(error, [&]() -> Status {
    HC_REQUIRE(out != nullptr, "out");
    HC_RETURN_IF_BAD(CurlRuntime::require());
    hc_tls_options given;
    unset(&given);
    if (options != nullptr) HC_RETURN_IF_BAD(copy_in(options, "options", &given));
    TlsOptions parsed;
    HC_RETURN_IF_BAD(tls_options(given, &parsed));
    auto handle = std::make_unique<hc_tls>();
    HC_RETURN_IF_BAD(TlsIdentity::create(parsed, &handle->identity));
    *out = handle.release();
    return Status::ok();
  });
}

extern "C" void hc_tls_free(hc_tls* tls) {
  if (tls == nullptr) return;
  guard(nullptr, [&]() -> Status {
    // In a forked child a lock inside may be held by nobody: the memory is given up.
    if (tls->made_in.is_inherited()) new std::shared_ptr<const TlsIdentity>(std::move(tls->identity));
    delete tls;
    return Status::ok();
  });
}
