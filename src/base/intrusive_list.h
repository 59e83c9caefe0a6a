#pragma once

#include "base/check.h"

namespace hc {

/// A place in an IntrusiveList. One object has as many links as lists it can be in at one time.
template <typename Tag>
class ListLink {
 public:
  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { HC_CHECK(!is_linked()); }

  bool is_linked() const { return next_ != nullptr; }

  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  template <typename T, typename OtherTag>
  friend class IntrusiveList;

  ListLink* next_ = nullptr;
  ListLink* previous_ = nullptr;
};

/// A doubly linked list through its members; `T` derives from ListLink<Tag>. Owns nothing, allocates nothing.
template <typename T, typename Tag>
class IntrusiveList {
  using Link = ListLink<Tag>;

 public:
  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    HC_CHECK(empty());
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T* front() { return empty() ? nullptr : to_object(head_.next_); }
  T* back() { return empty() ? nullptr : to_object(head_.previous_); }
  /// The one after `object`, or nullptr at the end.
  T* next(T& object) {
    Link* link = to_link(object)->next_;
    return link == &head_ ? nullptr : to_object(link);
  }
  /// The one before `object`, or nullptr at the front.
  T* previous(T& object) {
    Link* link = to_link(object)->previous_;
    return link == &head_ ? nullptr : to_object(link);
  }

  void push_back(T& object) { insert(head_.previous_, to_link(object)); }
  void push_front(T& object) { insert(&head_, to_link(object)); }
  /// Puts `object` right behind `place`.
  void insert_after(T& place, T& object) { insert(to_link(place), to_link(object)); }
  void remove(T& object) { to_link(object)->unlink(); }
  T* pop_front() {
    T* object = front();
    if (object != nullptr) remove(*object);
    return object;
  }

 private:
  static T* to_object(Link* link) { return static_cast<T*>(link); }
  static Link* to_link(T& object) { return static_cast<Link*>(&object); }
  static void insert(Link* before, Link* link) {
    HC_CHECK(!link->is_linked());
    link->previous_ = before;
    link->next_ = before->next_;
    before->next_->previous_ = link;
    before->next_ = link;
  }

  Link head_;
};

}  // namespace hc
