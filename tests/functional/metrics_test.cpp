// Histograms, origins and the Prometheus text of sessions that did something.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "serve/http_server.h"
#include "support/client.h"

namespace hc::test {
namespace {

using serve::HttpServer;
using testing::HasSubstr;

hc_histograms histograms_of(const Client& client) {
  hc_histograms all{};
  all.struct_size = sizeof all;
  EXPECT_EQ(hc_session_histograms(client.get(), &all), HC_OK);
  return all;
}

std::vector<hc_origin_stats> origins_of(const Client& client) {
  std::vector<hc_origin_stats> rows(HC_MAX_ORIGINS);
  size_t count = 0;
  EXPECT_EQ(hc_session_origins(client.get(), rows.data(), sizeof rows[0], rows.size(), &count), HC_OK);
  rows.resize(count);
  return rows;
}

std::string prometheus_of(const std::vector<hc_session*>& sessions, const std::vector<hc_str>& names = {}) {
  std::string text(1 << 20, '\0');
  size_t length = 0;
  EXPECT_EQ(hc_metrics_prometheus(sessions.data(), names.empty() ? nullptr : names.data(), sessions.size(),
                                  text.data(), text.size(), &length),
            HC_OK);
  EXPECT_LE(length, text.size());
  text.resize(std::min(length, text.size()));
  return text;
}

class Numbers : public testing::Test {
 protected:
  Numbers() {
    serve::HttpServerOptions options;
    options.listeners[0].address = "0.0.0.0";
    server_ = std::make_unique<HttpServer>(options);
    server_->start();
  }
  std::string url(std::string_view path, int origin = 1) const {
    return "http://" + loopback(origin) + ":" + std::to_string(server_->port()) + std::string(path);
  }
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Numbers, HistogramsCountEachRequestOnce) {
  Client client([](hc_session_options& o) { o.limit = 2; });
  for (int i = 0; i < 20; ++i) client.submit(url("/delay/2"));
  client.collect(20);
  client.fetch(url("/reset"));
  hc_histograms all = histograms_of(client);
  EXPECT_EQ(all.total.count, 21u);
  EXPECT_GE(all.waiting.count, 21u) << "more if a connection was lost";
  EXPECT_GE(all.connect.count, 2u);
  EXPECT_EQ(all.connect.count, client.stats().connections_made);
  EXPECT_EQ(all.first_byte.count, 20u);
  EXPECT_EQ(all.waiting.sum_ns, client.stats().waited_ns);
  ASSERT_EQ(all.bound_count, HC_HISTOGRAM_BUCKETS - 1u);
  EXPECT_TRUE(std::is_sorted(all.bounds_ns, all.bounds_ns + all.bound_count));
  // The server takes 2 ms: nothing before that, and with every clock of the process the same.
  uint64_t too_soon = 0;
  for (size_t i = 0; all.bounds_ns[i] < 2'000'000; ++i) too_soon += all.first_byte.buckets[i];
  EXPECT_EQ(too_soon, 0u);
}

TEST_F(Numbers, OriginsAddUpToTheSession) {
  Client client;
  for (int i = 0; i < 30; ++i) client.submit(url("/bytes/1", 1 + i % 3));
  client.collect(30);
  client.fetch(url("/reset", 1));
  client.fetch("http://127.0.0.1:1/");
  std::vector<hc_origin_stats> rows = origins_of(client);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].origin, "http://127.0.0.1:" + std::to_string(server_->port())) << "the busiest";
  EXPECT_EQ(rows[0].submitted, 11u);
  EXPECT_EQ(rows[0].failed, 1u);
  EXPECT_STREQ(rows[3].origin, "http://127.0.0.1:1");
  EXPECT_EQ(rows[3].sockets, 0u);
  EXPECT_EQ(rows[1].sockets, rows[1].sockets_idle);
  EXPECT_GE(rows[1].sockets_idle, 1u);
  hc_stats stats = client.stats();
  hc_origin_stats sum{};
  for (const hc_origin_stats& row : rows) {
    sum.submitted += row.submitted;
    sum.succeeded += row.succeeded;
    sum.failed += row.failed;
    sum.connections_made += row.connections_made;
    sum.connections_reused += row.connections_reused;
  }
  EXPECT_EQ(sum.submitted, stats.submitted);
  EXPECT_EQ(sum.succeeded, stats.succeeded);
  EXPECT_EQ(sum.failed, stats.failed);
  EXPECT_EQ(sum.connections_made, stats.connections_made);
  EXPECT_EQ(sum.connections_reused, stats.connections_reused);
}

TEST_F(Numbers, ManyOriginsAreBounded) {
  Client client([](hc_session_options& o) { o.keepalive_timeout_ms = 0; });
  constexpr uint64_t kOrigins = 600;
  std::vector<hc_str> address{HC_STR("127.0.0.1")};
  for (uint64_t i = 0; i < kOrigins; ++i) {
    client.submit("http://h" + std::to_string(i) + ".test:" + std::to_string(server_->port()) + "/bytes/1",
                  [&](hc_request& request) {
                    request.addresses = address.data();
                    request.address_count = 1;
                  });
  }
  client.collect(kOrigins);
  std::vector<hc_origin_stats> rows = origins_of(client);
  EXPECT_LE(rows.size(), size_t{HC_MAX_ORIGINS});
  EXPECT_STREQ(rows.back().origin, "") << "all the others";
  uint64_t succeeded = 0;
  for (const hc_origin_stats& row : rows) succeeded += row.succeeded;
  EXPECT_EQ(succeeded, kOrigins);
}

