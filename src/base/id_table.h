#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hc {

/// Finds live objects by a number that is given out in ascending order and never again, so that a stale number
/// can only miss. Open addressing, so that a request costs no node of its own as in std::unordered_map. The hash
/// scatters (Fibonacci hashing): with the number itself as hash, consecutive numbers would form one long run, and an
/// erase walks to the end of its run.
template <typename T>
class IdTable {
 public:
  IdTable() : places_(kSmallest) {}

  size_t size() const { return size_; }

  void insert(uint64_t id, T* object) {
    if ((size_ + 1) * 2 > places_.size()) grow();
    place(id, object);
    ++size_;
  }

  T* find(uint64_t id) const {
    for (size_t i = home(id); places_[i].object != nullptr; i = next(i)) {
      if (places_[i].id == id) return places_[i].object;
    }
    return nullptr;
  }

  void erase(uint64_t id) {
    size_t hole = home(id);
    while (places_[hole].object != nullptr && places_[hole].id != id) hole = next(hole);
    if (places_[hole].object == nullptr) return;
    close_gap(hole);
    --size_;
  }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Place& place : places_) {
      if (place.object != nullptr) visit(*place.object);
    }
  }

 private:
  static constexpr size_t kSmallest = 64;  // a power of two

  struct Place {
    uint64_t id = 0;
    T* object = nullptr;
  };

  size_t home(uint64_t id) const { return (id * 0x9E3779B97F4A7C15U >> 32) & (places_.size() - 1); }
  size_t next(size_t i) const { return (i + 1) & (places_.size() - 1); }

  void place(uint64_t id, T* object) {
    size_t i = home(id);
    while (places_[i].object != nullptr) i = next(i);
    places_[i] = {id, object};
  }

  // Moves later members of the run up, so that no search stops early (Knuth 6.4, algorithm R).
  void close_gap(size_t hole) {
    for (size_t i = next(hole); places_[i].object != nullptr; i = next(i)) {
      size_t distance_to_home = (i - home(places_[i].id)) & (places_.size() - 1);
      size_t distance_to_hole = (i - hole) & (places_.size() - 1);
      if (distance_to_home < distance_to_hole) continue;
      places_[hole] = places_[i];
      hole = i;
    }
    places_[hole] = {};
  }

  void grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (const Place& place_before : old) {
      if (place_before.object != nullptr) place(place_before.id, place_before.object);
    }
  }

  std::vector<Place> places_;
  size_t size_ = 0;
};

}  // namespace hc
