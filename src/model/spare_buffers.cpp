#include "model/spare_buffers.h"

namespace hc {

// Made and never ended as those of Recycled.
SpareBuffers& SpareBuffers::of_process_ = *new SpareBuffers;

void SpareBuffers::lend(std::string& head, std::string& body) noexcept {
  Pair pair;
  if (!spares_.take(&pair)) return;
  head = std::move(pair.head);
  body = std::move(pair.body);
}

void SpareBuffers::take_back(std::string& head, std::string& body) noexcept {
  if (head.capacity() + body.capacity() > kLargest) return;
  head.clear();
  body.clear();
  Pair pair{std::move(head), std::move(body)};
  spares_.keep(pair);
}

}  // namespace hc
