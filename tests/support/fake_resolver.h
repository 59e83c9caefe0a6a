#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "model/resolver.h"

namespace hc {

/// Holds every question until the test answers it.
class FakeResolver final : public Resolver {
 public:
  struct Question {
    std::string host;
    Family family;
    Done done;
  };

  void lookup(const std::string& host, Family family, Done done) override {
    ++asked;
    questions.push_back({host, family, std::move(done)});
  }

  /// Answers the oldest question about `host`.
  void answer(const std::string& host, const std::vector<std::string>& addresses) {
    LookupResult result;
    for (const std::string& text : addresses) result.addresses.push_back(IpAddress::parse(text).value());
    end(host, std::move(result));
  }
  void fail(const std::string& host, const std::string& reason = "no such name (NXDOMAIN)") {
    LookupResult result;
    result.status = Status(HC_E_DNS, reason).with_native(HC_NATIVE_ARES, 4);
    end(host, std::move(result));
  }

  /// The same with any result.
  void end(const std::string& host, LookupResult result) {
    auto is_about = [&host](const Question& question) { return question.host == host; };
    auto place = std::find_if(questions.begin(), questions.end(), is_about);
    ASSERT_NE(place, questions.end()) << "nobody asked for " << host;
    Question question = std::move(*place);
    questions.erase(place);
    question.done(std::move(result));
  }

  std::deque<Question> questions;
  size_t asked = 0;
};

}  // namespace hc
