// What was made lately and may be wanted again by others.
#pragma once

#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace millrace::server {

// Keeps the newest values, up to so many bytes of them by their size(). Threads: any.
template <typename Key, typename Value>
class Recent {
 public:
  explicit Recent(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // The value of this key. `make` makes it where it is not kept, without a lock: two threads that
  // want the same at once may both make it.
  template <typename Make>
  std::shared_ptr<const Value> Get(const Key& key, Make make) {
    {
      std::lock_guard lock(mutex_);
      if (const auto it = by_key_.find(key); it != by_key_.end()) return it->second->second;
    }
    auto made = std::make_shared<const Value>(make());
    const auto made_bytes = static_cast<int64_t>(made->size());
    Order dropped;  // Freed after the lock.
    std::lock_guard lock(mutex_);
    ++made_count_;
    if (by_key_.contains(key)) return made;
    order_.emplace_front(key, made);
    by_key_[key] = order_.begin();
    bytes_ += made_bytes;
    while (bytes_ > max_bytes_) {
      bytes_ -= static_cast<int64_t>(order_.back().second->size());
      by_key_.erase(order_.back().first);
      dropped.splice(dropped.begin(), order_, std::prev(order_.end()));
    }
    return made;
  }

  // How many values had to be made so far.
  int64_t made_count() const {
    std::lock_guard lock(mutex_);
    return made_count_;
  }

 private:
  using Order = std::list<std::pair<Key, std::shared_ptr<const Value>>>;  // Newest first.

  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  Order order_;
  absl::flat_hash_map<Key, typename Order::iterator> by_key_;
  int64_t bytes_ = 0;
  int64_t made_count_ = 0;
};

}  // namespace millrace::server
