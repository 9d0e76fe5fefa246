// Reads stored batches from disk and verifies each by its checksum.
//
// Safe from any thread; calls wait for the disk.
#pragma once

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/partition.h"
#include "storage/types.h"

namespace millrace::storage {

class BatchReader {
 public:
  explicit BatchReader(Database& database) : database_(database) {}

  // What lies from `from` on and is visible. OFFSET_OUT_OF_RANGE, TOPIC_NOT_FOUND: as
  // Partition::PlanRead. DATA_LOSS (from, to): the records from `from` on are damaged, and those
  // from `to` on are not. What lies before damaged records is given without an error.
  absl::StatusOr<ReadResult> Read(const Partition& partition, Offset from, ReadLimits limits) const;

  // The base offset of the first batch in a range that was appended at `time` or later; a damaged
  // batch counts as one. The end of the range, if there is none.
  absl::StatusOr<Offset> FirstSince(PartitionId partition, Partition::SearchRange range,
                                    UnixMillis time) const;

  // The base offset of the batch that holds an offset; the offset itself if no batch does.
  absl::StatusOr<Offset> BaseOf(PartitionId partition, Offset offset) const;

  // Reads and verifies everything from `begin` on.
  struct AuditResult {
    std::vector<std::pair<Offset, Offset>> damaged;  // From, to: missing, or not what was written.
    Offset end;                                      // After the last batch; at least `end`.
  };
  absl::StatusOr<AuditResult> Audit(PartitionId partition, Offset begin, Offset end) const;

  // The end of the last batch at or after `from`; `from` if there is none. kDataLoss if the batch
  // is damaged.
  absl::StatusOr<Offset> EndAfter(PartitionId partition, Offset from) const;

 private:
  Database& database_;
};

}  // namespace millrace::storage
