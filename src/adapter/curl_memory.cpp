#include "adapter/curl_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/block_region.h"
#include "base/sanitizer.h"

namespace hc {
namespace {

constexpr size_t kMost = 8192;  // more of them come from malloc
constexpr size_t kSmall = 4 << 10;
constexpr size_t kLeastBuffer = 12 << 10;

// Made once and never ended, like what uses them.
BlockRegion* handles = nullptr;
BlockRegion* buffers = nullptr;
// From the first address of both to the last one. libcurl frees a hundred times a request, mostly nothing at all, and
// each looks whether it is a block of theirs.
uintptr_t first = 0;
uintptr_t span = 0;

void make_regions() {
  handles = new BlockRegion(6 << 10, kMost);
  buffers = new BlockRegion(18 << 10, kMost);
  first = std::min(handles->begin(), buffers->begin());
  span = std::max(handles->end(), buffers->end()) - first;
}

BlockRegion* region_for(size_t size) {
  BlockRegion* region = size < kLeastBuffer ? handles : buffers;
  return size >= kSmall && size <= region->block_size() ? region : nullptr;
}

BlockRegion* region_of(const void* block) {
  if (reinterpret_cast<uintptr_t>(block) - first >= span) return nullptr;
  if (handles->contains(block)) return handles;
  return buffers->contains(block) ? buffers : nullptr;
}

void* take_large(size_t size) {
  BlockRegion* region = region_for(size);
  void* block = region != nullptr ? region->take() : nullptr;
  return block != nullptr ? block : std::malloc(size);
}

void* take(size_t size) noexcept { return size < kSmall ? std::malloc(size) : take_large(size); }

void give(void* block) noexcept {
  if (block == nullptr) return;
  BlockRegion* region = region_of(block);
  region == nullptr ? std::free(block) : region->give(block);
}

void* take_zeroed(size_t count, size_t size) noexcept {
  bool is_large = count <= UINT16_MAX && size <= UINT16_MAX && region_for(count * size) != nullptr;
  if (!is_large) return std::calloc(count, size);
  void* block = take_large(count * size);
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
  if (kAddressSanitizer) return curl_global_init(CURL_GLOBAL_ALL);
  make_regions();
  return curl_global_init_mem(CURL_GLOBAL_ALL, take, give, take_again, duplicate, take_zeroed);
}

void CurlMemory::on_handle_ended() {
  for (BlockRegion* region : {handles, buffers}) {
    if (region != nullptr) region->release_one();
  }
}

}  // namespace hc
