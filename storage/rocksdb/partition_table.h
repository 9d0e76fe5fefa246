// The partitions of all topics, by their ids.
//
// Safe from any thread. A partition lives on for those who hold it after it was removed.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "storage/error.h"
#include "storage/rocksdb/partition.h"
#include "storage/types.h"

namespace millrace::storage {

using PartitionPtr = std::shared_ptr<Partition>;

class PartitionTable {
 public:
  // Null: there is no such partition (any more).
  PartitionPtr Find(PartitionId id) const {
    const std::shared_lock lock(mutex_);
    const auto found = partitions_.find(id);
    return found == partitions_.end() ? nullptr : found->second;
  }

  // TOPIC_NOT_FOUND.
  absl::StatusOr<PartitionPtr> Get(PartitionId id) const {
    if (auto partition = Find(id)) return partition;
    return Error(Reason::kTopicNotFound, "the partition was deleted");
  }

  void Add(PartitionPtr partition) {
    const std::lock_guard lock(mutex_);
    const PartitionId id = partition->id();
    partitions_[id] = std::move(partition);
  }

  void Remove(PartitionId id) {
    const std::lock_guard lock(mutex_);
    partitions_.erase(id);
  }

 private:
  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<PartitionId, PartitionPtr> partitions_;
};

}  // namespace millrace::storage
