#include "model/request.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/requests.h"

namespace hc {
namespace {

using namespace std::string_view_literals;

constexpr hc_str kNothing{nullptr, 0};

class RequestTest : public testing::Test {
 protected:
  Status create() { return Request::create(args, session, &request); }
  void create_or_fail() {
    Status status = create();
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  std::string fault() {
    request = nullptr;
    Status status = create();
    EXPECT_EQ(status.code(), HC_E_INVALID) << status.message();
    EXPECT_EQ(request, nullptr) << "outputs are written on success only";
    return status.message();
  }
  void set_headers(std::vector<std::pair<std::string_view, hc_str>> fields) {
    headers.clear();
    for (auto [name, value] : fields) headers.push_back({as_hc_str(name), value});
    args.headers = headers.data();
    args.header_count = headers.size();
  }
  /// The lines of its own.
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    const char* line = request->headers;
    for (size_t i = 0; i < request->header_lines; ++i) {
      out.emplace_back(line);
      line += out.back().size() + 1;
    }
    return out;
  }
  using Lines = std::vector<std::string>;

  SessionConfig session;
  hc_request args = blank_request("http://a.test/x");
  std::vector<hc_header> headers;
  std::unique_ptr<Request> request;
};

TEST_F(RequestTest, ShowsNoSecretOfARedirectThatItRefuses) {
  args = blank_request("https://a.test/");
  create_or_fail();
  auto refusal = [&](std::string_view location) {
    std::unique_ptr<Request> next;
    Status status = Request::redirect(*request, 302, location, &next);
    EXPECT_EQ(status.code(), HC_E_REDIRECT) << location;
    return status.message().substr(0, status.message().find("\": "));
  };
  EXPECT_EQ(refusal("https://user:pw@b.test:99999/x?token#part"), "Location \"b.test:99999/x");
  EXPECT_EQ(refusal("//user:p/w@b.test:99999/"), "Location \"b.test:99999/");
  EXPECT_EQ(refusal("app://callback?code"), "Location \"app:");
  EXPECT_EQ(refusal("app:code"), "Location \"app:");
  EXPECT_EQ(refusal("http://user:pw@b.test/x?token"),
            "from https to http (insecure_redirects is off): \"http://b.test/x\"");
}

TEST_F(RequestTest, HasDefaultsForAllButTheUrl) {
  create_or_fail();
  EXPECT_EQ(request->method, Method::kGet);
  EXPECT_EQ(request->method_name, "GET");
  EXPECT_EQ(request->url, "http://a.test/x");
  EXPECT_EQ(request->host, "a.test");
  EXPECT_EQ(request->port, 80);
  EXPECT_FALSE(request->is_https);
  EXPECT_FALSE(request->has_body);
  EXPECT_EQ(request->priority, 0);
  EXPECT_EQ(request->max_body, session.max_body);
  EXPECT_TRUE(request->retry_stale);
  EXPECT_FALSE(request->force_close);
  EXPECT_TRUE(request->credentials.empty());
  EXPECT_TRUE(request->addresses.empty());
  EXPECT_EQ(lines(), Lines());
}

TEST_F(RequestTest, CopiesEverything) {
  std::string url = "http://a.test/path";
  std::string method = "PURGE";
  std::string name = "X-Name";
  std::string value = "value";
  std::string body = "body";
  args.url = as_hc_str(url);
  args.method = as_hc_str(method);
  args.body = as_hc_str(body);
  set_headers({{name, as_hc_str(value)}});
  create_or_fail();
  for (std::string* text : {&url, &method, &name, &value, &body}) std::fill(text->begin(), text->end(), '#');
  EXPECT_EQ(request->url, "http://a.test/path");
  EXPECT_EQ(request->method_name, "PURGE");
  EXPECT_EQ(lines()[0], "X-Name: value");
  EXPECT_EQ(request->body, "body");
}

TEST_F(RequestTest, ABorrowedBodyIsNotCopied) {
  std::string body = "body";
  args.body = as_hc_str(body);
  args.body_kind = HC_BODY_BORROWED;
  create_or_fail();
  EXPECT_EQ(request->body.data(), body.data());
  args.body_kind = HC_BODY_COPIED;
  create_or_fail();
  EXPECT_NE(request->body.data(), body.data());
}

TEST_F(RequestTest, AnEmptyBodyIsABody) {
  args.body = as_hc_str("");
  create_or_fail();
  EXPECT_TRUE(request->has_body);
  EXPECT_TRUE(request->body.empty());
}

TEST_F(RequestTest, ABodyMayHoldAnyBytes) {
  args.body = as_hc_str("a\0b\r\n"sv);
  create_or_fail();
  EXPECT_EQ(request->body, "a\0b\r\n"sv);
}

TEST_F(RequestTest, ViewsAreTerminatedForLibcurl) {
  args.method = as_hc_str("PATCH"sv.substr(0, 3));
  create_or_fail();
  for (std::string_view text : {request->method_name, request->url, request->host, request->credentials}) {
    EXPECT_EQ(text.data()[text.size()], '\0');
  }
}

TEST_F(RequestTest, KnowsWhatMayBeRepeated) {
  for (auto [method, is_idempotent] : {std::pair{"GET"sv, true},
                                       {"HEAD"sv, true},
                                       {"OPTIONS"sv, true},
                                       {"TRACE"sv, true},
                                       {"PUT"sv, true},
                                       {"DELETE"sv, true},
                                       {"POST"sv, false},
                                       {"PATCH"sv, false},
                                       {"get"sv, false},
                                       {"CONNECT"sv, false}}) {
    args.method = as_hc_str(method);
    create_or_fail();
    EXPECT_EQ(request->is_idempotent, is_idempotent) << method;
  }
}

TEST_F(RequestTest, MethodsAreTakenAsGiven) {
  args.method = as_hc_str("get");
  create_or_fail();
  EXPECT_EQ(request->method, Method::kOther);
  EXPECT_EQ(request->method_name, "get");
}

TEST_F(RequestTest, HeadersKeepOrderAndCase) {
  set_headers({{"b-Second", as_hc_str("2")}, {"A-first", as_hc_str("1")}, {"b-second", as_hc_str("3")}});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"b-Second: 2", "A-first: 1", "b-second: 3"}));
}

