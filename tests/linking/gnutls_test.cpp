// A program that is linked with another libcurl, the one over GnuTLS, and opens libhc.so beside it.
#include <curl/curl.h>
#include <gtest/gtest.h>

#include "linking/opened_library.h"
#include "serve/http_server.h"

namespace hc::test {
namespace {

size_t append(char* data, size_t, size_t length, void* text) {
  static_cast<std::string*>(text)->append(data, length);
  return length;
}

std::string fetch_with_own_libcurl(const std::string& url) {
  std::string body;
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  CURLcode code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  return code == CURLE_OK ? body : curl_easy_strerror(code);
}

TEST(BesideGnutls, EachUsesItsOwnLibcurl) {
  serve::HttpServer server;
  server.start();
  std::string url = server.url(0, "/method");
  EXPECT_EQ(fetch_with_own_libcurl(url), "GET");
  OpenedLibrary library(RTLD_LOCAL);
  EXPECT_EQ(library.fetch(url), std::pair(200, std::string("GET")));
  EXPECT_EQ(fetch_with_own_libcurl(url), "GET");

  EXPECT_NE(std::string(curl_version()).find("GnuTLS"), std::string::npos) << curl_version();
  hc_runtime_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(HC_CALL(library, hc_runtime_get_info, &info), HC_OK);
  EXPECT_EQ(std::string(info.tls_version.data, info.tls_version.len).rfind("OpenSSL", 0), 0u);
}

TEST(BesideGnutls, NothingOfLibhcIsInTheWayOfOthers) {
  OpenedLibrary library(RTLD_LOCAL);
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "hc_version"), nullptr);
}

// Its loop threads and fork handlers would otherwise run code that is no longer there.
TEST(BesideGnutls, LibhcNeverUnloads) {
  OpenedLibrary library(RTLD_LOCAL);
  auto* version = reinterpret_cast<decltype(&hc_version)>(dlsym(RTLD_DEFAULT, "hc_version"));
  EXPECT_EQ(version, nullptr);
  library.close();
  void* still = dlopen(HC_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(still, nullptr);
  EXPECT_STREQ(reinterpret_cast<decltype(&hc_version)>(dlsym(still, "hc_version"))(), HC_VERSION_STRING);
}

}  // namespace
}  // namespace hc::test
