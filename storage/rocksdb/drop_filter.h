// Tells RocksDB which batches it may leave out when it compacts: those of deleted partitions, and
// those before the first batch that a partition keeps. Keys alone decide; no value is read.
#pragma once

#include <rocksdb/compaction_filter.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "storage/types.h"

namespace millrace::storage {

// The first batch that each partition keeps. Only what is on stable storage may be told here: what
// is dropped is gone.
//
// Safe from any thread.
class DropBounds {
 public:
  // From here on partitions that were never Set count as deleted. Before that nothing is dropped.
  void Arm() {
    const std::lock_guard lock(mutex_);
    armed_ = true;
  }
  void Set(PartitionId partition, Offset first_batch) {
    const std::lock_guard lock(mutex_);
    bounds_[partition] = first_batch;
  }
  // The same for a partition that is there; no effect for one that was removed meanwhile.
  void Raise(PartitionId partition, Offset first_batch) {
    const std::lock_guard lock(mutex_);
    const auto found = bounds_.find(partition);
    if (found != bounds_.end()) found->second = std::max(found->second, first_batch);
  }
  void Remove(PartitionId partition) {
    const std::lock_guard lock(mutex_);
    bounds_.erase(partition);
  }

  // All batches below this can go.
  Offset BoundOf(PartitionId partition) const;

 private:
  mutable std::shared_mutex mutex_;
  bool armed_ = false;
  absl::flat_hash_map<PartitionId, Offset> bounds_;
};

class DropFilterFactory : public rocksdb::CompactionFilterFactory {
 public:
  explicit DropFilterFactory(std::shared_ptr<const DropBounds> bounds)
      : bounds_(std::move(bounds)) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& context) override;
  const char* Name() const override { return "millrace.DropFilterFactory"; }

 private:
  const std::shared_ptr<const DropBounds> bounds_;
};

}  // namespace millrace::storage