TEST_F(RequestTest, ValuesAreTrimmed) {
  set_headers({{"A", as_hc_str(" \t x y\t ")}});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"A: x y"}));
}

TEST_F(RequestTest, AnEmptyValueIsSentAndNoneRemovesTheField) {
  set_headers({{"A", as_hc_str("")}, {"B", as_hc_str("  ")}, {"Accept", kNothing}});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"A;", "B;", "Accept:"})) << "as libcurl spells it";
}

TEST_F(RequestTest, TheSessionsHeadersGiveWayToTheRequests) {
  session.headers = {{"X-One", "session"}, {"X-Two", "session"}, {"X-Three", "session"}};
  set_headers({{"x-two", as_hc_str("request")}, {"X-THREE", kNothing}});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"x-two: request", "X-THREE:", "X-One: session"}));
}

// A line that all requests share is added on the way out.
TEST_F(RequestTest, TheUserAgentMayBeReplacedOrRemoved) {
  create_or_fail();
  EXPECT_FALSE(request->sends_user_agent) << "the session has none";
  session.user_agent = "libhc/0";
  create_or_fail();
  EXPECT_TRUE(request->sends_user_agent);
  EXPECT_EQ(lines(), Lines{});
  set_headers({{"user-agent", as_hc_str("mine")}});
  create_or_fail();
  EXPECT_FALSE(request->sends_user_agent);
  EXPECT_EQ(lines(), (Lines{"user-agent: mine"}));
  set_headers({{"User-Agent", kNothing}});
  create_or_fail();
  EXPECT_FALSE(request->sends_user_agent);
  EXPECT_EQ(lines(), (Lines{"User-Agent:"}));
  session.headers = {{"USER-AGENT", "session"}};
  set_headers({});
  create_or_fail();
  EXPECT_FALSE(request->sends_user_agent);
  EXPECT_EQ(lines(), (Lines{"USER-AGENT: session"}));
}

