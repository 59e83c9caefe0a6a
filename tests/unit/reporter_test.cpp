#include "model/reporter.h"

#include <gmock/gmock.h>

#include <set>

namespace hc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Heard {
  std::vector<std::string> lines;
  std::vector<std::string> texts;

  SessionConfig config() {
    SessionConfig config;
    config.log_level = HC_LOG_INFO;
    config.on_log_data = config.on_trace_data = this;
    config.on_log = [](int32_t level, hc_str line, void* self) {
      static_cast<Heard*>(self)->lines.push_back(std::to_string(level) + " " +
                                                 std::string(line.data, line.len));
    };
    config.on_trace = [](const hc_trace_event* event, void* self) {
      EXPECT_EQ(event->struct_size, sizeof(hc_trace_event));
      static_cast<Heard*>(self)->texts.emplace_back(event->text.data, event->text.len);
    };
    return config;
  }
};

TEST(Reporter, SaysNothingBeforeItIsDelivered) {
  Heard heard;
  SessionConfig config = heard.config();
  Reporter reporter(config);
  reporter.log(HC_LOG_INFO, "one");
  reporter.trace({.kind = HC_TRACE_REQUEST_START, .text = "GET /"});
  EXPECT_THAT(heard.lines, IsEmpty());
  EXPECT_THAT(heard.texts, IsEmpty());
  reporter.deliver();
  reporter.deliver();
  EXPECT_THAT(heard.lines, ElementsAre("3 one"));
  EXPECT_THAT(heard.texts, ElementsAre("GET /"));
}

TEST(Reporter, ControlBytesAreEscapedWhereverTheyComeFrom) {
  Heard heard;
  SessionConfig config = heard.config();
  Reporter reporter(config);
  reporter.log(HC_LOG_INFO, "a\r\nb\x1b[31m\xc3");
  reporter.trace({.kind = HC_TRACE_REQUEST_EXCEPTION, .text = std::string("c\0d", 3)});
  reporter.deliver();
  EXPECT_THAT(heard.lines, ElementsAre("3 a\\x0d\\x0ab\\x1b[31m\\xc3"));
  EXPECT_THAT(heard.texts, ElementsAre("c\\x00d"));
}

TEST(Reporter, WantsNothingAboveTheLevelOrWithoutAHook) {
  Heard heard;
  SessionConfig config = heard.config();
  EXPECT_TRUE(Reporter(config).wants(HC_LOG_INFO));
  EXPECT_FALSE(Reporter(config).wants(HC_LOG_DEBUG));
  config.on_log = nullptr;
  config.on_trace = nullptr;
  EXPECT_FALSE(Reporter(config).wants(HC_LOG_ERROR));
  EXPECT_FALSE(Reporter(config).is_traced());
}

TEST(Reporter, AWarningThatRepeatsIsHeldBackAndCounted) {
  Heard heard;
  SessionConfig config = heard.config();
  Reporter reporter(config);
  TimePoint now = 1000 * kSecond;
  for (int i = 0; i < 5; ++i) reporter.warn(Warning::kStall, now + i * kSecond, "stall");
  reporter.warn(Warning::kLookup, now, "another kind");
  reporter.warn(Warning::kStall, now + 10 * kSecond, "stall");
  reporter.deliver();
  ASSERT_THAT(heard.lines, SizeIs(3));
  EXPECT_EQ(heard.lines[0], "2 stall");
  EXPECT_EQ(heard.lines[1], "2 another kind");
  EXPECT_THAT(heard.lines[2], HasSubstr("stall (and 4 more"));
}

TEST(TraceName, EachKindHasItsOwn) {
  std::set<std::string> names;
  for (int32_t kind = HC_TRACE_REQUEST_START; kind <= HC_TRACE_REQUEST_EXCEPTION; ++kind)
    names.insert(trace_name(kind));
  for (int32_t kind = HC_TRACE_ATTEMPT_START; kind <= HC_TRACE_CONNECTION_CLOSED; ++kind)
    names.insert(trace_name(kind));
  EXPECT_EQ(names.size(), 23U);
  EXPECT_EQ(names.count("?"), 0U);
}

}  // namespace
}  // namespace hc
