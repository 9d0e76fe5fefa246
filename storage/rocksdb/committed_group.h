// What is left to do for writes that are in the write-ahead log: make their records visible, then
// answer. At once for those that may be lost in a power cut, after a sync for the others.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/partition_table.h"

namespace millrace::storage {

struct CommittedGroup {
  // Records up to `end` may be seen.
  struct Publication {
    PartitionPtr partition;
    Offset end;
  };
  struct Completion {
    WriteCompletion done;
    absl::StatusOr<WriteResult> result;
  };

  uint64_t number = 0;  // Rises from group to group.
  std::vector<Publication> publications;
  std::vector<Completion> completions;
  std::unique_ptr<Change> change;  // At most one; completed after the rest.

  bool empty() const { return publications.empty() && completions.empty() && change == nullptr; }

  // Makes visible, tells who waits, and answers. No lock may be held.
  void Finish();

  // Answers everything with an error, and makes nothing visible.
  void Fail(const absl::Status& status);
};

// Tells waiters that there is something to read.
void Tell(const Waiters& waiters, PartitionId partition);

}  // namespace millrace::storage
