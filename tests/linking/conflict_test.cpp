// A program whose own curl_* functions come first and have no versions (conflicting_curl.c).
#include <gtest/gtest.h>

#include "linking/opened_library.h"
#include "serve/http_server.h"

namespace hc::test {
namespace {

TEST(ConflictingCurl, IsNotCalledByALibraryThatIsOpenedDeep) {
  ASSERT_NE(dlsym(RTLD_DEFAULT, "curl_multi_init"), nullptr) << "the conflict is not there";
  serve::HttpServer server;
  server.start();
  OpenedLibrary library(RTLD_LOCAL | RTLD_DEEPBIND);
  EXPECT_EQ(library.fetch(server.url(0, "/method")), std::pair(200, std::string("GET")));
}

}  // namespace
}  // namespace hc::test
