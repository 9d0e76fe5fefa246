// One partition at run time: where it stands on disk, what of it readers may see, its newest
// batches in memory, and who waits for more.
//
// Two views of the same partition:
//  - `head` is what is written. Only the committer (committer.h) touches it.
//  - all else is what readers may see, under a mutex that is held for moments only. It follows the
//    head when the write is as durable as it was asked to be.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/commit/log_epoch_history.h"
#include "storage/commit/partition_marks.h"
#include "storage/engine.h"
#include "storage/rocksdb/rows.h"
#include "storage/types.h"

namespace millrace::storage {

using Waiters = std::vector<std::weak_ptr<ReadWaiter>>;

class Partition {
 public:
  Partition(PartitionId id, LogEpoch first_epoch) : id_(id), epochs_(first_epoch) {}

  PartitionId id() const { return id_; }

  // ---- The committer's own view

  // What the committer keeps here for itself.
  struct Written {
    rows::HeadRow head;
    uint64_t unsynced_group = 0;  // The last commit group with records here that waits for a sync.
    int draft = -1;               // The place of this partition in the group being built; -1: none.
  };
  Written& written() { return written_; }

  // ---- Opening, before anybody else sees the partition

  void Restore(const rows::HeadRow& head, const std::vector<LogEpochHistory::Entry>& epochs,
               const std::vector<PartitionMark>& marks);

  // ---- Committing

  // The rows that go with records appended at `base` under `epoch`, beside the batch.
  struct DueRows {
    std::optional<LogEpochHistory::Entry> epoch;
    std::optional<PartitionMark> mark;
  };
  DueRows RowsDueAt(Offset base, LogEpoch epoch, UnixMillis append_time) const;

  // Takes over batches that are written now, in order. They are not visible yet.
  void AddWritten(const DueRows& rows, std::vector<FetchedBatch> batches);

  // Drops the oldest batch from memory.
  void EvictOldest();

  // Lets readers see what lies before `end`. Answers who is to be told.
  Waiters MakeVisible(Offset end);

  // What was forgotten and may be deleted on disk.
  struct Forgotten {
    std::vector<Offset> marks;
    std::vector<Offset> epochs;
  };
  // Hides what lies before `earliest`.
  Forgotten RaiseEarliest(Offset earliest);

  // The partition is gone: every read fails from now on. Answers who is to be told.
  Waiters MarkDeleted();

  // ---- Reading, from any thread

  // What a read from `from` is to do.
  struct ReadPlan {
    bool on_disk = false;               // The records are not in memory.
    std::vector<FetchedBatch> batches;  // Else: they reach beyond `from`, and hold enough.
    Offset earliest;
    Offset visible_end;
  };
  // OFFSET_OUT_OF_RANGE, TOPIC_NOT_FOUND.
  absl::StatusOr<ReadPlan> PlanRead(Offset from, ReadLimits limits) const;

  // Keeps the waiter and answers true if there is nothing to tell yet.
  bool Wait(Offset from, std::weak_ptr<ReadWaiter> waiter);

  PartitionStatus Status() const;
  absl::Status Validate(Offset offset, LogEpoch epoch) const;
  absl::Status CheckOffset(Offset offset) const;  // OFFSET_OUT_OF_RANGE.

  // Where a search by time has to look: [begin, end).
  struct SearchRange {
    Offset begin;
    Offset end;
  };
  SearchRange RangeToSearch(UnixMillis time) const;

  // The first offset to keep under a policy, and the bytes that would go.
  struct RetentionBound {
    Offset earliest;
    int64_t bytes = 0;
  };
  RetentionBound BoundUnder(const RetentionPolicy& policy, UnixMillis now) const;

  int64_t BytesBefore(Offset offset) const;

 private:
  absl::Status CheckReadable(Offset from) const;  // Under mutex_.

  const PartitionId id_;
  Written written_;

  mutable std::mutex mutex_;  // Guards what follows.
  bool deleted_ = false;
  Offset earliest_;
  Offset visible_end_;
  LogEpochHistory epochs_;
  PartitionMarks marks_;
  int64_t appended_records_ = 0;  // Since the engine was opened; of them the bytes, too.
  int64_t appended_bytes_ = 0;
  std::deque<FetchedBatch> tail_;  // The newest batches, visible or not, without a gap.
  Waiters waiters_;                // All of them wait for visible_end_ to move.
};

}  // namespace millrace::storage
