// Requests that are under way for as long as a test wants: an answer after so many milliseconds may come too early.
#pragma once

#include <deque>
#include <string>

#include "support/client.h"
#include "support/upload_source.h"

namespace hc::test {

/// So many requests to /echo that are not answered before release(): their bodies lack an end.
class Held {
 public:
  Held(Client& client, const std::string& url, int count = 1, const Tune& more = {}) : client_(client) {
    for (int i = 0; i < count; ++i) {
      Source& source = sources_.emplace_back("held");
      source.hold_at(0);
      ids_.push_back(client.submit(url, [&](hc_request& request) {
        request.method = HC_STR("POST");
        source.attach(request);
        if (more) more(request);
      }));
    }
  }
  ~Held() {
    release();
    for (Source& source : sources_) EXPECT_TRUE(eventually([&] { return source.releases == 1; }));
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  hc_id id() const { return ids_.front(); }

  void release() {
    for (Source& source : sources_) source.go_on();
    for (hc_id id : ids_) EXPECT_EQ(hc_session_resume_upload(client_.get(), id), HC_OK);
  }

 private:
  Client& client_;
  std::deque<Source> sources_;
  std::vector<hc_id> ids_;
};

}  // namespace hc::test
