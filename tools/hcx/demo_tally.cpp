#include "hcx/demo_tally.h"

namespace hc::hcx {

namespace {

// As hc_stats counts them: HC_E_CLOSED is what became of those that waited.
bool is_cancelled(hc_status status) { return status == HC_E_CANCELLED || status == HC_E_CLOSED; }

}  // namespace

void Tally::count(const Errand& errand, const hc_completion& completion) {
  ++completions;
  if (completion.status == HC_OK) {
    count_answer(errand, completion);
  } else if (is_cancelled(completion.status)) {
    ++cancelled;
  } else {
    ++failed;
    ++failures[completion.status];
  }
  if (is_expected(errand, completion)) return;
  if (impossible++ > 0) return;
  const hc_error error = error_of(completion.response);
  first_impossible = std::string(hc_status_name(completion.status)) + " " +
                     std::to_string(completion.http_status) + " " + error.message;
}

bool Tally::is_expected(const Errand& errand, const hc_completion& completion) const {
  if (is_closing && is_cancelled(completion.status)) return true;
  return is_possible(errand, completion.status, completion.http_status);
}

void Tally::count_answer(const Errand& errand, const hc_completion& completion) {
  ++answered;
  ++answers[completion.http_status / 100];
  ++bodies_checked;
  if (errand.kind == Kind::kPost) ++echoes_checked;
  if (!is_right_body(errand, view(completion.body))) ++bodies_wrong;
  if (completion.http_status / 100 != 2) return;
  const hc_timing timing = info_of(completion.response).timing;
  since_submit.push_back(timing.done_ns);
  since_start.push_back(timing.done_ns - timing.started_ns);
}

}  // namespace hc::hcx
