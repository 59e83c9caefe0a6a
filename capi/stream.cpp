// hc.h chapter 11: streamed bodies.
#include "capi/guard.h"
#include "capi/structs.h"
#include "model/body_pipe.h"
#include "model/response.h"

// What a handle to a piece of a body is.
struct hc_block {
  std::unique_ptr<hc::BodyBlock> bytes;
};

namespace hc::capi {
namespace {

Status find_pipe(const hc_response* response, BodyPipe** out) {
  HC_REQUIRE(response != nullptr, "response");
  const Response& from = from_handle(response);
  if (from.pipe == nullptr) {
    return from.status().is_ok() ? Status::invalid("response: not of a streamed request") : from.status();
  }
  if (from.pipe->is_inherited()) return {HC_E_FORKED, "response: belongs to the parent process"};
  *out = from.pipe.get();
  return Status::ok();
}

}  // namespace
}  // namespace hc::capi

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

extern "C" hc_status hc_response_read(hc_response* response, void* buffer, size_t capacity, size_t* count) {
  return guard(nullptr, [&]() -> Status {
    BodyPipe* pipe = nullptr;
    HC_RETURN_IF_BAD(find_pipe(response, &pipe));
    HC_REQUIRE(buffer != nullptr, "buffer");
    HC_REQUIRE(count != nullptr, "count");
    if (capacity == 0) return Status::invalid("capacity: 0");
    return pipe->read(static_cast<char*>(buffer), capacity, count);
  });
}

extern "C" hc_status hc_response_take(hc_response* response, hc_chunk* chunk) {
  return guard(nullptr, [&]() -> Status {
    BodyPipe* pipe = nullptr;
    HC_RETURN_IF_BAD(find_pipe(response, &pipe));
    HC_REQUIRE(chunk != nullptr, "chunk");
    if (!is_length<hc_chunk>(chunk->struct_size))
      return Status::invalid("chunk->struct_size: not that of any version");
    auto block = std::make_unique<hc_block>();
    HC_RETURN_IF_BAD(pipe->take(&block->bytes));
    hc_chunk value{};
    if (block->bytes != nullptr) {
      value.bytes = as_str(block->bytes->unread());
      value.block = block.release();
    }
    return copy_out(value, "chunk", chunk);
  });
}

extern "C" void hc_block_free(hc_block* block) { delete block; }

extern "C" hc_status hc_response_wait(hc_response* response, uint64_t timeout_ms) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(response != nullptr, "response");
    if (from_handle(response).pipe == nullptr && !from_handle(response).status().is_ok()) return Status::ok();
    BodyPipe* pipe = nullptr;
    HC_RETURN_IF_BAD(find_pipe(response, &pipe));
    if (Loop::is_any_loop_thread()) {
      return {HC_E_DEADLOCK, "hc_response_wait() from a callback would wait for the thread it is on"};
    }
    if (!pipe->wait(timeout_ms)) return {HC_E_AGAIN, "no bytes are here yet"};
    return Status::ok();
  });
}
