// Moves the starts of partitions: by their topics' retention, or where a caller says.
//
// Safe from any thread; calls wait for the disk.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "storage/clock.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/drop_filter.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/reclaimer.h"
#include "storage/rocksdb/topic_store.h"
#include "storage/types.h"

namespace millrace::storage {

class Retention {
 public:
  // All of it outlives the retention.
  struct Parts {
    Database& database;
    CommitQueue& queue;
    PartitionTable& partitions;
    DropBounds& bounds;
    TopicStore& topics;
    Reclaimer& reclaimer;
    const Clock& clock;
  };
  explicit Retention(const Parts& parts) : parts_(parts) {}

  // As Engine::Truncate.
  absl::Status Truncate(PartitionId partition, Offset before);

  // Drops what the topics' policies do not keep, and frees disk space.
  absl::Status Enforce(Reclaimer::Urgency urgency);

 private:
  struct NewStart {
    PartitionPtr partition;
    Offset earliest;
    Offset first_batch;  // The base offset of the batch that holds it.
    int64_t bytes = 0;   // That go, about.
  };
  absl::Status Raise(std::vector<NewStart> starts);
  absl::Status DeleteForgotten(
      const std::vector<std::pair<PartitionId, Partition::Forgotten>>& forgotten);

  Parts parts_;
};

}  // namespace millrace::storage
