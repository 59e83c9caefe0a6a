// hc_tls_options: what is refused, and by which name.
#include <gtest/gtest.h>

#include "serve/test_pki.h"
#include "support/client.h"
#include "support/real_server.h"
#include "support/tls_handle.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

struct Refused {
  hc_status status = HC_OK;
  std::string message;
};

Refused refusal(const TlsHandle::Setup& setup) {
  hc_error error;
  hc_error_init(&error, sizeof error);
  auto* const untouched = reinterpret_cast<hc_tls*>(0x51);
  hc_tls* tls = untouched;
  hc_status status = TlsHandle::create(setup, &tls, &error);
  EXPECT_EQ(tls, untouched);
  return {status, error.message};
}

void expect_refused(hc_status status, const std::string& name, const TlsHandle::Setup& setup) {
  Refused refused = refusal(setup);
  EXPECT_EQ(refused.status, status) << name << ": " << refused.message;
  EXPECT_EQ(refused.message.compare(0, name.size(), name), 0) << name << " != " << refused.message;
}

TEST(TlsOptionsTest, MistakesAreNamed) {
  expect_refused(HC_E_INVALID, "verify", [](auto& o) { o.verify = 2; });
  expect_refused(HC_E_INVALID, "min_version", [](auto& o) { o.min_version = 11; });
  expect_refused(HC_E_INVALID, "pin_count", [](auto& o) { o.pin_count = 65; });
  expect_refused(HC_E_INVALID, "pins", [](auto& o) { o.pin_count = 1; });
  expect_refused(HC_E_INVALID, "ca_file", [](auto& o) { o.ca_file = HC_STR("a\nb"); });
  expect_refused(HC_E_INVALID, "ca_pem", [](auto& o) { o.ca_pem = HC_STR(""); });
  expect_refused(HC_E_INVALID, "ca_pem", [](auto& o) {
    o.ca_file = HC_STR("a");
    o.ca_pem = HC_STR("b");
  });
  expect_refused(HC_E_INVALID, "ca_file", [](auto& o) {
    o.verify = HC_OFF;
    o.ca_file = HC_STR("a");
  });
  expect_refused(HC_E_INVALID, "key_file", [](auto& o) { o.key_file = HC_STR("a"); });
  expect_refused(HC_E_INVALID, "options->struct_size", [](auto& o) { o.struct_size = 0; });
  hc_str pin = HC_STR("sha256//abc");
  expect_refused(HC_E_INVALID, "pins", [&](auto& o) {
    o.pins = &pin;
    o.pin_count = 1;
  });
  EXPECT_EQ(hc_tls_create(nullptr, nullptr, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_tls_options_init(nullptr, sizeof(hc_tls_options)), HC_E_INVALID);
  hc_tls_options options;
  EXPECT_EQ(hc_tls_options_init(&options, sizeof options - 1), HC_E_INVALID);
  hc_tls_free(nullptr);
}

TEST(TlsOptionsTest, ABrokenAuthorityIsNotPassedOver) {
  const std::string good = pki().ca().certificate_pem;
  const std::string kBegin = "-----BEGIN CERTIFICATE-----\n";
  const std::string kEnd = "-----END CERTIFICATE-----\n";
  for (const char* content : {"", "AAAA\n", "MAMCAQE=\n", "?!\n"}) {
    const std::string bundle = good + kBegin + content + kEnd + good;
    hc_tls_options options;
    ASSERT_EQ(hc_tls_options_init(&options, sizeof options), HC_OK);
    options.ca_pem = str(bundle);
    hc_tls* tls = nullptr;
    hc_error error;
    hc_error_init(&error, sizeof error);
    EXPECT_EQ(hc_tls_create(&tls, &options, &error), HC_E_TLS_CONFIG) << content;
    EXPECT_NE(std::string(error.message).find("certificate 2"), std::string::npos) << error.message;
  }
}

TEST(TlsOptionsTest, FilesAreReadAtCreate) {
  expect_refused(HC_E_TLS_CONFIG, "ca_file", [](auto& o) { o.ca_file = HC_STR("/nonexistent"); });
  expect_refused(HC_E_TLS_CONFIG, "ca_pem", [](auto& o) { o.ca_pem = HC_STR("no certificate"); });
  expect_refused(HC_E_TLS_CONFIG, "certificate_file",
                 [](auto& o) { o.certificate_file = HC_STR("/nonexistent"); });
  expect_refused(HC_E_TLS_CONFIG, "certificate_pem", [](auto& o) { o.certificate_pem = HC_STR("none"); });
  expect_refused(HC_E_TLS_CONFIG, "key_file", [](auto& o) {  // the certificate's file has no key in it
    o.certificate_file = str(pki().client().certificate_path);
  });
  expect_refused(HC_E_TLS_CONFIG, "key_file", [](auto& o) {
    o.certificate_file = str(pki().client().certificate_path);
    o.key_file = HC_STR("/nonexistent");
  });
  expect_refused(HC_E_TLS_CONFIG, "key_pem", [](auto& o) {  // another one's
    o.certificate_file = str(pki().client().certificate_path);
    o.key_pem = str(pki().server().private_key_pem);
  });
  expect_refused(HC_E_TLS_CONFIG, "key_log_file",
                 [](auto& o) { o.key_log_file = HC_STR("/nonexistent/log"); });
}

TEST(TlsOptionsTest, AnEncryptedKeyNeedsItsPasswordAndAsksNobody) {
  ScratchDirectory scratch;
  std::string key = scratch.file("key.pem");
  std::string certificate = scratch.file("certificate.pem");
  std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:secret -subj /CN=x "
      "-keyout " +
      key + " -out " + certificate + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  auto with = [&](std::string_view password) {
    return [&, password](hc_tls_options& o) {
      o.certificate_file = str(certificate);
      o.key_file = str(key);
      if (!password.empty()) o.key_password = str(password);
    };
  };
  TlsHandle good(with("secret"));
  expect_refused(HC_E_TLS_CONFIG, "key_file", with("wrong"));
  expect_refused(HC_E_TLS_CONFIG, "key_file", with(""));
}

TEST(TlsOptionsTest, ASessionTakesAHandleOrTheSimpleForm) {
  TlsHandle handle([](auto& o) { o.ca_pem = str(pki().ca().certificate_pem); });
  for (bool with_file : {true, false}) {
    hc_session_options options;
    hc_session_options_init(&options, sizeof options);
    options.tls = handle.get();
    if (with_file) {
      options.ca_file = str(pki().ca().certificate_path);
    } else {
      options.tls_verify = HC_ON;
    }
    hc_error error;
    hc_error_init(&error, sizeof error);
    hc_session* session = nullptr;
    EXPECT_EQ(hc_session_create(&session, &options, &error), HC_E_INVALID);
    EXPECT_EQ(std::string(error.message).find(with_file ? "ca_file" : "tls_verify"), 0u) << error.message;
  }
}

}  // namespace
}  // namespace hc::test
