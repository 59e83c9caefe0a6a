// Requests one after another, through one session or through one session each:
// URL REQUESTS shared|each [ca_file=F]
#include <string>

#include "libhc_client.h"

namespace {

using bench::must;

hc_session* create_session(const std::string& ca_file) {
  hc_session_options options;
  must(hc_session_options_init(&options, sizeof options), "init");
  if (!ca_file.empty()) options.ca_file = bench::view(ca_file);
  hc_session* session = nullptr;
  must(hc_session_create(&session, &options, nullptr), "create");
  return session;
}

void perform(hc_session* session, const hc_request& request) {
  hc_response* response = nullptr;
  must(hc_session_perform(session, &request, &response, nullptr), "perform");
  if (hc_response_http_status(response) != 200) bench::die("not 200");
  hc_response_free(response);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 3);
  const long total = arguments.number(size_t{1});
  const bool is_shared = arguments.at(2) == "shared";
  const std::string ca_file = arguments.text("ca_file");
  hc_request request;
  must(hc_request_init(&request, sizeof request), "init");
  request.url = bench::view(arguments.at(0));

  const bench::Stopwatch watch;
  hc_session* session = is_shared ? create_session(ca_file) : nullptr;
  for (long i = 0; i < total; ++i) {
    if (!is_shared) session = create_session(ca_file);
    perform(session, request);
    if (!is_shared) hc_session_free(session);
  }
  bench::Report report;
  report.add("requests", static_cast<double>(total));
  report.add("seconds", watch.seconds());
  report.print();
  if (is_shared) hc_session_free(session);
  return 0;
}
