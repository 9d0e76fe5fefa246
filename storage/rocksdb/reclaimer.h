// Gives disk space back that deleted records take. Dropping them takes three steps, so that a
// power cut at any moment leaves a log that is whole:
//  1. The new start of the partition, or its deletion, is written and synced: Plan adds the row
//     that remembers what can be freed.
//  2. Readers and RocksDB's compaction filter learn of it (DropBounds). Then: MayReclaim.
//  3. Reclaim has RocksDB rewrite what holds the dropped batches. Nothing else would: a compaction
//     moves files as they are that do not overlap others, and the files of a log rarely do.
//
// Safe from any thread, but Plan and Load.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/rows.h"
#include "storage/types.h"

namespace millrace::storage {

// In place of the first batch that is kept: none is.
inline constexpr Offset kAllBatches{std::numeric_limits<int64_t>::max()};

class Reclaimer {
 public:
  Reclaimer(Database& database, CommitQueue& queue) : database_(database), queue_(queue) {}

  // Takes up what was planned before the log was closed.
  absl::Status Load();

  // Adds the row that the partition's batches below `before`, of about so many bytes, can go. On
  // the committer's thread.
  void Plan(PartitionId partition, Offset before, int64_t bytes, rocksdb::WriteBatch& batch);

  // The rows of what was planned for the partition are synced.
  void MayReclaim(PartitionId partition);

  // Frees the space of what may be reclaimed: where it is worth the work, or at all events.
  enum class Urgency { kWhenWorthIt, kNow };
  absl::Status Reclaim(Urgency urgency);

 private:
  struct Planned {
    rows::ReclaimRow row;
    bool durable = false;
  };
  using Plans = std::map<PartitionId, Planned>;

  Plans DurablePlans() const;
  bool IsWorthIt(const Plans& plans);
  absl::Status CompactRecords(const Plans& plans);
  absl::Status CollectBlobs();
  absl::Status Forget(const Plans& plans);

  Database& database_;
  CommitQueue& queue_;
  std::mutex reclaiming_;  // One at a time.
  mutable std::mutex mutex_;
  Plans plans_;  // Guarded by mutex_.
};

}  // namespace millrace::storage
