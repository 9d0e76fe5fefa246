// What a group does with a member's stream: taking partitions away, resetting them, counting what
// is not committed.
#include <algorithm>
#include <utility>

#include "server/hub/subscription.h"
#include "server/hub/timer_queue.h"

namespace millrace::hub {

using storage::Offset;
using storage::PartitionId;
using storage::PositionEpoch;

// ---- Taking away

std::optional<Standing> Subscription::Stop(PartitionId partition) {
  Lock lock(mutex_);
  Cursor* cursor = Find(partition);
  if (cursor == nullptr) return std::nullopt;
  cursor->stopped = true;
  cursor->held = false;
  if (!cursor->caught_up) {  // Nobody waits for what will not be sent.
    cursor->caught_up = true;
    --behind_;
  }
  return Standing{cursor->next, cursor->position_epoch};
}

std::vector<PartitionName> Subscription::NamesOf(const std::vector<PartitionId>& partitions) const {
  std::vector<PartitionName> names;
  for (const PartitionId id : partitions) {
    const auto it = cursors_.find(id);
    if (it != cursors_.end()) names.push_back(it->second->name);
  }
  return names;
}

void Subscription::TellRevoking(const std::vector<PartitionId>& partitions,
                                absl::Duration time_left) {
  {
    Lock lock(mutex_);
    if (over_) return;
    std::vector<PartitionName> names = NamesOf(partitions);
    if (names.empty()) return;
    control_.push_back(RevokingFrame{std::move(names), time_left});
  }
  SchedulePump();
}

void Subscription::Lose(const std::vector<PartitionId>& partitions, LostCause cause) {
  {
    Lock lock(mutex_);
    if (over_) return;
    std::vector<PartitionName> names = NamesOf(partitions);
    if (names.empty()) return;
    control_.push_back(LostFrame{std::move(names), cause});
    for (const PartitionId id : partitions) {
      if (Cursor* cursor = Find(id)) Forget(*cursor);
    }
  }
  SchedulePump();
}

void Subscription::Reset(PartitionId partition, Offset offset, PositionEpoch position_epoch) {
  {
    Lock lock(mutex_);
    Cursor* cursor = Find(partition);
    if (over_ || cursor == nullptr) return;
    const Offset from = cursor->next;
    cursor->position_epoch = position_epoch;
    SetPosition(*cursor, offset);
    control_.push_back(RepositionedFrame{cursor->name, from, offset, RepositionCause::kReset,
                                         cursor->position_epoch});
  }
  SchedulePump();
}

std::optional<Standing> Subscription::StandingOf(PartitionId partition) const {
  Lock lock(mutex_);
  const auto it = cursors_.find(partition);
  if (it == cursors_.end()) return std::nullopt;
  return Standing{it->second->next, it->second->position_epoch};
}

std::vector<std::pair<PartitionId, Standing>> Subscription::Standings() const {
  Lock lock(mutex_);
  std::vector<std::pair<PartitionId, Standing>> standings;
  standings.reserve(cursors_.size());
  for (const auto& [id, cursor] : cursors_) {
    standings.push_back({id, {cursor->next, cursor->position_epoch}});
  }
  return standings;
}

// ---- What is not committed yet, and what the reader has asked for

storage::ReadLimits Subscription::LimitsFor(const Cursor& cursor, int64_t max_bytes) const {
  storage::ReadLimits limits{.max_bytes = max_bytes};
  const bool nothing_sent = cursor.in_flight.empty();
  if (const auto& bound = options_.max_in_flight_records) {
    const int64_t room = *bound - in_flight_records_;
    limits.max_records = room > 0 ? room : nothing_sent ? *bound : 0;
  }
  if (const auto& bound = options_.max_in_flight_bytes) {
    const int64_t room = *bound - in_flight_bytes_;
    limits.max_bytes = std::min(max_bytes, room > 0 ? room : nothing_sent ? *bound : 0);
  }
  if (credit_) limits.max_records = std::min(limits.max_records, *credit_);
  if (limits.max_records <= 0) limits.max_bytes = 0;
  return limits;
}

void Subscription::NoteSent(Cursor& cursor, const storage::FetchedBatch& batch) {
  if (credit_) *credit_ -= batch.record_count;
  if (!has_in_flight_bound() && !options_.notes_age_in_flight) return;
  cursor.in_flight.Sent(batch.base_offset, batch.record_count, batch.entries_bytes, MonotonicNow());
  in_flight_records_ += batch.record_count;
  in_flight_bytes_ += batch.entries_bytes;
}

void Subscription::NoteCommitted(Cursor& cursor, Offset next_offset) {
  if (cursor.in_flight.empty()) return;
  const int64_t records = cursor.in_flight.records();
  const int64_t bytes = cursor.in_flight.bytes();
  cursor.in_flight.Committed(next_offset);
  in_flight_records_ -= records - cursor.in_flight.records();
  in_flight_bytes_ -= bytes - cursor.in_flight.bytes();
  if (has_in_flight_bound()) ReadHeldAgain();
}

void Subscription::ReadHeldAgain() {
  for (auto& [id, cursor] : cursors_) {
    if (!std::exchange(cursor->held, false)) continue;
    MarkReady(*cursor);
  }
}

void Subscription::AddCredit(int64_t records) {
  {
    Lock lock(mutex_);
    if (over_ || !credit_) return;
    *credit_ += std::min(records, std::numeric_limits<int64_t>::max() - *credit_);
    ReadHeldAgain();
  }
  SchedulePump();
}

void Subscription::OnCommitted(PartitionId partition, Offset next_offset) {
  if (!has_in_flight_bound() && !options_.notes_age_in_flight) return;
  {
    Lock lock(mutex_);
    Cursor* cursor = Find(partition);
    if (over_ || cursor == nullptr) return;
    NoteCommitted(*cursor, next_offset);
  }
  SchedulePump();
}

std::vector<PartitionId> Subscription::UncommittedSince(absl::Duration time) const {
  Lock lock(mutex_);
  std::vector<PartitionId> partitions;
  for (const auto& [id, cursor] : cursors_) {
    const auto oldest = cursor->in_flight.oldest();
    if (oldest && *oldest < time) partitions.push_back(id);
  }
  return partitions;
}

// ---- Watching over the wake-ups

std::vector<PartitionName> Subscription::HealStalled() {
  std::vector<PartitionName> healed;
  {
    Lock lock(mutex_);
    const bool reader_waits = callback_ != nullptr && !pumping_ && !pump_scheduled_ && !reading_;
    if (over_ || !reader_waits) return healed;
    for (auto& [id, cursor] : cursors_) {
      const bool at_rest = !cursor->queued && !cursor->paused && !cursor->failed &&
                           !cursor->stopped && !cursor->held;
      const auto status = context_.engine.Status(id);
      const bool stalled = at_rest && status.ok() && status->high_watermark > cursor->next;
      if (stalled && cursor->seems_stalled) {
        healed.push_back(cursor->name);
        MarkReady(*cursor);
      }
      cursor->seems_stalled = stalled && !cursor->queued;
    }
    if (healed.empty()) return healed;
  }
  SchedulePump();
  return healed;
}

}  // namespace millrace::hub
