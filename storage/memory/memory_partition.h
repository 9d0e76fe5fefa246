// One partition of the memory engine: its batches, the epochs they were written under, and who
// waits for the next one.
//
// Without locks: the engine's mutex guards it. Waiters are handed out, never called here.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/catalogue.h"
#include "storage/commit/log_epoch_history.h"
#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::storage {

class MemoryPartition {
 public:
  explicit MemoryPartition(LogEpoch first_epoch) : epochs_(first_epoch) {}

  Offset earliest() const { return earliest_; }
  Offset end() const { return end_; }
  PartitionStatus Status() const {
    return {earliest_, end_, size_bytes_, last_append_time_, end_.value(), appended_bytes_};
  }

  // Appends a copy of the records at the end. `now` may lie before the last append: time stands
  // still then.
  void Append(const EncodedRecords& records, LogEpoch epoch, UnixMillis now);

  // As Engine::Read.
  absl::StatusOr<ReadResult> Read(Offset from, ReadLimits limits) const;

  // As Engine::OffsetAtTime.
  Offset OffsetAtTime(UnixMillis time) const;

  // As Engine::ValidatePosition.
  absl::Status Validate(Offset offset, LogEpoch epoch) const {
    return epochs_.Validate(offset, epoch, end_);
  }

  // As Engine::Truncate.
  absl::Status Truncate(Offset before);

  // Drops the batches that the policy does not keep. Of those over the limit in bytes the newest
  // one always stays.
  void Retain(const RetentionPolicy& policy, absl::Time now);

  // Whether Read answers an empty result.
  bool NothingToRead(Offset from) const { return from == end_; }

  void AddWaiter(std::weak_ptr<ReadWaiter> waiter);
  std::vector<std::weak_ptr<ReadWaiter>> TakeWaiters() { return std::move(waiters_); }

 private:
  absl::Status OutOfRange(Offset offset) const;
  void RaiseEarliest(Offset earliest);

  std::deque<FetchedBatch> batches_;
  LogEpochHistory epochs_;
  Offset earliest_;
  Offset end_;
  int64_t size_bytes_ = 0;
  int64_t appended_bytes_ = 0;
  UnixMillis last_append_time_ = kNoTime;
  std::vector<std::weak_ptr<ReadWaiter>> waiters_;  // All of them wait at the end.
};

}  // namespace millrace::storage