TEST_F(RequestTest, EncodingsAreAskedForUnlessItSaysSomethingElse) {
  create_or_fail();
  EXPECT_TRUE(request->asks_for_encodings);
  set_headers({{"accept-encoding", as_hc_str("identity")}});
  create_or_fail();
  EXPECT_FALSE(request->asks_for_encodings);
  set_headers({{"Accept-Encoding", kNothing}});
  create_or_fail();
  EXPECT_FALSE(request->asks_for_encodings);
  set_headers({});
  session.decompress = false;
  create_or_fail();
  EXPECT_FALSE(request->asks_for_encodings);
}

TEST_F(RequestTest, ABodyBringsNothingThatNobodyAskedFor) {
  args.body = as_hc_str("x");
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"Expect:", "Content-Type:"}));
  set_headers({{"Content-Type", as_hc_str("text/plain")}, {"Expect", as_hc_str("100-continue")}});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"Content-Type: text/plain", "Expect: 100-continue"}));
  session.headers = {{"content-type", "a/b"}};
  set_headers({});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"content-type: a/b", "Expect:"}));
}

TEST_F(RequestTest, ForceCloseTellsTheServer) {
  args.force_close = HC_ON;
  create_or_fail();
  EXPECT_TRUE(request->force_close);
  EXPECT_EQ(lines(), (Lines{"Connection: close"}));
  set_headers({{"connection", as_hc_str("x")}});
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"connection: x"}));
}

TEST_F(RequestTest, ContentLengthIsTheLibrarys) {
  args.body = as_hc_str("12345");
  for (std::string_view right : {"5"sv, " 5 "sv}) {
    set_headers({{"content-length", as_hc_str(right)}});
    create_or_fail();
    EXPECT_EQ(lines(), (Lines{"Expect:", "Content-Type:"})) << "not sent twice";
  }
  for (std::string_view wrong : {"4"sv, "05"sv, ""sv, "5, 5"sv, "five"sv}) {
    set_headers({{"A", as_hc_str("a")}, {"Content-Length", as_hc_str(wrong)}});
    EXPECT_EQ(fault(), "headers[1]: Content-Length is not the length of the body") << wrong;
  }
}

TEST_F(RequestTest, TransferEncodingIsTheLibrarys) {
  set_headers({{"Transfer-encoding", as_hc_str("chunked")}});
  EXPECT_EQ(fault(), "headers[0]: Transfer-Encoding is set by the library");
}

TEST_F(RequestTest, CredentialsOfTheRequestGoBeforeThoseOfTheUrl) {
  args.url = as_hc_str("http://url%20user:url@a.test/");
  create_or_fail();
  EXPECT_EQ(request->credentials, "url user:url");
  args.username = as_hc_str("user");
  args.password = as_hc_str("pass:word");
  create_or_fail();
  EXPECT_EQ(request->credentials, "user:pass:word");
  args.password = kNothing;
  create_or_fail();
  EXPECT_EQ(request->credentials, "user:");
}

TEST_F(RequestTest, TimeoutsThatNobodyGaveAreTheSessionsOwn) {
  create_or_fail();
  EXPECT_EQ(request->timeouts.get(), &session.timeouts) << "a waiting request needs no memory for them";
}

TEST_F(RequestTest, TimeoutsAreMergedOneByOne) {
  session.timeouts = {1, 2, 3, 4, 5, 6, 7, 8};
  uint64_t hc_timeouts::*fields[] = {&hc_timeouts::total_ms,        &hc_timeouts::pool_ms,
                                     &hc_timeouts::dns_ms,          &hc_timeouts::connect_ms,
                                     &hc_timeouts::sock_connect_ms, &hc_timeouts::sock_read_ms,
                                     &hc_timeouts::sock_write_ms,   &hc_timeouts::first_byte_ms};
  for (auto own : fields) {
    for (uint64_t value : {uint64_t{0}, uint64_t{99}, HC_FOREVER}) {
      args.timeouts = kAsTheSessionSays;
      args.timeouts.*own = value;
      create_or_fail();
      for (auto field : fields) {
        EXPECT_EQ((*request->timeouts).*field, field == own ? value : session.timeouts.*field);
      }
    }
  }
}

