// Keep-alive GETs through the C interface and one completion queue: URL OUTSTANDING REQUESTS [LIMIT]
#include <hc/hc.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void must(hc_status status, const char* what) {
  if (status == HC_OK) return;
  std::fprintf(stderr, "%s: %s\n", what, hc_status_name(status));
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  long outstanding = std::atol(argv[2]);
  long total = std::atol(argv[3]);
  hc_session_options options;
  must(hc_session_options_init(&options, sizeof options), "init");
  options.limit = argc > 4 ? static_cast<uint64_t>(std::atol(argv[4])) : static_cast<uint64_t>(outstanding);
  hc_session* session = nullptr;
  must(hc_session_create(&session, &options, nullptr), "create");
  hc_queue* queue = nullptr;
  must(hc_queue_create(&queue, nullptr), "queue");
  hc_request request;
  must(hc_request_init(&request, sizeof request), "init");
  request.url = {argv[1], std::strlen(argv[1])};
  request.queue = queue;

  auto start = std::chrono::steady_clock::now();
  long submitted = 0;
  long done = 0;
  long failed = 0;
  auto submit = [&] {
    must(hc_session_submit(session, &request, nullptr, nullptr), "submit");
    ++submitted;
  };
  while (submitted < outstanding && submitted < total) submit();
  std::vector<hc_completion> items(1024);
  while (done < total) {
    size_t ready = 0;
    must(hc_queue_wait(queue, HC_FOREVER, &ready), "wait");
    size_t count = 0;
    must(hc_queue_drain(queue, items.data(), sizeof items[0], items.size(), &count), "drain");
    for (size_t i = 0; i < count; ++i) {
      if (items[i].status != HC_OK || items[i].http_status != 200) {
        if (!failed++) {
          hc_error e;
          hc_error_init(&e, sizeof e);
          hc_response_error(items[i].response, &e);
          std::fprintf(stderr, "first failure: %s %s\n", hc_status_name(e.status), e.message);
        }
      }
      hc_response_free(items[i].response);
      ++done;
      if (submitted < total) submit();
    }
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%.0f req/s  cpu/req %.2f us rss %ld MB failed %ld\n", static_cast<double>(total) / seconds,
              cpu_seconds() / static_cast<double>(total) * 1e6, usage.ru_maxrss / 1024, failed);
  hc_session_close(session, 0);
  hc_session_free(session);
  hc_queue_close(queue);
  return failed == 0 ? 0 : 1;
}
