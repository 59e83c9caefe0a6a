// What every function does with arguments that nobody should pass: HC_E_INVALID, and nothing else happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "support/client.h"

namespace hc::test {
namespace {

char* const kUntouched = reinterpret_cast<char*>(0x51);

class Arguments : public testing::Test {
 protected:
  Arguments() {
    hc_error_init(&error_, sizeof error_);
    hc_request_init(&request_, sizeof request_);
    request_.url = HC_STR("http://127.0.0.1:1/");
    request_.queue = client_.queue().get();
  }

  bool message_names(const char* argument) const {
    return std::strncmp(error_.message, argument, std::strlen(argument)) == 0;
  }

  Client client_;
  hc_error error_;
  hc_request request_;
};

TEST_F(Arguments, FreeTakesNull) {
  hc_session_free(nullptr);
  hc_queue_close(nullptr);
  hc_response_free(nullptr);
}

TEST_F(Arguments, NullHandlesAreRefused) {
  hc_id id = 0;
  hc_response* response = nullptr;
  size_t count = 0;
  hc_completion item;
  hc_stats stats{sizeof stats};
  EXPECT_EQ(hc_session_submit(nullptr, &request_, &id, &error_), HC_E_INVALID);
  EXPECT_TRUE(message_names("session")) << error_.message;
  EXPECT_EQ(hc_session_perform(nullptr, &request_, &response, &error_), HC_E_INVALID);
  EXPECT_EQ(hc_session_cancel(nullptr, 1), HC_E_INVALID);
  EXPECT_EQ(hc_session_close(nullptr, 0), HC_E_INVALID);
  EXPECT_EQ(hc_session_close_async(nullptr, 0, nullptr, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_session_stats(nullptr, &stats), HC_E_INVALID);
  hc_histograms histograms{sizeof histograms};
  hc_origin_stats row;
  hc_session* none = nullptr;
  EXPECT_EQ(hc_session_histograms(nullptr, &histograms), HC_E_INVALID);
  EXPECT_EQ(hc_session_origins(nullptr, &row, sizeof row, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_metrics_prometheus(&none, nullptr, 1, nullptr, 0, &count), HC_E_INVALID);
  EXPECT_EQ(hc_session_resolve_add(nullptr, HC_STR("a.test"), 0, nullptr, 0, &error_), HC_E_INVALID);
  EXPECT_EQ(hc_session_dns_clear(nullptr, hc_str{}), HC_E_INVALID);
  EXPECT_EQ(hc_resolve_answer(nullptr, nullptr, 0, HC_UNSET), HC_E_INVALID);
  EXPECT_EQ(hc_resolve_fail(nullptr, hc_str{}), HC_E_INVALID);
  EXPECT_EQ(hc_queue_fd(nullptr), -1);
  EXPECT_EQ(hc_queue_drain(nullptr, &item, sizeof item, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_queue_wait(nullptr, 0, &count), HC_E_INVALID);
}

TEST_F(Arguments, NullResponsesAreRefused) {
  hc_response_info info{sizeof info};
  hc_str value{kUntouched, 7};
  EXPECT_EQ(hc_response_get_info(nullptr, &info), HC_E_INVALID);
  EXPECT_EQ(hc_response_status(nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_response_http_status(nullptr), 0);
  EXPECT_EQ(hc_response_body(nullptr).len, 0u);
  EXPECT_EQ(hc_response_header(nullptr, HC_STR("a"), 0, &value), HC_E_INVALID);
  EXPECT_EQ(value.data, kUntouched);
  EXPECT_EQ(hc_response_error(nullptr, &error_), HC_E_INVALID);
  hc_attempt attempt{sizeof attempt};
  EXPECT_EQ(hc_response_attempt(nullptr, 0, &attempt), HC_E_INVALID);
}

TEST_F(Arguments, StatisticsWithoutRoomAreRefused) {
  hc_session* session = client_.get();
  hc_session* two[] = {session, nullptr};
  hc_origin_stats row;
  size_t count = 99;
  EXPECT_EQ(hc_session_histograms(session, nullptr), HC_E_INVALID);
  hc_histograms histograms{};
  EXPECT_EQ(hc_session_histograms(session, &histograms), HC_E_INVALID) << "no struct_size";
  EXPECT_EQ(hc_session_origins(session, nullptr, sizeof row, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_session_origins(session, &row, sizeof row - 8, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_session_origins(session, &row, sizeof row, 0, &count), HC_E_INVALID);
  EXPECT_EQ(hc_session_origins(session, &row, sizeof row, 1, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_metrics_prometheus(nullptr, nullptr, 1, nullptr, 0, &count), HC_E_INVALID);
  EXPECT_EQ(hc_metrics_prometheus(&session, nullptr, 0, nullptr, 0, &count), HC_E_INVALID);
  EXPECT_EQ(hc_metrics_prometheus(&session, nullptr, 1, nullptr, 10, &count), HC_E_INVALID);
  EXPECT_EQ(hc_metrics_prometheus(&session, nullptr, 1, nullptr, 0, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_metrics_prometheus(two, nullptr, 2, nullptr, 0, &count), HC_E_INVALID) << "names are missing";
  hc_session* twice[] = {session, session};
  const hc_str unnamed[] = {HC_STR("a"), HC_STR("")};
  EXPECT_EQ(hc_metrics_prometheus(twice, unnamed, 2, nullptr, 0, &count), HC_E_INVALID);
  const hc_str alike[] = {HC_STR("a"), HC_STR("a")};
  EXPECT_EQ(hc_metrics_prometheus(twice, alike, 2, nullptr, 0, &count), HC_E_INVALID);
  const hc_str apart[] = {HC_STR("a"), HC_STR("b")};
  size_t length = 0;
  EXPECT_EQ(hc_metrics_prometheus(twice, apart, 2, nullptr, 0, &length), HC_OK);
  EXPECT_GT(length, 0u);
  hc_str names[] = {HC_STR("a"), HC_STR("b")};
  EXPECT_EQ(hc_metrics_prometheus(two, names, 2, nullptr, 0, &count), HC_E_INVALID) << "the second is NULL";
  EXPECT_EQ(count, 99u);
}

TEST_F(Arguments, TraceEventsHaveNames) {
  EXPECT_STREQ(hc_trace_name(HC_TRACE_CONNECTION_QUEUED_START), "connection_queued_start");
  EXPECT_STREQ(hc_trace_name(HC_TRACE_CONNECTION_CLOSED), "connection_closed");
  EXPECT_STREQ(hc_trace_name(0), "?");
  EXPECT_STREQ(hc_trace_name(-1), "?");
}

TEST_F(Arguments, NullOutputsAreRefused) {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  hc_completion item;
  size_t count = 0;
  EXPECT_EQ(hc_session_create(nullptr, &options, &error_), HC_E_INVALID);
  EXPECT_TRUE(message_names("out")) << error_.message;
  EXPECT_EQ(hc_queue_create(nullptr, &error_), HC_E_INVALID);
  EXPECT_TRUE(message_names("out")) << error_.message;
  request_.queue = nullptr;
  EXPECT_EQ(hc_session_perform(client_.get(), &request_, nullptr, &error_), HC_E_INVALID);
  EXPECT_TRUE(message_names("out")) << error_.message;
  EXPECT_EQ(hc_session_submit(client_.get(), nullptr, nullptr, &error_), HC_E_INVALID);
  EXPECT_TRUE(message_names("request")) << error_.message;
  EXPECT_EQ(hc_queue_drain(client_.queue().get(), nullptr, sizeof item, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_queue_drain(client_.queue().get(), &item, sizeof item, 1, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_session_stats(client_.get(), nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_runtime_get_info(nullptr), HC_E_INVALID);
}

TEST_F(Arguments, NoPointerIsReadForItsLength) {
  const hc_str none{nullptr, 5};
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  options.deny_addresses = options.allow_addresses = options.unix_path = options.proxy = none;
  hc_session* session = nullptr;
  EXPECT_EQ(hc_session_create(&session, &options, &error_), HC_OK) << error_.message;
  EXPECT_EQ(hc_session_dns_clear(session, none), HC_OK);
  EXPECT_EQ(hc_session_resolve_add(session, none, 0, &none, 1, &error_), HC_E_INVALID);
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("a.test"), 0, &none, 1, &error_), HC_E_INVALID);
  hc_session_free(session);

  hc_tls_options tls_options;
  hc_tls_options_init(&tls_options, sizeof tls_options);
  tls_options.pins = &none;
  tls_options.pin_count = 1;
  hc_tls* tls = nullptr;
  EXPECT_EQ(hc_tls_create(&tls, &tls_options, &error_), HC_E_INVALID);
}

TEST_F(Arguments, ErrorIsOptionalEverywhere) {
  hc_session* session = nullptr;
  EXPECT_EQ(hc_session_create(nullptr, nullptr, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_session_submit(nullptr, nullptr, nullptr, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_session_resolve_add(client_.get(), hc_str{}, 0, nullptr, 0, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_session_create(&session, nullptr, nullptr), HC_OK);
  EXPECT_EQ(hc_session_close(session, 0), HC_OK);
  hc_session_free(session);
}

TEST_F(Arguments, StructsOfAnotherSizeAreRefused) {
  hc_session* session = reinterpret_cast<hc_session*>(kUntouched);
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  for (uint32_t size : {0U, 4U, uint32_t{sizeof options} - 4, uint32_t{sizeof options} + 8}) {
    options.struct_size = size;
    EXPECT_EQ(hc_session_create(&session, &options, &error_), HC_E_INVALID) << size;
    EXPECT_TRUE(message_names("options->struct_size")) << error_.message;
  }
  EXPECT_EQ(session, reinterpret_cast<hc_session*>(kUntouched));

  hc_id id = 77;
  for (uint32_t size : {0U, 4U, uint32_t{sizeof request_} - 8, uint32_t{sizeof request_} + 8}) {
    request_.struct_size = size;
    EXPECT_EQ(hc_session_submit(client_.get(), &request_, &id, &error_), HC_E_INVALID) << size;
    EXPECT_TRUE(message_names("request->struct_size")) << error_.message;
  }
  EXPECT_EQ(id, 77u);
}

TEST_F(Arguments, ResultStructsOfAnotherSizeStayUntouched) {
  hc_stats stats{};
  stats.submitted = 99;
  EXPECT_EQ(hc_session_stats(client_.get(), &stats), HC_E_INVALID);
  EXPECT_EQ(stats.submitted, 99u);
  hc_runtime_info runtime{};
  runtime.descriptor_limit = 99;
  EXPECT_EQ(hc_runtime_get_info(&runtime), HC_E_INVALID);
  EXPECT_EQ(runtime.descriptor_limit, 99u);
}

// As if compiled against a shorter or a longer header: the library may not write behind the end.
TEST_F(Arguments, ErrorsOfAnotherSizeStayUntouched) {
  for (uint32_t size : {0U, 8U, uint32_t{sizeof(hc_error)} + 8}) {
    auto bytes = std::make_unique<unsigned char[]>(std::max<size_t>(size, sizeof size));
    std::memset(bytes.get(), 0x5A, std::max<size_t>(size, sizeof size));
    std::memcpy(bytes.get(), &size, sizeof size);
    EXPECT_EQ(hc_session_submit(nullptr, nullptr, nullptr, reinterpret_cast<hc_error*>(bytes.get())),
              HC_E_INVALID);
    for (size_t i = sizeof size; i < size; ++i) EXPECT_EQ(bytes[i], 0x5A);
  }
}

TEST_F(Arguments, InitFunctionsRefuseNullAndOtherSizes) {
  hc_session_options options{};
  hc_request request{};
  hc_error error{};
  EXPECT_EQ(hc_session_options_init(nullptr, sizeof options), HC_E_INVALID);
  EXPECT_EQ(hc_session_options_init(&options, sizeof options - 1), HC_E_INVALID);
  EXPECT_EQ(hc_session_options_init(&options, sizeof options + 8), HC_E_INVALID);
  EXPECT_EQ(options.struct_size, 0u);
  EXPECT_EQ(hc_request_init(nullptr, sizeof request), HC_E_INVALID);
  EXPECT_EQ(hc_request_init(&request, 0), HC_E_INVALID);
  EXPECT_EQ(request.struct_size, 0u);
  EXPECT_EQ(hc_error_init(nullptr, sizeof error), HC_E_INVALID);
  EXPECT_EQ(hc_error_init(&error, 3), HC_E_INVALID);
  EXPECT_EQ(error.struct_size, 0u);
}

TEST_F(Arguments, AnErrorIsOnlyWrittenOnFailure) {
  std::memset(error_.message, 'x', 8);
  error_.status = 1234;
  hc_id id = 0;
  ASSERT_EQ(hc_session_submit(client_.get(), &request_, &id, &error_), HC_OK);
  EXPECT_EQ(error_.status, 1234);
  EXPECT_EQ(error_.message[0], 'x');
  EXPECT_NE(id, 0u);
  client_.wait(id);
}

TEST_F(Arguments, OverridesAreChecked) {
  hc_str good = HC_STR("127.0.0.1");
  hc_str bad = HC_STR("localhost");
  hc_session* session = client_.get();
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("a.test"), 80, &bad, 1, &error_), HC_E_INVALID);
  EXPECT_TRUE(message_names("addresses[0]")) << error_.message;
  EXPECT_EQ(hc_session_resolve_add(session, hc_str{}, 80, &good, 1, &error_), HC_E_INVALID);
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("*"), 80, &good, 1, &error_), HC_E_INVALID);
  EXPECT_STREQ(error_.message, "host: \"*\" is no host of a URL");
  EXPECT_TRUE(message_names("host")) << error_.message;
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("a.test"), 80, nullptr, 1, &error_), HC_E_INVALID);
  std::vector<hc_str> many(65, good);
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("a.test"), 80, many.data(), many.size(), &error_),
            HC_E_INVALID);
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("a.test"), 80, many.data(), 64, &error_), HC_OK);
  EXPECT_EQ(hc_session_resolve_add(session, HC_STR("a.test"), 80, nullptr, 0, &error_), HC_OK);
}

TEST(Names, EveryStatusHasAnOwnNameAndText) {
  const hc_status all[] = {HC_OK,
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
  std::vector<std::string> names;
  for (hc_status status : all) {
    names.emplace_back(hc_status_name(status));
    EXPECT_TRUE(names.back() == "HC_OK" || names.back().rfind("HC_E_", 0) == 0) << status;
    EXPECT_STRNE(hc_status_text(status), hc_status_text(1)) << names.back();
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_STREQ(hc_status_name(1), "HC_E_?");
  EXPECT_STREQ(hc_status_name(INT32_MIN), "HC_E_?");
  EXPECT_STREQ(hc_status_name(HC_E_TIMEOUT_SOCK_READ), "HC_E_TIMEOUT_SOCK_READ");
}

TEST(Names, EveryPhaseHasAName) {
  EXPECT_STREQ(hc_phase_name(HC_PHASE_NONE), "none");
  EXPECT_STREQ(hc_phase_name(HC_PHASE_CONNECTING), "connecting");
  EXPECT_STREQ(hc_phase_name(HC_PHASE_DONE), "done");
  EXPECT_STREQ(hc_phase_name(-1), "?");
  EXPECT_STREQ(hc_phase_name(HC_PHASE_DONE + 1), "?");
}

TEST(Runtime, TellsWhatItRunsOn) {
  hc_runtime_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(hc_runtime_get_info(&info), HC_OK);
  EXPECT_GE(info.curl_version_number, 0x075801u);
  EXPECT_GT(info.curl_version.len, 0u);
  EXPECT_GT(info.ares_version.len, 0u);
  EXPECT_GT(info.tls_version.len, 0u);
  EXPECT_EQ(info.descriptor_budget, info.descriptor_limit * 4 / 5);
  EXPECT_EQ(info.descriptors_in_use, 0u);
  EXPECT_EQ(hc_version_number(), uint32_t{HC_VERSION_NUMBER});
  EXPECT_STREQ(hc_version(), HC_VERSION_STRING);
}

}  // namespace
}  // namespace hc::test
