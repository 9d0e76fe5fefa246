#include "storage/rocksdb/partition.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "storage/batch/stored_batch.h"
#include "storage/error.h"

namespace millrace::storage {
namespace {

Offset EndOf(const FetchedBatch& batch) { return batch.base_offset + batch.record_count; }

absl::Status OutOfRange(Offset offset, Offset earliest, Offset latest) {
  return Error(Reason::kOffsetOutOfRange,
               "offset " + std::to_string(offset.value()) + " is not in the partition, which has " +
                   std::to_string(earliest.value()) + " to " + std::to_string(latest.value()),
               {{"offset", std::to_string(offset.value())},
                {"earliest", std::to_string(earliest.value())},
                {"latest", std::to_string(latest.value())}});
}

}  // namespace

void Partition::Restore(const rows::HeadRow& head,
                        const std::vector<LogEpochHistory::Entry>& epochs,
                        const std::vector<PartitionMark>& marks) {
  written_.head = head;
  const std::lock_guard lock(mutex_);
  earliest_ = head.earliest;
  visible_end_ = head.end;
  for (const auto& entry : epochs) epochs_.Add(entry);
  for (const PartitionMark& mark : marks) marks_.AddMark(mark);
  marks_.Restore(head.end, head.last_append_time,
                 head.bytes - (marks.empty() ? 0 : marks.back().bytes_before));
  epochs_.DropBefore(earliest_);
  if (earliest_ > Offset()) marks_.DropBefore(earliest_);
}

Partition::DueRows Partition::RowsDueAt(Offset base, LogEpoch epoch, UnixMillis append_time) const {
  const std::lock_guard lock(mutex_);
  return {epochs_.EntryFor(epoch, base), marks_.DueMark(append_time)};
}

void Partition::AddWritten(const DueRows& rows, std::vector<FetchedBatch> batches) {
  const std::lock_guard lock(mutex_);
  if (rows.epoch) epochs_.Add(*rows.epoch);
  if (rows.mark) marks_.AddMark(*rows.mark);
  for (FetchedBatch& batch : batches) {
    marks_.Append(EndOf(batch), batch.append_time,
                  batch.entries_bytes + static_cast<int64_t>(kStoredBatchHeaderBytes));
    appended_records_ += batch.record_count;
    appended_bytes_ += batch.entries_bytes;
    tail_.push_back(std::move(batch));
  }
}

void Partition::EvictOldest() {
  FetchedBatch oldest;  // Freed after the lock.
  const std::lock_guard lock(mutex_);
  oldest = std::move(tail_.front());
  tail_.pop_front();
}

Waiters Partition::MakeVisible(Offset end) {
  const std::lock_guard lock(mutex_);
  visible_end_ = std::max(visible_end_, end);
  return std::move(waiters_);
}

Partition::Forgotten Partition::RaiseEarliest(Offset earliest) {
  Forgotten forgotten;
  const std::lock_guard lock(mutex_);
  if (earliest <= earliest_) return forgotten;
  earliest_ = earliest;
  const std::vector<LogEpochHistory::Entry> epochs = epochs_.entries();
  epochs_.DropBefore(earliest);
  for (size_t i = 0; i < epochs.size() - epochs_.entries().size(); ++i) {
    forgotten.epochs.push_back(epochs[i].first_offset);
  }
  const std::vector<PartitionMark> marks = marks_.marks();
  const size_t gone = marks_.DropBefore(earliest);
  for (size_t i = 0; i < gone; ++i) forgotten.marks.push_back(marks[i].offset);
  return forgotten;
}

Waiters Partition::MarkDeleted() {
  const std::lock_guard lock(mutex_);
  deleted_ = true;
  return std::move(waiters_);
}

absl::Status Partition::CheckReadable(Offset from) const {
  if (deleted_) return Error(Reason::kTopicNotFound, "the partition was deleted");
  if (from < earliest_ || from > visible_end_) return OutOfRange(from, earliest_, visible_end_);
  return absl::OkStatus();
}

absl::StatusOr<Partition::ReadPlan> Partition::PlanRead(Offset from, ReadLimits limits) const {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckReadable(from); !status.ok()) return status;
  ReadPlan plan{.earliest = earliest_, .visible_end = visible_end_};
  if (from == visible_end_) return plan;
  if (tail_.empty() || from < tail_.front().base_offset) {
    plan.on_disk = true;
    return plan;
  }
  auto batch = std::partition_point(tail_.begin(), tail_.end(),
                                    [from](const FetchedBatch& b) { return EndOf(b) <= from; });
  int64_t bytes = 0;
  bool first = true;
  for (;
       batch != tail_.end() && EndOf(*batch) <= visible_end_ && (first || bytes < limits.max_bytes);
       ++batch) {
    plan.batches.push_back(*batch);
    // Of the first one a part may be skipped.
    if (!std::exchange(first, false)) bytes += batch->entries_bytes;
  }
  return plan;
}

bool Partition::Wait(Offset from, std::weak_ptr<ReadWaiter> waiter) {
  const std::lock_guard lock(mutex_);
  if (deleted_ || from != visible_end_) return false;
  // Before the vector grows, the waiters that are gone make room.
  if (waiters_.size() == waiters_.capacity()) {
    std::erase_if(waiters_, [](const std::weak_ptr<ReadWaiter>& w) { return w.expired(); });
  }
  waiters_.push_back(std::move(waiter));
  return true;
}

PartitionStatus Partition::Status() const {
  const std::lock_guard lock(mutex_);
  return {earliest_,         visible_end_,   marks_.BytesFrom(earliest_), marks_.last_append_time(),
          appended_records_, appended_bytes_};
}

absl::Status Partition::Validate(Offset offset, LogEpoch epoch) const {
  const std::lock_guard lock(mutex_);
  return epochs_.Validate(offset, epoch, visible_end_);
}

absl::Status Partition::CheckOffset(Offset offset) const {
  const std::lock_guard lock(mutex_);
  return offset > visible_end_ ? OutOfRange(offset, earliest_, visible_end_) : absl::OkStatus();
}

Partition::SearchRange Partition::RangeToSearch(UnixMillis time) const {
  const std::lock_guard lock(mutex_);
  const Offset begin = std::max(marks_.SearchStart(time), earliest_);
  return {std::min(begin, visible_end_), visible_end_};
}

Partition::RetentionBound Partition::BoundUnder(const RetentionPolicy& policy,
                                                UnixMillis now) const {
  const std::lock_guard lock(mutex_);
  Offset bound = earliest_;
  if (policy.max_age) {
    bound = std::max(bound, marks_.StartByAge(now - absl::ToInt64Milliseconds(*policy.max_age)));
  }
  if (policy.max_partition_bytes) {
    bound = std::max(bound, marks_.StartByBytes(*policy.max_partition_bytes));
  }
  bound = std::min(bound, visible_end_);
  return {bound, marks_.BytesFrom(earliest_) - marks_.BytesFrom(bound)};
}

int64_t Partition::BytesBefore(Offset offset) const {
  const std::lock_guard lock(mutex_);
  return marks_.BytesFrom(earliest_) - marks_.BytesFrom(std::max(offset, earliest_));
}

}  // namespace millrace::storage
