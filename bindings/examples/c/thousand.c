/*
 * 1,000 requests through one session, over at most 50 connections. One of them fails, and says why.
 *
 *     cc -std=c99 thousand.c $(pkg-config --cflags --libs libhc) -o thousand
 *     hcx serve --http 127.0.0.1:8080 &
 *     ./thousand http://127.0.0.1:8080
 */
#define _POSIX_C_SOURCE 200809L
#include <hc/hc.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REQUESTS = 1000, CONNECTIONS = 50, FAILING = 500 };

typedef struct {
  size_t answers, failures, bytes;
} tally;

/* Request N asks for N bytes, but for one, whose connection the server resets. */
static hc_status submit(hc_session *session, hc_queue *queue, const char *base, uintptr_t number,
                        hc_error *error) {
  char url[512];
  int length = number == FAILING ? snprintf(url, sizeof url, "%s/reset", base)
                                 : snprintf(url, sizeof url, "%s/bytes/%zu", base, (size_t)number);
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = (hc_str){url, (size_t)length < sizeof url ? (size_t)length : sizeof url - 1};
  request.queue = queue;
  request.user_data = (void *)number;
  return hc_session_submit(session, &request, NULL, error);
}

static void count(tally *sum, const hc_completion *done) {
  if (done->status != HC_OK) {
    hc_error error;
    hc_error_init(&error, sizeof error);
    hc_response_error(done->response, &error);
    printf("request %" PRIuPTR " failed: %s: %s\n", (uintptr_t)done->user_data, hc_status_name(error.status),
           error.message);
    ++sum->failures;
  } else if (done->http_status == 200) {
    ++sum->answers;
    sum->bytes += done->body.len;
  }
}

/* Every request that was accepted completes exactly once, so this ends. */
static hc_status collect(hc_queue *queue, tally *sum) {
  for (size_t open = REQUESTS; open > 0;) {
    hc_completion done[64];
    size_t taken;
    hc_status status = hc_queue_wait(queue, HC_FOREVER, NULL);
    if (status == HC_OK) status = hc_queue_drain(queue, done, sizeof done[0], 64, &taken);
    if (status != HC_OK) return status;
    for (size_t i = 0; i < taken; ++i) {
      count(sum, &done[i]);
      hc_response_free(done[i].response);
    }
    open -= taken;
  }
  return HC_OK;
}

static hc_status run(hc_session *session, hc_queue *queue, const char *base, tally *sum, hc_error *error) {
  for (uintptr_t number = 0; number < REQUESTS; ++number) {
    hc_status status = submit(session, queue, base, number, error);
    if (status != HC_OK) return status;
  }
  return collect(queue, sum);
}

/* Makes session and queue, and takes both down again whatever happens. */
static hc_status fetch(const char *base, tally *sum, hc_stats *stats, hc_error *error) {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  options.limit = CONNECTIONS; /* the others wait in line */
  hc_session *session = NULL;
  hc_queue *queue = NULL;
  hc_status status = hc_session_create(&session, &options, error);
  if (status == HC_OK) status = hc_queue_create(&queue, error);
  if (status == HC_OK) status = run(session, queue, base, sum, error);
  if (status == HC_OK) status = hc_session_close(session, HC_FOREVER);
  stats->struct_size = sizeof *stats;
  if (status == HC_OK) status = hc_session_stats(session, stats);
  hc_session_free(session);
  hc_queue_close(queue);
  return status;
}

static size_t entries(const char *directory) {
  size_t found = 0;
  DIR *listing = opendir(directory);
  while (listing != NULL && readdir(listing) != NULL) ++found;
  if (listing != NULL) closedir(listing);
  return found;
}

/* The kernel may list a thread for a moment after it was joined. */
static bool threads_become(size_t expected) {
  const struct timespec moment = {0, 1000000};
  for (int patience = 5000; entries("/proc/self/task") != expected; --patience) {
    if (patience == 0) return false;
    nanosleep(&moment, NULL);
  }
  return true;
}

static bool adds_up(const tally *sum, const hc_stats *stats) {
  const size_t bytes = REQUESTS * (REQUESTS - 1) / 2 - FAILING;
  return sum->answers == REQUESTS - 1 && sum->failures == 1 && sum->bytes == bytes &&
         stats->submitted == REQUESTS && stats->sockets_peak <= CONNECTIONS &&
         stats->sockets_opened == stats->sockets_closed;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: thousand URL\n");
    return 2;
  }
  const size_t descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  tally sum = {0, 0, 0};
  hc_stats stats;
  hc_error error;
  hc_error_init(&error, sizeof error);
  hc_status status = fetch(argv[1], &sum, &stats, &error);
  if (status != HC_OK) {
    fprintf(stderr, "thousand: %s: %s\n", hc_status_name(status),
            error.status == status ? error.message : hc_status_text(status));
    return 1;
  }
  const bool leaks = !threads_become(threads) || entries("/proc/self/fd") != descriptors;
  printf("%zu answers, %zu bytes, %zu failure, at most %" PRIu64 " connections%s\n", sum.answers, sum.bytes,
         sum.failures, stats.sockets_peak, leaks ? "; something was left open" : "");
  return adds_up(&sum, &stats) && !leaks ? 0 : 1;
}
