// How much was delivered of each partition since the hub started. Readers come and go; the counts
// stay as long as the partition.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "storage/engine.h"

namespace millrace::hub {

// Of one partition, over all its readers. Threads: any.
class DeliveryCount {
 public:
  void Add(int64_t records, int64_t bytes) {
    records_.fetch_add(records, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

  int64_t records() const { return records_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }  // Of stored entries.

 private:
  std::atomic<int64_t> records_{0};
  std::atomic<int64_t> bytes_{0};
};

// Threads: any.
class DeliveryCounts {
 public:
  // The partition's count, to be kept by whoever reads it and added to without a look-up.
  std::shared_ptr<DeliveryCount> Of(std::string_view topic, storage::PartitionId partition);

  // Null: nobody has read the partition.
  std::shared_ptr<const DeliveryCount> Find(std::string_view topic,
                                            storage::PartitionId partition) const;

  // Forgets the partitions of the topic that are none of `now`; null: there is no such topic.
  void OnTopicChanged(std::string_view topic, const storage::TopicPtr& now);

 private:
  using OfTopic = absl::flat_hash_map<storage::PartitionId, std::shared_ptr<DeliveryCount>>;

  mutable std::mutex mutex_;
  std::map<std::string, OfTopic, std::less<>> by_topic_;  // Guarded by mutex_.
};

}  // namespace millrace::hub
