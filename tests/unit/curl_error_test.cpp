#include "adapter/curl_error.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

namespace hc {
namespace {

CurlFailure failure(CURLcode code, std::string_view text) {
  CurlFailure failure;
  failure.code = code;
  failure.text = text;
  failure.where = "127.0.0.1:443";
  failure.verify_result = X509_V_ERR_UNSPECIFIED;  // libcurl's value before a certificate was looked at
  return failure;
}

TEST(CurlErrorTest, ACertificateThatIsNotAcceptableSaysWhy) {
  CurlFailure expired =
      failure(CURLE_PEER_FAILED_VERIFICATION, "SSL certificate problem: certificate has expired");
  expired.verify_result = X509_V_ERR_CERT_HAS_EXPIRED;
  Status status = status_of(expired);
  EXPECT_EQ(status.code(), HC_E_TLS_VERIFY);
  EXPECT_EQ(status.message(), "127.0.0.1:443: certificate not acceptable: certificate has expired");
  EXPECT_EQ(status.native_domain(), HC_NATIVE_TLS);
  EXPECT_EQ(status.native_code(), X509_V_ERR_CERT_HAS_EXPIRED);
}

// In the words of libcurl 7.88 to 8.23, for the alert of a server with TLS 1.2.
TEST(CurlErrorTest, AServerThatRefusesOurExpiredCertificateHasAnAcceptableOne) {
  Status status = status_of(failure(CURLE_PEER_FAILED_VERIFICATION, "SSL certificate verification failed"));
  EXPECT_EQ(status.code(), HC_E_TLS);
  EXPECT_EQ(status.message(), "127.0.0.1:443: the server refused our certificate: it has expired");
  EXPECT_EQ(status.native_domain(), HC_NATIVE_CURL);
  EXPECT_EQ(status.native_code(), CURLE_PEER_FAILED_VERIFICATION);
}

TEST(CurlErrorTest, AHeadThatIsTooLargeForLibcurlIsNoDisconnection) {
  Status status = status_of(failure(CURLE_RECV_ERROR, "Too large response headers: 307299 > 307200"));
  EXPECT_EQ(status.code(), HC_E_TOO_LARGE);
  EXPECT_EQ(status.message(), "127.0.0.1:443: Too large response headers: 307299 > 307200");
  EXPECT_EQ(status_of(failure(CURLE_RECV_ERROR, "Recv failure: Connection reset by peer")).code(),
            HC_E_DISCONNECTED);
}

}  // namespace
}  // namespace hc
