// Options of a session: the init function leaves all of them open, and a bad one is named.
#include <gtest/gtest.h>
#include <cstring>

#include "support/client.h"

namespace hc::test {
namespace {

constexpr uint64_t kTooLong = 1000ULL * 3600 * 24 * 365 * 101;
constexpr uint64_t kTooMany = 1ULL << 32;

struct BadOption {
  const char* name;
  SessionSetup set;
};

std::ostream& operator<<(std::ostream& out, const BadOption& bad) { return out << bad.name; }

class BadOptions : public testing::TestWithParam<BadOption> {};

TEST_P(BadOptions, AreNamed) {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  GetParam().set(options);
  hc_error error;
  hc_error_init(&error, sizeof error);
  auto* const untouched = reinterpret_cast<hc_session*>(0x51);
  hc_session* session = untouched;
  EXPECT_EQ(hc_session_create(&session, &options, &error), HC_E_INVALID);
  EXPECT_EQ(session, untouched);
  EXPECT_EQ(error.status, HC_E_INVALID);
  std::string expected = GetParam().name;
  EXPECT_EQ(std::string(error.message).compare(0, expected.size(), expected), 0) << error.message;
}

#define HC_BAD(field, value)                                \
  BadOption {                                               \
#field, [](hc_session_options & o) { o.field = value; } \
  }
#define HC_BAD_TEXT(field, value)                                   \
  BadOption {                                                       \
#field, [](hc_session_options & o) { o.field = HC_STR(value); } \
  }

INSTANTIATE_TEST_SUITE_P(Connections, BadOptions,
                         testing::Values(HC_BAD(limit, kTooMany), HC_BAD(limit_per_host, kTooMany),
                                         HC_BAD(max_connecting, kTooMany), HC_BAD(max_waiting, kTooMany),
                                         HC_BAD(keepalive_timeout_ms, kTooLong),
                                         HC_BAD(max_lifetime_ms, kTooLong), HC_BAD(force_close, 2),
                                         HC_BAD(retry_stale, 7)));
INSTANTIATE_TEST_SUITE_P(
    Names, BadOptions,
    testing::Values(HC_BAD(use_dns_cache, 2), HC_BAD(family, 5), HC_BAD(ttl_dns_cache_ms, kTooLong),
                    HC_BAD(dns_stale_ttl_ms, kTooLong), HC_BAD(dns_negative_ttl_ms, kTooLong),
                    HC_BAD(dns_cache_size, 0), HC_BAD(dns_cache_size, 1'000'001),
                    HC_BAD(happy_eyeballs_ms, kTooLong), HC_BAD_TEXT(nameservers, "localhost"),
                    HC_BAD_TEXT(nameservers, "127.0.0.1:0"), HC_BAD_TEXT(nameservers, "127.0.0.1:70000"),
                    HC_BAD_TEXT(nameservers, "127.0.0.1,,127.0.0.2")));
INSTANTIATE_TEST_SUITE_P(
    Way, BadOptions,
    testing::Values(HC_BAD_TEXT(proxy, "gopher://127.0.0.1"), HC_BAD_TEXT(proxy, "http://u:p@"),
                    HC_BAD_TEXT(deny_addresses, "10.0.0.1/8"), HC_BAD_TEXT(allow_addresses, "localhost"),
                    HC_BAD_TEXT(no_proxy, "a\nb"), HC_BAD(trust_env, 2), HC_BAD(public_only, 2),
                    BadOption{"unix_path", [](hc_session_options& o) {
                                o.proxy = HC_STR("http://127.0.0.1");
                                o.unix_path = HC_STR("/x");
                              }}));
INSTANTIATE_TEST_SUITE_P(
    Sockets, BadOptions,
    testing::Values(HC_BAD_TEXT(local_addr, "lo"), HC_BAD_TEXT(local_addr, "127.0.0.1:80"),
                    HC_BAD_TEXT(interface_name, "a-name-of-16-byt"), HC_BAD(tcp_nodelay, 2),
                    HC_BAD(tcp_keepalive, 2), HC_BAD(tcp_keepalive_idle_ms, kTooLong),
                    HC_BAD(tcp_keepalive_interval_ms, kTooLong), HC_BAD(tcp_user_timeout_ms, kTooLong),
                    HC_BAD(receive_buffer, (1U << 30) + 1), HC_BAD(send_buffer, (1U << 30) + 1)));
INSTANTIATE_TEST_SUITE_P(
    Time, BadOptions,
    testing::Values(HC_BAD(timeouts.total_ms, kTooLong), HC_BAD(timeouts.pool_ms, kTooLong),
                    HC_BAD(timeouts.dns_ms, kTooLong), HC_BAD(timeouts.connect_ms, kTooLong),
                    HC_BAD(timeouts.sock_connect_ms, kTooLong), HC_BAD(timeouts.sock_read_ms, kTooLong),
                    HC_BAD(timeouts.sock_write_ms, kTooLong), HC_BAD(timeouts.first_byte_ms, kTooLong)));
INSTANTIATE_TEST_SUITE_P(
    Rest, BadOptions,
    testing::Values(HC_BAD(tls_verify, 3), HC_BAD(busy_poll_us, 1'000'001), HC_BAD(max_header_bytes, 0),
                    HC_BAD(max_headers, 0), HC_BAD(log_level, 9), HC_BAD(log_level, -1),
                    BadOption{"headers", [](hc_session_options& o) { o.header_count = 1; }},
                    HC_BAD(header_count, 100'000), HC_BAD_TEXT(user_agent, "a\r\nX-Bad: b"),
                    HC_BAD_TEXT(password, "without a user"), HC_BAD_TEXT(ca_file, "a\nb")));

TEST(SessionOptions, BadDefaultHeadersAreNamed) {
  const hc_header bad[] = {{HC_STR("a b"), HC_STR("v")},
                           {HC_STR(""), HC_STR("v")},
                           {HC_STR("A"), HC_STR("v\r\nB: c")},
                           {HC_STR("A"), HC_STR("v\0w")},
                           {HC_STR("A\n"), HC_STR("v")}};
  for (const hc_header& header : bad) {
    auto setup = [&](hc_session_options& o) {
      o.headers = &header;
      o.header_count = 1;
    };
    EXPECT_THROW(Client{setup}, std::runtime_error) << text(header.name);
  }
}

TEST(SessionOptions, ForceCloseExcludesAnExplicitKeepaliveTimeout) {
  for (uint64_t keepalive : {uint64_t{0}, uint64_t{15'000}}) {
    try {
      Client client([=](hc_session_options& o) {
        o.force_close = HC_ON;
        o.keepalive_timeout_ms = keepalive;
      });
      ADD_FAILURE() << keepalive;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()).find("keepalive_timeout_ms"), 0u) << error.what();
    }
  }
  Client with_off([](hc_session_options& o) {
    o.force_close = HC_OFF;
    o.keepalive_timeout_ms = 0;
  });
}

TEST(SessionOptions, AMissingCaFileIsATlsConfigurationError) {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  options.ca_file = HC_STR("/nonexistent/ca.pem");
  hc_error error;
  hc_error_init(&error, sizeof error);
  hc_session* session = nullptr;
  EXPECT_EQ(hc_session_create(&session, &options, &error), HC_E_TLS_CONFIG);
  EXPECT_NE(std::string(error.message).find("/nonexistent/ca.pem"), std::string::npos) << error.message;
  EXPECT_EQ(session, nullptr);
}

TEST(SessionOptions, LimitsOfTheRangesAreAccepted) {
  Client low([](hc_session_options& o) {
    o.limit = o.limit_per_host = o.max_connecting = o.max_waiting = 0;
    o.keepalive_timeout_ms = o.max_lifetime_ms = o.ttl_dns_cache_ms = o.happy_eyeballs_ms = 0;
    o.dns_cache_size = 1;
    o.log_level = 0;
    o.timeouts = {};
    o.max_body = 0;
  });
  Client high([](hc_session_options& o) {
    o.limit = o.limit_per_host = o.max_connecting = o.max_waiting = UINT32_MAX;
    o.keepalive_timeout_ms = o.max_lifetime_ms = o.ttl_dns_cache_ms = o.dns_stale_ttl_ms = HC_FOREVER;
    o.dns_cache_size = 1'000'000;
    o.receive_buffer = o.send_buffer = o.body_window = 1U << 30;
    o.timeouts.total_ms = HC_FOREVER;
    o.interface_name = HC_STR("a-name-of-15-by");
    o.limit_per_host = 200;
    o.limit = 100;
  });
}

TEST(SessionOptions, InitLeavesEveryOptionOpen) {
  hc_session_options o;
  std::memset(&o, 0x5A, sizeof o);
  ASSERT_EQ(hc_session_options_init(&o, sizeof o), HC_OK);
  EXPECT_EQ(o.struct_size, sizeof o);
  for (uint64_t number : {o.limit,
                          o.limit_per_host,
                          o.max_connecting,
                          o.max_waiting,
                          o.keepalive_timeout_ms,
                          o.max_lifetime_ms,
                          o.ttl_dns_cache_ms,
                          o.dns_stale_ttl_ms,
                          o.dns_negative_ttl_ms,
                          o.dns_cache_size,
                          o.happy_eyeballs_ms,
                          o.tcp_keepalive_idle_ms,
                          o.tcp_keepalive_interval_ms,
                          o.tcp_user_timeout_ms,
                          o.receive_buffer,
                          o.send_buffer,
                          o.timeouts.total_ms,
                          o.timeouts.pool_ms,
                          o.timeouts.dns_ms,
                          o.timeouts.connect_ms,
                          o.timeouts.sock_connect_ms,
                          o.timeouts.sock_read_ms,
                          o.timeouts.sock_write_ms,
                          o.timeouts.first_byte_ms,
                          o.max_body,
                          o.max_header_bytes,
                          o.max_headers,
                          o.busy_poll_us}) {
    EXPECT_EQ(number, HC_UNSET);
  }
  for (uint8_t flag : {o.force_close, o.retry_stale, o.use_dns_cache, o.family, o.tls_verify, o.tcp_nodelay,
                       o.tcp_keepalive}) {
    EXPECT_EQ(flag, HC_UNSET_FLAG);
  }
  for (hc_str view : {o.nameservers, o.local_addr, o.interface_name, o.user_agent, o.ca_file}) {
    EXPECT_EQ(view.data, nullptr);
    EXPECT_EQ(view.len, 0u);
  }
  EXPECT_EQ(o.log_level, HC_UNSET_INT);
  EXPECT_EQ(o.headers, nullptr);
  EXPECT_EQ(o.header_count, 0u);
  EXPECT_TRUE(o.on_resolve == nullptr && o.on_socket == nullptr && o.on_log == nullptr);
}

TEST(SessionOptions, RequestInitLeavesEveryOptionOpen) {
  hc_request r;
  std::memset(&r, 0x5A, sizeof r);
  ASSERT_EQ(hc_request_init(&r, sizeof r), HC_OK);
  EXPECT_EQ(r.struct_size, sizeof r);
  EXPECT_EQ(r.priority, 0);
  for (uint64_t number : {r.timeouts.total_ms, r.timeouts.pool_ms, r.timeouts.dns_ms, r.timeouts.connect_ms,
                          r.timeouts.sock_connect_ms, r.timeouts.sock_read_ms, r.timeouts.sock_write_ms,
                          r.timeouts.first_byte_ms, r.max_body}) {
    EXPECT_EQ(number, HC_UNSET);
  }
  EXPECT_EQ(r.force_close, HC_UNSET_FLAG);
  EXPECT_EQ(r.retry_stale, HC_UNSET_FLAG);
  for (hc_str view : {r.method, r.url, r.body, r.username, r.password}) EXPECT_EQ(view.data, nullptr);
  EXPECT_TRUE(r.queue == nullptr && r.on_done == nullptr && r.headers == nullptr && r.addresses == nullptr);
}

}  // namespace
}  // namespace hc::test
