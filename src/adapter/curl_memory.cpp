#include "adapter/curl_memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/block_region.h"

namespace hc {
namespace {

/// Blocks for sizes from `least` to that of a block.
struct Class {
  size_t least;
  BlockRegion blocks;
};

constexpr size_t kMost = 8192;  // more of them come from malloc

// Never ended: libcurl is not, either.
struct Classes {
  Class handles{4 << 10, {6 << 10, kMost}};
  Class buffers{12 << 10, {18 << 10, kMost}};
};
Classes& classes() {
  static Classes& all = *new Classes;
  return all;
}

BlockRegion* region_for(size_t size) {
  for (Class* each : {&classes().handles, &classes().buffers}) {
    if (size >= each->least && size <= each->blocks.block_size()) return &each->blocks;
  }
  return nullptr;
}

BlockRegion* region_of(const void* block) {
  for (Class* each : {&classes().handles, &classes().buffers}) {
    if (each->blocks.contains(block)) return &each->blocks;
  }
  return nullptr;
}

void* take(size_t size) noexcept {
  BlockRegion* region = region_for(size);
  void* block = region != nullptr ? region->take() : nullptr;
  return block != nullptr ? block : std::malloc(size);
}

void give(void* block) noexcept {
  BlockRegion* region = region_of(block);
  region != nullptr ? region->give(block) : std::free(block);
}

void* take_zeroed(size_t count, size_t size) noexcept {
  bool is_large = count <= UINT16_MAX && size <= UINT16_MAX && region_for(count * size) != nullptr;
  if (!is_large) return std::calloc(count, size);
  void* block = take(count * size);
  return block != nullptr ? std::memset(block, 0, count * size) : nullptr;
}

void* take_again(void* block, size_t size) noexcept {
  BlockRegion* region = region_of(block);
  if (region == nullptr) return std::realloc(block, size);
  if (size <= region->block_size()) return block;
  void* larger = std::malloc(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, region->block_size());
  region->give(block);
  return larger;
}

char* duplicate(const char* text) noexcept {
  size_t size = std::strlen(text) + 1;
  void* copy = take(size);
  return copy != nullptr ? static_cast<char*>(std::memcpy(copy, text, size)) : nullptr;
}

}  // namespace

CURLcode CurlMemory::init_curl() {
#if defined(__SANITIZE_ADDRESS__)
  return curl_global_init(CURL_GLOBAL_ALL);  // which would not see what is used after its end
#else
  return curl_global_init_mem(CURL_GLOBAL_ALL, take, give, take_again, duplicate, take_zeroed);
#endif
}

void CurlMemory::on_handle_ended() {
  classes().handles.blocks.release_one();
  classes().buffers.blocks.release_one();
}

}  // namespace hc