TEST_F(RequestTest, OtherOptionsOverrideTheSessionsToo) {
  session.force_close = true;
  session.retry_stale = false;
  session.max_body = 7;
  create_or_fail();
  EXPECT_TRUE(request->force_close);
  EXPECT_FALSE(request->retry_stale);
  EXPECT_EQ(request->max_body, 7U);
  args.force_close = HC_OFF;
  args.retry_stale = HC_ON;
  args.max_body = 0;
  args.priority = -3;
  create_or_fail();
  EXPECT_FALSE(request->force_close);
  EXPECT_TRUE(request->retry_stale);
  EXPECT_EQ(request->max_body, 0U);
  EXPECT_EQ(request->priority, -3);
}

TEST_F(RequestTest, AddressesTakeThePlaceOfNames) {
  hc_str addresses[] = {as_hc_str("192.0.2.1"), as_hc_str("2001:db8::1")};
  args.addresses = addresses;
  args.address_count = 2;
  create_or_fail();
  ASSERT_EQ(request->addresses.size(), 2U);
  EXPECT_EQ(request->addresses[1].to_string(), "2001:db8::1");
}

// ---------------------------------------------------------------------------- bad input names its argument

struct BadArgument {
  const char* name;  // what the message starts with
  void (*spoil)(hc_request&);
};

void PrintTo(const BadArgument& bad, std::ostream* out) { *out << bad.name; }

class RequestBadArgument : public testing::TestWithParam<BadArgument> {};

TEST_P(RequestBadArgument, IsRefusedByName) {
  hc_request args = blank_request();
  GetParam().spoil(args);
  std::unique_ptr<Request> request;
  Status status = Request::create(args, SessionConfig(), &request);
  EXPECT_EQ(status.code(), HC_E_INVALID);
  EXPECT_TRUE(status.message().starts_with(GetParam().name)) << status.message();
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_EQ(request, nullptr);
}

template <const char* kName, const char* kValue>
void one_header(hc_request& args) {
  static const hc_header header{as_hc_str(kName), as_hc_str(kValue)};
  args.headers = &header;
  args.header_count = 1;
}

constexpr char kGood[] = "x";
constexpr char kSpaced[] = "a b";
constexpr char kColon[] = "a:";
constexpr char kEmpty[] = "";
constexpr char kCr[] = "a\rb";
constexpr char kLf[] = "a\nb";

const hc_str kBadAddress[] = {{"192.0.2.1", 9}, {"a.test", 6}};
const hc_str kNulAddress[] = {{nullptr, 3}};
const hc_header kNulName[] = {{{nullptr, 3}, {"x", 1}}};
const hc_header kNulInValue[] = {{{"A", 1}, {"x\0y", 3}}};

hc_status no_bytes(void*, size_t, size_t*, void*) { return HC_OK; }
hc_status no_rewind(void*) { return HC_OK; }

