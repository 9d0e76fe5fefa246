// Keeps the newest batches of all partitions in memory, up to one number of bytes for all of them:
// the oldest goes first, whichever partition it is of. The batches themselves are in Partition.
//
// For the committer's thread only.
#pragma once

#include <cstdint>
#include <deque>

#include "storage/rocksdb/partition_table.h"

namespace millrace::storage {

class TailCache {
 public:
  explicit TailCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Accounts for one batch that was added to the partition, and makes room for it.
  void Added(PartitionPtr partition, int64_t entries_bytes) {
    entries_.push_back({std::move(partition), entries_bytes + kOverheadBytes});
    bytes_ += entries_.back().bytes;
    while (bytes_ > max_bytes_) {
      bytes_ -= entries_.front().bytes;
      entries_.front().partition->EvictOldest();
      entries_.pop_front();
    }
  }

 private:
  // What a batch takes beside its entries, about.
  static constexpr int64_t kOverheadBytes = 256;

  struct Entry {
    PartitionPtr partition;
    int64_t bytes;
  };
  const int64_t max_bytes_;
  int64_t bytes_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace millrace::storage