TEST_F(Numbers, TheyAreReadWhileTheLoopRunsAndAfterIt) {
  Client client;
  std::atomic<bool> is_over{false};
  std::thread reader([&] {
    while (!is_over) {
      client.stats();  // checks its sums
      for (const hc_origin_stats& row : origins_of(client)) {
        EXPECT_EQ(row.submitted, row.succeeded + row.failed + row.cancelled + row.in_flight);
        EXPECT_LE(row.in_flight, 300u);
      }
      hc_histogram total = histograms_of(client).total;
      EXPECT_EQ(total.count,
                std::accumulate(std::begin(total.buckets), std::end(total.buckets), uint64_t{0}));
    }
  });
  for (int i = 0; i < 300; ++i) client.submit(url("/bytes/1", 1 + i % 20));
  client.collect(300);
  is_over = true;
  reader.join();
  client.close();
  EXPECT_EQ(histograms_of(client).total.count, 300u);
  EXPECT_THAT(prometheus_of({client.get()}), HasSubstr("libhc_requests_total{outcome=\"succeeded\"} 300\n"));
}

TEST_F(Numbers, TheLoopTellsHowBusyItIs) {
  Client client;
  std::atomic<bool> is_done{false};
  client.submit(url("/bytes/1"), [&](hc_request& request) {
    request.queue = nullptr;
    request.user_data = &is_done;
    request.on_done = [](const hc_completion* completion, void* flag) {
      hc_response_free(completion->response);
      std::this_thread::sleep_for(milliseconds(30));  // what the numbers are to show
      *static_cast<std::atomic<bool>*>(flag) = true;
    };
  });
  ASSERT_TRUE(eventually([&] { return is_done.load(); }));
  client.fetch(url("/delay/200"));
  client.fetch(url("/bytes/1"));  // a turn is counted at its end: now the one that waited is
  hc_stats stats = client.stats();
  EXPECT_GE(stats.loop_worst_turn_ns, 30'000'000u);
  EXPECT_GE(stats.loop_busy_ns, stats.loop_worst_turn_ns);
  EXPECT_LE(stats.loop_busy_ns + 10'000'000, stats.loop_elapsed_ns) << "it waited for the server";
}

TEST_F(Numbers, APrometheusTextThatDoesNotFitIsNotWritten) {
  Client client;
  hc_session* session = client.get();
  size_t length = 0;
  ASSERT_EQ(hc_metrics_prometheus(&session, nullptr, 1, nullptr, 0, &length), HC_OK);
  EXPECT_GT(length, 1000u);
  std::string text(length - 1, '.');
  size_t again = 0;
  ASSERT_EQ(hc_metrics_prometheus(&session, nullptr, 1, text.data(), 100, &again), HC_OK);
  EXPECT_GT(again, 100u);
  EXPECT_EQ(text.find_first_not_of('.'), std::string::npos);
}

/// promtool's exit code and what it said about `text`.
std::pair<int, std::string> promtool(const std::string& text) {
  std::string file = testing::TempDir() + "hc_metrics_" + std::to_string(getpid());
  std::FILE* out = std::fopen(file.c_str(), "w");
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  std::FILE* said = popen(("promtool check metrics --extended < " + file + " 2>&1").c_str(), "r");
  std::array<char, 65536> buffer{};
  std::string words(buffer.data(), std::fread(buffer.data(), 1, buffer.size(), said));
  int status = pclose(said);
  std::remove(file.c_str());
  return {WEXITSTATUS(status), words};
}

TEST_F(Numbers, PromtoolAcceptsThem) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "no promtool (Debian: prometheus)";
  Client one;
  Client two;
  for (int i = 0; i < 20; ++i) one.submit(url(i % 4 == 0 ? "/reset" : "/delay/3", 1 + i % 3));
  one.collect(20);
  two.fetch("http://127.0.0.1:1/");
  std::string text = prometheus_of({one.get(), two.get()}, {HC_STR("one"), HC_STR("quoted \"two\"\n\\")});
  auto [code, words] = promtool(text);
  EXPECT_EQ(code, 0) << words << text;
  EXPECT_THAT(text, HasSubstr("http_client_request_duration_seconds_count{session=\"one\"} 20\n"));
  EXPECT_THAT(text, HasSubstr("libhc_request_errors_total{session=\"quoted \\\"two\\\"\\n\\\\\","
                              "error_type=\"HC_E_CONNECT\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("server_address=\"127.0.0.1\",server_port=\"1\",url_scheme=\"http\""));
  EXPECT_EQ(promtool("libhc_wrong_total{ 1\n").first, 1) << "a check that can fail";
}

}  // namespace
}  // namespace hc::test
