// A program that was compiled against an earlier hc.h (abi/) and runs with the library of today: every struct that may
// grow has exactly the length of then, and the first byte beyond it must be neither read nor written.
#include <hc/hc.h>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "serve/http_server.h"

namespace hc::test {
namespace {

// `count` structs that end where memory ends: the page after them cannot be touched. The sanitizer watches the heap
// instead, and both sides.
template <typename Struct>
class Exactly {
 public:
  explicit Exactly(size_t count = 1) : bytes_(count * sizeof(Struct)) {
#if defined(__SANITIZE_ADDRESS__)
    memory_ = std::malloc(bytes_);
    items_ = static_cast<Struct*>(memory_);
#else
    memory_ = mmap(nullptr, mapped(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* end = static_cast<char*>(memory_) + mapped() - page();
    mprotect(end, page(), PROT_NONE);
    items_ = reinterpret_cast<Struct*>(end - bytes_);
#endif
    if constexpr (requires(Struct value) { value.struct_size; }) items_->struct_size = sizeof(Struct);
  }
  ~Exactly() {
#if defined(__SANITIZE_ADDRESS__)
    std::free(memory_);
#else
    munmap(memory_, mapped());
#endif
  }
  Exactly(const Exactly&) = delete;
  Exactly& operator=(const Exactly&) = delete;

  Struct* get() { return items_; }
  Struct* operator->() { return items_; }
  Struct& operator[](size_t i) { return items_[i]; }

 private:
  static size_t page() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
  size_t mapped() const { return (bytes_ + page() - 1) / page() * page() + page(); }

  size_t bytes_;
  void* memory_;
  Struct* items_;
};

std::string text(hc_str view) { return std::string(view.data, view.len); }

class OldProgram : public testing::Test {
 protected:
  OldProgram() {
    server_.start();
    hc_error_init(error_.get(), sizeof *error_.get());
    hc_session_options_init(options_.get(), sizeof *options_.get());
    hc_request_init(request_.get(), sizeof *request_.get());
    set_url("/bytes/100");
  }
  ~OldProgram() override {
    hc_response_free(response_);
    hc_session_free(session_);
  }

  void set_url(const char* path) {
    url_ = server_.url(0, path);
    request_->url = {url_.data(), url_.size()};
  }
  hc_status create() { return hc_session_create(&session_, options_.get(), error_.get()); }
  hc_status perform() {
    hc_response_free(response_);
    response_ = nullptr;
    return hc_session_perform(session_, request_.get(), &response_, error_.get());
  }

  serve::HttpServer server_;
  Exactly<hc_error> error_;
  Exactly<hc_session_options> options_;
  Exactly<hc_request> request_;
  hc_session* session_ = nullptr;
  hc_response* response_ = nullptr;
  std::string url_;
};

TEST_F(OldProgram, IsNotNewerThanTheLibrary) { EXPECT_LE(uint32_t{HC_VERSION_NUMBER}, hc_version_number()); }

TEST_F(OldProgram, ErrorsAreReported) {
  options_->limit = HC_UNSET - 1;
  EXPECT_EQ(create(), HC_E_INVALID);
  EXPECT_EQ(error_->struct_size, sizeof(hc_error));
  EXPECT_EQ(error_->status, HC_E_INVALID);
  EXPECT_EQ(std::string(error_->message).rfind("limit", 0), 0u) << error_->message;
}

TEST_F(OldProgram, ResponsesAreTold) {
  ASSERT_EQ(create(), HC_OK) << error_->message;
  ASSERT_EQ(perform(), HC_OK) << error_->message;
  Exactly<hc_response_info> info;
  ASSERT_EQ(hc_response_get_info(response_, info.get()), HC_OK);
  EXPECT_EQ(info->struct_size, sizeof(hc_response_info));
  EXPECT_EQ(info->http_status, 200);
  EXPECT_EQ(info->body.len, 100u);
  EXPECT_EQ(text(info->url), url_);
  EXPECT_EQ(info->history_count, 0u);
}

TEST_F(OldProgram, FailuresAndAttemptsAreTold) {
  ASSERT_EQ(create(), HC_OK);
  request_->user_data = this;
  set_url("/truncate?claimed=100&sent=50");
  EXPECT_EQ(perform(), HC_E_INCOMPLETE);
  EXPECT_EQ(error_->status, HC_E_INCOMPLETE);
  EXPECT_EQ(error_->phase, HC_PHASE_RECEIVING);
  set_url("/bytes/1");
  ASSERT_EQ(perform(), HC_OK);
  Exactly<hc_attempt> attempt;
  ASSERT_EQ(hc_response_attempt(response_, 0, attempt.get()), HC_OK);
  EXPECT_EQ(text(attempt->address), "127.0.0.1");
  EXPECT_EQ(attempt->port, server_.port());
  EXPECT_EQ(text(attempt->message), "");
  ASSERT_EQ(hc_response_error(response_, error_.get()), HC_OK);
  EXPECT_EQ(error_->status, HC_OK);
}

TEST_F(OldProgram, FieldsOfLaterVersionsAreNotSet) {
  ASSERT_EQ(create(), HC_OK);
  set_url("/method");
  ASSERT_EQ(perform(), HC_OK);
  EXPECT_EQ(text(hc_response_body(response_)), "GET");
  set_url("/echo");
  request_->method = HC_STR("POST");
  request_->body = HC_STR("as before");
  ASSERT_EQ(perform(), HC_OK);
  EXPECT_EQ(text(hc_response_body(response_)), "as before");
}

TEST_F(OldProgram, DrainsManyCompletionsOfItsOwnLength) {
  constexpr size_t kMany = 50;
  ASSERT_EQ(create(), HC_OK);
  hc_queue* queue = nullptr;
  ASSERT_EQ(hc_queue_create(&queue, error_.get()), HC_OK);
  request_->queue = queue;
  std::vector<hc_id> expected(kMany);
  for (hc_id& id : expected) {
    ASSERT_EQ(hc_session_submit(session_, request_.get(), &id, error_.get()), HC_OK) << error_->message;
  }
  Exactly<hc_completion> items(kMany);
  std::vector<hc_id> done;
  while (done.size() < kMany) {
    size_t count = 0;
    ASSERT_EQ(hc_queue_wait(queue, 10'000, &count), HC_OK);
    ASSERT_GT(count, 0u) << "nothing came within 10 s";
    ASSERT_EQ(hc_queue_drain(queue, items.get(), sizeof(hc_completion), kMany, &count), HC_OK);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(items[i].status, HC_OK);
      EXPECT_EQ(items[i].body.len, 100u);
      done.push_back(items[i].id);
      hc_response_free(items[i].response);
    }
  }
  std::sort(done.begin(), done.end());
  EXPECT_EQ(done, expected);
  hc_queue_close(queue);
}

TEST_F(OldProgram, TakesPiecesOfAStreamedBody) {
  ASSERT_EQ(create(), HC_OK);
  request_->stream = HC_ON;
  ASSERT_EQ(perform(), HC_OK) << error_->message;
  size_t length = 0;
  for (;;) {
    ASSERT_EQ(hc_response_wait(response_, 10'000), HC_OK);
    Exactly<hc_chunk> chunk;
    ASSERT_EQ(hc_response_take(response_, chunk.get()), HC_OK);
    length += chunk->bytes.len;
    if (chunk->block == nullptr) break;
    hc_block_free(chunk->block);
  }
  EXPECT_EQ(length, 100u);
}

TEST_F(OldProgram, ReadsStatistics) {
  ASSERT_EQ(create(), HC_OK);
  ASSERT_EQ(perform(), HC_OK);
  Exactly<hc_stats> stats;
  ASSERT_EQ(hc_session_stats(session_, stats.get()), HC_OK);
  EXPECT_EQ(stats->struct_size, sizeof(hc_stats));
  EXPECT_EQ(stats->submitted, 1u);
  EXPECT_GT(stats->loop_elapsed_ns, 0u);
  Exactly<hc_histograms> histograms;
  ASSERT_EQ(hc_session_histograms(session_, histograms.get()), HC_OK);
  EXPECT_EQ(histograms->total.count, 1u);
}

TEST_F(OldProgram, ReadsRowsOfItsOwnLength) {
  ASSERT_EQ(create(), HC_OK);
  ASSERT_EQ(perform(), HC_OK);
  uint16_t first = server_.port();
  serve::HttpServer other;
  other.start();
  std::string url = other.url(0, "/bytes/1");
  request_->url = {url.data(), url.size()};
  ASSERT_EQ(perform(), HC_OK);
  Exactly<hc_origin_stats> rows(2);
  size_t count = 0;
  ASSERT_EQ(hc_session_origins(session_, rows.get(), sizeof(hc_origin_stats), 2, &count), HC_OK);
  ASSERT_EQ(count, 2u);
  std::string both = std::string(rows[0].origin) + " " + rows[1].origin;
  EXPECT_NE(both.find(std::to_string(first)), std::string::npos) << both;
  EXPECT_NE(both.find(std::to_string(other.port())), std::string::npos) << both;
  EXPECT_EQ(rows[1].struct_size, sizeof(hc_origin_stats));
  EXPECT_EQ(rows[1].submitted, 1u);
}

TEST_F(OldProgram, MakesATlsIdentity) {
  Exactly<hc_tls_options> options;
  ASSERT_EQ(hc_tls_options_init(options.get(), sizeof(hc_tls_options)), HC_OK);
  options->verify = HC_OFF;
  hc_tls* tls = nullptr;
  ASSERT_EQ(hc_tls_create(&tls, options.get(), error_.get()), HC_OK) << error_->message;
  options_->tls = tls;
  EXPECT_EQ(create(), HC_OK) << error_->message;
  hc_tls_free(tls);
}

TEST_F(OldProgram, ReadsWhatIsUnderneath) {
  Exactly<hc_runtime_info> info;
  ASSERT_EQ(hc_runtime_get_info(info.get()), HC_OK);
  EXPECT_EQ(info->struct_size, sizeof(hc_runtime_info));
  EXPECT_GT(info->descriptor_limit, 0u);
}

}  // namespace
}  // namespace hc::test
