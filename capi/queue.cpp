// hc.h chapter 12: the completion queue.
#include "capi/guard.h"
#include "capi/structs.h"
#include "engine/loop.h"

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

extern "C" hc_status hc_queue_create(hc_queue** out, hc_error* error) {
  return guard(error, [&]() -> Status {
    HC_REQUIRE(out != nullptr, "out");
    auto handle = std::make_unique<hc_queue>();
    HC_RETURN_IF_BAD(CompletionQueue::create(&handle->queue));
    *out = handle.release();
    return Status::ok();
  });
}

extern "C" int32_t hc_queue_fd(const hc_queue* queue) {
  return queue == nullptr || queue->made_in.is_inherited() ? -1 : queue->queue->fd();
}

extern "C" hc_status hc_queue_drain(hc_queue* queue, hc_completion* items, size_t item_size, size_t capacity,
                                    size_t* count) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(queue, "queue"));
    HC_REQUIRE(items != nullptr, "items");
    HC_REQUIRE(count != nullptr, "count");
    if (!is_length<hc_completion>(item_size)) return Status::invalid("item_size: not that of any version");
    if (capacity == 0) return Status::invalid("capacity: 0");
    char* place = reinterpret_cast<char*>(items);
    *count = queue->queue->drain(capacity, [&](Completion completion) {
      hc_completion item = to_c(completion);
      std::memcpy(place, &item, item_size);
      place += item_size;
    });
    return Status::ok();
  });
}

extern "C" hc_status hc_queue_wait(hc_queue* queue, uint64_t timeout_ms, size_t* ready) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(queue, "queue"));
    if (Loop::is_any_loop_thread()) {
      return {HC_E_DEADLOCK, "hc_queue_wait() from a callback would wait for the thread it is on"};
    }
    size_t count = queue->queue->wait(timeout_ms);
    if (ready != nullptr) *ready = count;
    return Status::ok();
  });
}

extern "C" void hc_queue_close(hc_queue* queue) {
  if (queue == nullptr) return;
  guard(nullptr, [&]() -> Status {
    if (queue->made_in.is_inherited()) {
      new std::shared_ptr<CompletionQueue>(
          std::move(queue->queue));  // its lock may be held: it stays as it is
    } else {
      queue->queue->close();
    }
    delete queue;
    return Status::ok();
  });
}
