#include <gtest/gtest.h>

#include "hcx/get_options.h"
#include "hcx/get_print.h"
#include "hcx/option_parser.h"
#include "hcx/url_text.h"

namespace hc::hcx {
namespace {

TEST(UrlText, TakesAUrlApart) {
  const UrlText text = split_url("https://me:pw@host:8443/path?q=1#part");
  EXPECT_EQ(text.scheme, "https");
  EXPECT_EQ(text.userinfo, "me:pw");
  EXPECT_EQ(text.authority, "host:8443");
  EXPECT_EQ(text.target, "/path?q=1");
  EXPECT_EQ(split_url("http://host").target, "/");
}

TEST(UrlText, NeverShowsUserinfo) {
  EXPECT_EQ(shown_url("http://me:pw@host/a"), "http://host/a");
  EXPECT_EQ(shown_url("http://me:p@w@host"), "http://host/");
  EXPECT_EQ(shown_url("http://host/a@b"), "http://host/a@b");
  EXPECT_EQ(shown_url("http://me:pw@[::x"), "http://[::x/");
}

TEST(UrlText, OfADoubtfulUrlShowsNothingThatCouldBeAPassword) {
  for (const char* url : {"http://me:pa/ss@host:1/x", "http://me:pa?ss@host:1/x", "http://me:pa#ss@host:1/x",
                          "http://a@b:p/@host:1/x", "http://host:1/x"}) {
    EXPECT_EQ(shown_doubtful_url(url), "http://host:1/x");
  }
  EXPECT_EQ(shown_doubtful_url("ftp://me:pw@host"), "ftp://host");
  EXPECT_EQ(shown_doubtful_url("http://host:99999"), "http://host:99999");
  EXPECT_EQ(shown_doubtful_url("http://host/a b"), "http://host/a b");
  for (const char* url :
       {"http://me:pa/ss", "http://me:1pa", "http://me:1#pa", "http://me:?pa", "http://me:/pa"})
    EXPECT_EQ(shown_doubtful_url(url), "http://...");
}

TEST(UrlText, AddsAScheme) {
  EXPECT_EQ(with_scheme("me:p://w@host"), "http://me:p://w@host");
  EXPECT_EQ(with_scheme("host/a"), "http://host/a");
  EXPECT_EQ(with_scheme("https://host"), "https://host");
  EXPECT_EQ(with_scheme("host/?to=http://other"), "http://host/?to=http://other");
}

TEST(UrlText, NamesOfFiles) {
  EXPECT_EQ(file_name_of("http://h/a/b.c?d=/e#/f"), "b.c");
  EXPECT_EQ(file_name_of("http://h/-"), "./-");
  EXPECT_EQ(file_name_of("http://h"), "");
  EXPECT_EQ(file_name_of("http://h/a/"), "");
  EXPECT_EQ(with_file_name("http://h", "/x/a b"), "http://h/a%20b");
  EXPECT_EQ(with_file_name("http://h/a/", "b"), "http://h/a/b");
  EXPECT_EQ(with_file_name("http://h/a", "b"), "http://h/a");
  EXPECT_EQ(with_file_name("http://h/?q", "b"), "http://h/?q");
}

TEST(UrlText, AddsQueriesAndUsers) {
  EXPECT_EQ(with_query("http://h", "a=b"), "http://h?a=b");
  EXPECT_EQ(with_query("http://h/?a#f", "b"), "http://h/?a&b#f");
  EXPECT_EQ(with_query("http://h/?", "b"), "http://h/?b");
  EXPECT_EQ(with_user("http://o:p@h:1", "m@e", "p:w"), "http://m%40e:p%3Aw@h:1");
}

TEST(GetOptions, WithoutOptionsNoClockEndsARequest) {
  EXPECT_EQ(parse_get_options({"h"}).total_timeout_ms, HC_FOREVER);
  EXPECT_EQ(parse_get_options({"h", "-m", "0"}).total_timeout_ms, 0U);
  EXPECT_EQ(parse_get_options({"h", "--connect-timeout", "0"}).connect_timeout_ms, 0U);
}

TEST(GetOptions, RefusesEmptyValuesOfWhatProtects) {
  for (const char* option :
       {"--cacert", "--cert", "--key", "--unix-socket", "-T", "--tls-server-name", "--dns-servers", "-o"}) {
    EXPECT_THROW(parse_get_options({"h", option, ""}), UsageError) << option;
  }
  EXPECT_EQ(parse_get_options({"h", "--noproxy", ""}).no_proxy, "");
  EXPECT_EQ(parse_get_options({"h", "-x", ""}).proxy, "");
  EXPECT_FALSE(parse_get_options({"h"}).no_proxy);
}

TEST(GetOptions, AProxyHeaderRemovesNothing) {
  EXPECT_THROW(parse_get_options({"h", "--proxy-header", "X-A:"}), UsageError);
  EXPECT_EQ(parse_get_options({"h", "--proxy-header", "X-A;"}).proxy_headers.size(), 1U);
}

TEST(GetOptions, MinusOneIsTheMostRedirects) {
  EXPECT_EQ(parse_get_options({"h", "--max-redirs", "-1"}).max_redirects, 1000U);
  EXPECT_THROW(parse_get_options({"h", "--max-redirs", "-2"}), UsageError);
}

TEST(GetOptions, TheMethodFollowsBodyAndHead) {
  EXPECT_EQ(parse_get_options({"h"}).method_name(), "GET");
  EXPECT_EQ(parse_get_options({"h", "-d", "x"}).method_name(), "POST");
  EXPECT_EQ(parse_get_options({"h", "-I"}).method_name(), "HEAD");
  EXPECT_EQ(parse_get_options({"h", "-d", "x", "-XPUT"}).method_name(), "PUT");
}

TEST(GetOptions, JoinsData) {
  EXPECT_EQ(parse_get_options({"h", "-d", "a=b", "-d", "c=d"}).body, "a=b&c=d");
  EXPECT_EQ(parse_get_options({"h", "-d", ""}).body, "");
  EXPECT_FALSE(parse_get_options({"h"}).body);
}

TEST(GetOptions, WantsAUrl) {
  EXPECT_THROW(parse_get_options({"-v"}), UsageError);
  EXPECT_TRUE(parse_get_options({"--help"}).help);
}

hc_timing no_timing() {
  return {HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET};
}

TEST(GetPrint, PhasesOfANewConnection) {
  hc_timing timing = no_timing();
  timing.started_ns = 10;
  timing.resolved_ns = 30;
  timing.connected_ns = 60;
  timing.ready_ns = 60;
  timing.sent_ns = 70;
  timing.first_byte_ns = 170;
  timing.done_ns = 175;
  const Phases phases = phases_of(timing);
  EXPECT_EQ(phases.waited, 10U);
  EXPECT_EQ(phases.dns, 20U);
  EXPECT_EQ(phases.connect, 30U);
  EXPECT_EQ(phases.tls, HC_UNSET);
  EXPECT_EQ(phases.sent, 10U);
  EXPECT_EQ(phases.first_byte, 100U);
  EXPECT_EQ(phases.done, 5U);
  EXPECT_EQ(phases.total, 175U);
}

TEST(GetPrint, PhasesThatDidNotHappenAreUnset) {
  hc_timing timing = no_timing();
  timing.started_ns = 10;
  timing.done_ns = 15;
  const Phases phases = phases_of(timing);
  EXPECT_EQ(phases.waited, 10U);
  EXPECT_EQ(phases.dns, HC_UNSET);
  EXPECT_EQ(phases.sent, HC_UNSET);
  EXPECT_EQ(phases.done, 5U);
}

TEST(GetPrint, AnErrorIsOneLine) {
  hc_error error = make_error();
  error.status = HC_E_DNS;
  error.phase = HC_PHASE_RESOLVING;
  EXPECT_EQ(error_text(error, 12'000'000), "HC_E_DNS:  (resolving, after 12.0 ms)");
}

}  // namespace
}  // namespace hc::hcx
