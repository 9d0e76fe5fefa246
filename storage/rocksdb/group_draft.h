// A commit group while it is put together: what several writes append to one partition becomes one
// stored batch, whichever requests it came from.
//
// For the committer's thread only. Nothing outside of the draft changes before Publish, but for the
// place of each partition in the draft (Partition::Written::draft).
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "storage/engine.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/tail_cache.h"
#include "storage/types.h"

namespace millrace::storage {

// Where a partition will stand when the group is written.
struct PartitionDraft {
  // Records with consecutive offsets, to be stored as one.
  struct Batch {
    Offset base;
    int32_t count = 0;
    int64_t bytes = 0;
    absl::InlinedVector<SharedSlice, 4> entries;
  };

  PartitionPtr partition;
  Offset base;  // Of the first record of the group.
  Offset end;
  bool wait_for_sync = false;  // Its records become visible after a sync only.
  UnixMillis append_time = kNoTime;
  absl::InlinedVector<Batch, 1> batches;
  Partition::DueRows due;
  rows::HeadRow head;
};

class GroupDraft {
 public:
  // The draft of a partition, made if need be.
  PartitionDraft& DraftOf(PartitionPtr partition);
  // Null: nothing is appended to it.
  PartitionDraft* FindDraft(Partition& partition);

  // Adds records at the end of the partition's draft.
  static void Append(PartitionDraft& draft, const EncodedRecords& records);

  // Adds all rows of all partitions to the batch.
  void AddRows(Database& database, LogEpoch epoch, UnixMillis now, rocksdb::WriteBatch& batch);

  // The rows are written: takes the partitions' heads and newest batches over.
  void Publish(LogEpoch epoch, TailCache& tail);

  std::vector<PartitionDraft>& partitions() { return partitions_; }

  // Forgets everything.
  void Clear();

 private:
  std::vector<PartitionDraft> partitions_;
};

}  // namespace millrace::storage
