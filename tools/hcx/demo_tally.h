// What came of the demo's requests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hcx/abi.h"
#include "hcx/demo_plan.h"

namespace hc::hcx {

struct Tally {
  std::uint64_t submitted = 0;
  std::uint64_t completions = 0;
  std::uint64_t strays = 0;  // completions of no request that was under way
  std::uint64_t cancels_asked = 0;

  bool is_closing = false;  // the session ends what is left: cancelled, each of them

  std::uint64_t answered = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t failed = 0;
  std::map<int, std::uint64_t> answers;  // by hundreds of the HTTP status
  std::map<hc_status, std::uint64_t> failures;

  std::uint64_t bodies_checked = 0;
  std::uint64_t echoes_checked = 0;
  std::uint64_t bodies_wrong = 0;
  std::uint64_t impossible = 0;  // outcomes that their request cannot have
  std::string first_impossible;

  // Of 2xx answers, in ns: since the submit, and since a slot was given.
  std::vector<std::uint64_t> since_submit;
  std::vector<std::uint64_t> since_start;

  void count(const Errand& errand, const hc_completion& completion);

 private:
  bool is_expected(const Errand& errand, const hc_completion& completion) const;
  void count_answer(const Errand& errand, const hc_completion& completion);
};

}  // namespace hc::hcx