const BadArgument kBadArguments[] = {
    {"url",
     [](hc_request& r) {
       r.url = {nullptr, 0};
     }},
    {"url",
     [](hc_request& r) {
       r.url = {nullptr, 10};
     }},
    {"url", [](hc_request& r) { r.url = as_hc_str("nonsense"); }},
    {"method", [](hc_request& r) { r.method = as_hc_str(""); }},
    {"method", [](hc_request& r) { r.method = as_hc_str("GET "); }},
    {"method", [](hc_request& r) { r.method = as_hc_str("GET\r\nX: y"); }},
    {"method", [](hc_request& r) { r.method = as_hc_str("G\0T"sv); }},
    {"method",
     [](hc_request& r) {
       static const std::string kLong(65, 'A');
       r.method = as_hc_str(kLong);
     }},
    {"headers", [](hc_request& r) { r.header_count = 1; }},
    {"header_count",
     [](hc_request& r) {
       static const std::vector<hc_header> kMany(1001, hc_header{as_hc_str("A"), as_hc_str("b")});
       r.headers = kMany.data();
       r.header_count = kMany.size();
     }},
    {"headers[0]", one_header<kSpaced, kGood>},
    {"headers[0]", one_header<kColon, kGood>},
    {"headers[0]", one_header<kEmpty, kGood>},
    {"headers[0]", one_header<kLf, kGood>},
    {"headers[0]", one_header<kGood, kCr>},
    {"headers[0]", one_header<kGood, kLf>},
    {"headers[0]", [](hc_request& r) { r.headers = kNulName, r.header_count = 1; }},
    {"headers[0]", [](hc_request& r) { r.headers = kNulInValue, r.header_count = 1; }},
    {"body",
     [](hc_request& r) {
       r.body = {nullptr, 3};
     }},
    {"body", [](hc_request& r) { r.method = as_hc_str("HEAD"), r.body = as_hc_str("x"); }},
    {"body_kind", [](hc_request& r) { r.body_kind = 4; }},
    {"body_path", [](hc_request& r) { r.body_path = as_hc_str("/etc/hosts"); }},
    {"body_fd", [](hc_request& r) { r.body_fd = 0; }},
    {"body_offset",
     [](hc_request& r) { r.body_kind = HC_BODY_PULLED, r.on_body = no_bytes, r.body_offset = 0; }},
    {"body_length", [](hc_request& r) { r.body = as_hc_str("abc"), r.body_length = 2; }},
    {"on_body", [](hc_request& r) { r.on_body = no_bytes; }},
    {"on_rewind", [](hc_request& r) { r.body_kind = HC_BODY_FILE, r.body_fd = 0, r.on_rewind = no_rewind; }},
    {"force_close", [](hc_request& r) { r.force_close = 2; }},
    {"retry_stale", [](hc_request& r) { r.retry_stale = 77; }},
    {"password", [](hc_request& r) { r.password = as_hc_str("a"); }},
    {"username", [](hc_request& r) { r.username = as_hc_str("a:b"); }},
    {"username", [](hc_request& r) { r.username = as_hc_str("a\nb"); }},
    {"username", [](hc_request& r) { r.username = as_hc_str("a"), r.password = as_hc_str("a\0b"sv); }},
    {"addresses", [](hc_request& r) { r.address_count = 1; }},
    {"addresses[1]", [](hc_request& r) { r.addresses = kBadAddress, r.address_count = 2; }},
    {"addresses[0]", [](hc_request& r) { r.addresses = kNulAddress, r.address_count = 1; }},
    {"address_count",
     [](hc_request& r) {
       static const std::vector<hc_str> kMany(65, as_hc_str("192.0.2.1"));
       r.addresses = kMany.data();
       r.address_count = kMany.size();
     }},
};

INSTANTIATE_TEST_SUITE_P(All, RequestBadArgument, testing::ValuesIn(kBadArguments));

TEST_F(RequestTest, NoPointerIsReadForItsLength) {
  set_headers({{"A", {nullptr, 5}}});
  args.username = as_hc_str("user");
  args.password = {nullptr, 5};
  args.method = {nullptr, 5};
  create_or_fail();
  EXPECT_EQ(lines(), (Lines{"A:"}));
  EXPECT_EQ(request->credentials, "user:");
  EXPECT_EQ(request->method_name, "GET");
}

TEST_F(RequestTest, BytesMayComeWithTheirLength) {
  args.body = as_hc_str("abc");
  args.body_length = 3;
  create_or_fail();
  EXPECT_TRUE(request->has_body);
}

TEST_F(RequestTest, AThousandHeadersAreFine) {
  std::vector<hc_header> many(1000, hc_header{as_hc_str("Name"), as_hc_str("value")});
  args.headers = many.data();
  args.header_count = many.size();
  session.headers = {{"X-Default", "1"}};
  create_or_fail();
  EXPECT_EQ(lines().size(), 1001U);
  EXPECT_EQ(lines().back(), "X-Default: 1");
}

}  // namespace
}  // namespace hc
