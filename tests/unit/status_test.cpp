#include "base/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace hc {
namespace {

constexpr Code kCodes[] = {HC_OK,
                           HC_E_INVALID,
                           HC_E_CLOSED,
                           HC_E_FORKED,
                           HC_E_DEADLOCK,
                           HC_E_TLS_CONFIG,
                           HC_E_UNSUPPORTED,
                           HC_E_CALLBACK,
                           HC_E_AGAIN,
                           HC_E_NOMEM,
                           HC_E_SYSTEM,
                           HC_E_OVERLOAD,
                           HC_E_CANCELLED,
                           HC_E_DNS,
                           HC_E_CONNECT,
                           HC_E_TLS,
                           HC_E_TLS_VERIFY,
                           HC_E_PROXY,
                           HC_E_ADDRESS_DENIED,
                           HC_E_STALE,
                           HC_E_DISCONNECTED,
                           HC_E_INCOMPLETE,
                           HC_E_PROTOCOL,
                           HC_E_TOO_LARGE,
                           HC_E_REDIRECT,
                           HC_E_TOO_MANY_REDIRECTS,
                           HC_E_TIMEOUT_TOTAL,
                           HC_E_TIMEOUT_POOL,
                           HC_E_TIMEOUT_DNS,
                           HC_E_TIMEOUT_CONNECT,
                           HC_E_TIMEOUT_SOCK_CONNECT,
                           HC_E_TIMEOUT_SOCK_READ,
                           HC_E_TIMEOUT_SOCK_WRITE,
                           HC_E_TIMEOUT_FIRST_BYTE,
                           HC_E_INTERNAL};

TEST(Status, EachCodeHasItsOwnNameAndText) {
  std::set<std::string> names;
  std::set<std::string> texts;
  for (Code code : kCodes) {
    EXPECT_TRUE(names.insert(status_name(code)).second) << status_name(code);
    EXPECT_TRUE(texts.insert(status_text(code)).second) << status_text(code);
    EXPECT_STRNE(status_name(code), "HC_E_?") << code;
  }
  EXPECT_STREQ(status_name(HC_E_TIMEOUT_SOCK_READ), "HC_E_TIMEOUT_SOCK_READ");
}

TEST(Status, UnknownNumbersHaveANameToo) {
  for (Code code : {1, -9, -1000, INT32_MIN, INT32_MAX}) {
    EXPECT_STREQ(status_name(code), "HC_E_?");
    EXPECT_STREQ(status_text(code), "unknown status");
  }
}

TEST(Status, PhasesHaveNames) {
  EXPECT_STREQ(phase_name(HC_PHASE_NONE), "none");
  EXPECT_STREQ(phase_name(HC_PHASE_WAITING), "waiting");
  EXPECT_STREQ(phase_name(HC_PHASE_CONNECTING), "connecting");
  EXPECT_STREQ(phase_name(HC_PHASE_DONE), "done");
  for (Phase phase : {-1, HC_PHASE_DONE + 1, INT32_MIN, INT32_MAX}) EXPECT_STREQ(phase_name(phase), "?");
}

TEST(Status, IsOkUntilToldOtherwise) {
  Status status;
  EXPECT_TRUE(status.is_ok());
  EXPECT_TRUE(Status::ok().is_ok());
  EXPECT_EQ(status.phase(), HC_PHASE_NONE);
  EXPECT_TRUE(status.message().empty());
}

TEST(Status, CarriesItsDetails) {
  Status status = Status(HC_E_CONNECT, "no route").with_native(HC_NATIVE_ERRNO, EHOSTUNREACH);
  status.with_phase(HC_PHASE_CONNECTING, 42);
  EXPECT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), HC_E_CONNECT);
  EXPECT_EQ(status.message(), "no route");
  EXPECT_EQ(status.native_domain(), HC_NATIVE_ERRNO);
  EXPECT_EQ(status.native_code(), EHOSTUNREACH);
  EXPECT_EQ(status.phase(), HC_PHASE_CONNECTING);
  EXPECT_EQ(status.phase_ns(), 42U);
}

TEST(Status, ASystemFailureSaysWhatAndWhy) {
  Status status = Status::system("socket", EMFILE);
  EXPECT_EQ(status.code(), HC_E_SYSTEM);
  EXPECT_EQ(status.message(), "socket: Too many open files");
  EXPECT_EQ(status.native_domain(), HC_NATIVE_ERRNO);
  EXPECT_EQ(status.native_code(), EMFILE);
}

TEST(Status, AnInvalidArgumentIsOneLine) {
  EXPECT_EQ(Status::invalid("url: is empty").code(), HC_E_INVALID);
  EXPECT_EQ(Status::invalid("url: is empty").message(), "url: is empty");
}

}  // namespace
}  // namespace hc
