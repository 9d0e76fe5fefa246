#include "storage/memory/memory_partition.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "storage/batch/stored_batch.h"
#include "storage/commit/read_assembler.h"
#include "storage/error.h"

namespace millrace::storage {
namespace {

// A copy that pins nothing but itself.
SharedSlice Copy(std::string_view bytes) {
  SliceBuffer buffer(bytes.size());
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return buffer.Share(0, bytes.size());
}

// What the batch would take on disk.
int64_t StoredBytes(const FetchedBatch& batch) {
  return batch.entries_bytes + static_cast<int64_t>(kStoredBatchHeaderBytes);
}

Offset EndOf(const FetchedBatch& batch) { return batch.base_offset + batch.record_count; }

}  // namespace

void MemoryPartition::Append(const EncodedRecords& records, LogEpoch epoch, UnixMillis now) {
  if (records.count == 0) return;
  if (auto entry = epochs_.EntryFor(epoch, end_)) epochs_.Add(*entry);
  last_append_time_ = std::max(now, last_append_time_);
  FetchedBatch batch{.base_offset = end_,
                     .record_count = records.count,
                     .log_epoch = epoch,
                     .append_time = last_append_time_,
                     .entries = {Copy(records.entries.bytes)},
                     .entries_bytes = static_cast<int64_t>(records.entries.bytes.size())};
  size_bytes_ += StoredBytes(batch);
  appended_bytes_ += batch.entries_bytes;
  end_ += records.count;
  batches_.push_back(std::move(batch));
}

absl::StatusOr<ReadResult> MemoryPartition::Read(Offset from, ReadLimits limits) const {
  if (from < earliest_ || from > end_) return OutOfRange(from);
  ReadAssembler assembler(from, limits);
  auto batch = std::partition_point(batches_.begin(), batches_.end(),
                                    [from](const FetchedBatch& b) { return EndOf(b) <= from; });
  for (; batch != batches_.end() && !assembler.full(); ++batch) {
    if (auto status = assembler.Add(*batch); !status.ok()) return status;
  }
  return std::move(assembler).Finish(earliest_, end_);
}

Offset MemoryPartition::OffsetAtTime(UnixMillis time) const {
  const auto batch =
      std::partition_point(batches_.begin(), batches_.end(),
                           [time](const FetchedBatch& b) { return b.append_time < time; });
  return batch == batches_.end() ? end_ : std::max(earliest_, batch->base_offset);
}

absl::Status MemoryPartition::Truncate(Offset before) {
  if (before > end_) return OutOfRange(before);
  RaiseEarliest(before);
  return absl::OkStatus();
}

void MemoryPartition::Retain(const RetentionPolicy& policy, absl::Time now) {
  const UnixMillis cutoff = policy.max_age ? absl::ToUnixMillis(now - *policy.max_age) : kNoTime;
  while (!batches_.empty()) {
    const bool too_old = batches_.front().append_time < cutoff;
    const bool too_much = policy.max_partition_bytes && batches_.size() > 1 &&
                          size_bytes_ > *policy.max_partition_bytes;
    if (!too_old && !too_much) return;
    RaiseEarliest(EndOf(batches_.front()));
  }
}

void MemoryPartition::AddWaiter(std::weak_ptr<ReadWaiter> waiter) {
  // Before the vector grows, the waiters that are gone make room.
  if (waiters_.size() == waiters_.capacity()) {
    std::erase_if(waiters_, [](const std::weak_ptr<ReadWaiter>& w) { return w.expired(); });
  }
  waiters_.push_back(std::move(waiter));
}

absl::Status MemoryPartition::OutOfRange(Offset offset) const {
  return Error(Reason::kOffsetOutOfRange, "the offset is not in the partition",
               {{"offset", std::to_string(offset.value())},
                {"earliest", std::to_string(earliest_.value())},
                {"latest", std::to_string(end_.value())}});
}

void MemoryPartition::RaiseEarliest(Offset earliest) {
  if (earliest <= earliest_) return;
  earliest_ = earliest;
  while (!batches_.empty() && EndOf(batches_.front()) <= earliest) {
    size_bytes_ -= StoredBytes(batches_.front());
    batches_.pop_front();
  }
  epochs_.DropBefore(earliest);
}

}  // namespace millrace::storage
