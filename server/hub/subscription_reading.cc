// Reading for a stream: from the log, by turns of its partitions, into the next frame.
#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <utility>

#include "server/hub/subscription.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Offset;
using storage::PartitionId;
using storage::PositionEpoch;
using storage::ReadResult;
using storage::Reason;

// A read that may be answered inside the call or later. Whoever comes second, the answer or the end
// of the call, knows which of the two it was.
struct Subscription::PendingRead {
  std::atomic<bool> first_arrived{false};
  std::optional<absl::StatusOr<ReadResult>> result;
};

void Subscription::ReadInto(BatchesFrame& frame, Lock& lock) {
  int64_t left = context_.budget.Allowance(options_.max_frame_bytes);
  while (left > 0 && !ready_.empty() && !reading_) {
    const PartitionId id = ready_.front();
    ready_.pop_front();
    const auto it = cursors_.find(id);
    if (it == cursors_.end()) continue;
    Cursor& cursor = *it->second;
    cursor.queued = false;
    if (cursor.paused || cursor.failed || cursor.stopped) continue;
    const storage::ReadLimits limits = LimitsFor(cursor, left);
    if (limits.max_bytes <= 0) {
      cursor.held = some_at_rest_ = true;
      continue;
    }
    const PositionEpoch position_epoch = cursor.position_epoch;
    auto result = ReadOne(cursor, limits, lock);
    if (over_ || !result) return;
    const bool full = result->ok() && (*result)->next_offset < (*result)->high_watermark;
    BatchesFrame more;
    FinishRead(id, position_epoch, *std::move(result), more);
    left -= BytesOf(more);
    if (left < 0 && !frame.batches.empty()) {  // A large record: it goes alone, in the next frame.
      late_ = std::move(more);
      return;
    }
    std::move(more.batches.begin(), more.batches.end(), std::back_inserter(frame.batches));
    // What is left is no room for the next record. (It may be that none was taken: see FinishRead.)
    if (full && !frame.batches.empty()) return;
    if (!control_.empty()) return;  // It goes next, so that order is kept.
  }
}

std::optional<absl::StatusOr<ReadResult>> Subscription::ReadOne(Cursor& cursor,
                                                                storage::ReadLimits limits,
                                                                Lock& lock) {
  const PartitionId id = cursor.id;
  const PositionEpoch position_epoch = cursor.position_epoch;
  const Offset from = cursor.next;
  const auto pending = std::make_shared<PendingRead>();
  reading_ = true;
  lock.unlock();
  context_.engine.Read(
      id, from, limits,
      [weak = weak_from_this(), pending, id, position_epoch](absl::StatusOr<ReadResult> result) {
        pending->result = std::move(result);
        if (!pending->first_arrived.exchange(true)) return;  // Inside the call, or nearly.
        const auto self = weak.lock();
        if (self == nullptr) return;
        {
          Lock lock(self->mutex_);
          self->reading_ = false;
          if (self->over_) return;
          self->FinishRead(id, position_epoch, *std::move(pending->result), self->late_);
        }
        self->SchedulePump();
      });
  const bool answered = pending->first_arrived.exchange(true);
  lock.lock();
  if (!answered) return std::nullopt;
  reading_ = false;
  return std::move(pending->result);
}

void Subscription::FinishRead(PartitionId id, PositionEpoch position_epoch,
                              absl::StatusOr<ReadResult> result, BatchesFrame& frame) {
  const auto it = cursors_.find(id);
  if (it == cursors_.end()) return;
  Cursor& cursor = *it->second;
  // It was moved or taken away while the read was under way.
  if (cursor.position_epoch != position_epoch || cursor.stopped) return;
  if (!result.ok()) {
    ApplyReadError(cursor, result.status());
    return;
  }
  for (storage::FetchedBatch& batch : result->batches) {
    NoteSent(cursor, batch);
    cursor.delivered->Add(batch.record_count, batch.entries_bytes);
    frame.batches.push_back(
        {cursor.name, std::move(batch), cursor.position_epoch, result->high_watermark});
  }
  cursor.next = result->next_offset;
  cursor.told_high_watermark = result->high_watermark;
  CheckCaughtUp(cursor);
  if (cursor.next < result->high_watermark) {
    MarkReady(cursor);
  } else {
    to_wait_.emplace_back(cursor.id, cursor.next);
  }
}

void Subscription::ApplyReadError(Cursor& cursor, const absl::Status& error) {
  const std::optional<Reason> reason = storage::ReasonOf(error);
  if (reason == Reason::kOffsetOutOfRange && options_.out_of_range != OutOfRangePolicy::kFail) {
    const auto status = context_.engine.Status(cursor.id);
    if (status.ok()) {
      const Offset from = cursor.next;
      ++cursor.position_epoch;
      SetPosition(cursor, options_.out_of_range == OutOfRangePolicy::kEarliest
                              ? status->earliest
                              : status->high_watermark);
      control_.push_back(RepositionedFrame{cursor.name, from, cursor.next,
                                           RepositionCause::kOutOfRange, cursor.position_epoch});
      return;
    }
  }
  const bool gone = reason == Reason::kTopicNotFound;
  if (gone && !options_.group.empty()) return;  // Its group is about to take it away.
  Fail(cursor, error);
  if (gone) Forget(cursor);  // For good: a new topic of this name is another one.
}

}  // namespace millrace::hub
