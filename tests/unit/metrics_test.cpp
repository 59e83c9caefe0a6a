#include "model/metrics.h"

#include <gmock/gmock.h>

#include <cstring>

#include "model/origin.h"
#include "model/prometheus.h"

namespace hc {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Histogram, SortsByUpperBoundsThatBelongToTheirBucket) {
  Histogram histogram;
  histogram.add(0);
  histogram.add(100 * kMicrosecond);
  histogram.add(100 * kMicrosecond + 1);
  histogram.add(300 * kSecond);
  histogram.add(301 * kSecond);
  hc_histogram reading = histogram.read();
  EXPECT_EQ(reading.buckets[0], 2U);
  EXPECT_EQ(reading.buckets[1], 1U);
  EXPECT_EQ(reading.buckets[HC_HISTOGRAM_BUCKETS - 2], 1U);
  EXPECT_EQ(reading.buckets[HC_HISTOGRAM_BUCKETS - 1], 1U) << "what is beyond every bound";
  EXPECT_EQ(reading.count, 5U);
  EXPECT_EQ(reading.sum_ns, uint64_t{601 * kSecond + 200 * kMicrosecond + 1});
}

TEST(OriginTable, KeepsARowWhenItsOriginIsGone) {
  OriginTable table;
  auto row = table.open("http://a.test:80");
  row->submitted.add(3);
  row->succeeded.add(2);
  table.close(*row);
  EXPECT_EQ(table.open("http://a.test:80"), row);
  ASSERT_EQ(table.read().size(), 1U);
  EXPECT_STREQ(table.read()[0].origin, "http://a.test:80");
  EXPECT_EQ(table.read()[0].in_flight, 1U);
}

TEST(OriginTable, TheLongestUnusedGoesIntoTheCommonRow) {
  OriginTable table(2);
  for (const char* name : {"a", "b"}) {
    auto row = table.open(name);
    row->submitted.add(1);
    row->succeeded.add(1);
    table.close(*row);
  }
  table.close(*table.open("a"));  // used again: b is the oldest now
  table.open("c")->submitted.add(5);
  std::vector<hc_origin_stats> rows = table.read();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_STREQ(rows[0].origin, "c") << "the busiest first";
  EXPECT_STREQ(rows[1].origin, "a");
  EXPECT_STREQ(rows[2].origin, "");
  EXPECT_EQ(rows[2].submitted, 1U);
  EXPECT_EQ(rows[2].succeeded, 1U);
}

TEST(OriginTable, OriginsInUseAreNotForgotten) {
  OriginTable table(1);
  auto first = table.open("a");
  auto second = table.open("b");
  auto third = table.open("c");
  EXPECT_EQ(second, third) << "no room: both count in the common row";
  second->submitted.add();
  third->submitted.add();
  table.close(*second);
  table.close(*third);
  std::vector<hc_origin_stats> rows = table.read();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_STREQ(rows[1].origin, "");
  EXPECT_EQ(rows[1].submitted, 2U);
}

TEST(OriginTable, AVeryLongNameIsCut) {
  OriginTable table;
  table.open("http://" + std::string(400, 'a') + ":80");
  EXPECT_EQ(std::strlen(table.read()[0].origin), 271U);
}

TEST(OriginName, IsAUrlsBeginning) {
  EXPECT_EQ(name_of({true, 443, "example.org"}), "https://example.org:443");
  EXPECT_EQ(name_of({false, 8080, "::1"}), "http://[::1]:8080");
  EXPECT_EQ(name_of({false, 80, "a\x1b[31m"}), "http://a\\x1b[31m:80");
}

TEST(PrometheusText, HasEachMetricOnceWithTheLinesOfAllSessions) {
  MetricsReading one;
  one.session = "one";
  one.stats.in_flight = 3;
  one.histograms = Metrics().histograms();
  MetricsReading two = one;
  two.session = "two";
  std::string text = prometheus_text({one, two});
  EXPECT_THAT(text, HasSubstr("# TYPE http_client_active_requests gauge\n"
                              "http_client_active_requests{session=\"one\"} 3\n"
                              "http_client_active_requests{session=\"two\"} 3\n"));
  size_t first = text.find("# TYPE libhc_requests_total ");
  EXPECT_EQ(text.find("# TYPE libhc_requests_total ", first + 1), std::string::npos);
}

TEST(PrometheusText, BucketsAreCumulativeAndInSeconds) {
  Metrics metrics;
  metrics.total.add(2 * kMillisecond);
  metrics.total.add(40 * kMillisecond);
  MetricsReading reading;
  reading.histograms = metrics.histograms();
  std::string text = prometheus_text({reading});
  const std::string name = "http_client_request_duration_seconds";
  EXPECT_THAT(text, HasSubstr(name + "_bucket{le=\"0.001\"} 0\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{le=\"0.0025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{le=\"0.05\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr(name + "_bucket{le=\"+Inf\"} 2\n" + name + "_sum 0.042\n" + name + "_count 2\n"));
}

TEST(PrometheusText, OriginsAreTakenApart) {
  MetricsReading reading;
  hc_origin_stats row{};
  std::strcpy(row.origin, "https://[::1]:8443");
  reading.origins = {row, hc_origin_stats{}};
  std::string text = prometheus_text({reading});
  EXPECT_THAT(text, HasSubstr("libhc_origin_sockets{server_address=\"[::1]\",server_port=\"8443\","
                              "url_scheme=\"https\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("libhc_origin_sockets{server_address=\"other\"} 0\n"));
}

}  // namespace
}  // namespace hc
