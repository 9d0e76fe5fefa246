#include "server/hub/subscription.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "server/hub/timer_queue.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Offset;
using storage::PartitionId;
using storage::PositionEpoch;
using storage::Reason;

namespace {

absl::Status NotAssigned(const TopicPartition& partition) {
  return Error(Reason::kPartitionNotAssigned,
               absl::StrCat("this subscription does not read partition ", partition.second,
                            " of \"", partition.first, "\""),
               {{"topic", partition.first}, {"partition", absl::StrCat(partition.second)}});
}

absl::Status FinalStatus(EndingReason reason) {
  switch (reason) {
    case EndingReason::kEndReached:
    case EndingReason::kLeft:
      return absl::OkStatus();
    case EndingReason::kDraining:
      return Error(Reason::kDraining, "the hub is stopping: subscribe again");
    case EndingReason::kInstanceReplaced:
      return Error(Reason::kInstanceReplaced,
                   "another stream took over this instance_id: do not retry");
    case EndingReason::kMaxAge:
      return Error(Reason::kDraining, "this stream has reached its maximum age: subscribe again",
                   {{"retry_after_ms", "0"}});
    case EndingReason::kRefused:
      return Error(Reason::kPermissionDenied, "the caller may no longer read this");
    case EndingReason::kInternal:
      break;
  }
  return Error(Reason::kInternal, "the hub met an error of its own");
}

TopicPartition KeyOf(const PartitionName& name) { return {*name.topic, name.partition}; }

}  // namespace

Subscription::Subscription(SubscriptionContext context, SubscriptionOptions options)
    : context_(context),
      options_(std::move(options)),
      credit_(options_.credit_records),
      last_frame_at_(MonotonicNow()) {}

void Subscription::StartSession(std::string_view member_id, int32_t member_epoch) {
  Lock lock(mutex_);
  control_.push_front(SessionStartedFrame{.session_id = options_.session_id,
                                          .member_id = std::string(member_id),
                                          .member_epoch = member_epoch,
                                          .log_epoch = context_.engine.log_epoch(),
                                          .missing_topics = options_.missing_topics});
}

Subscription::~Subscription() { ReturnBudget(); }

// After Cancel nothing of the hub is touched any more: a late read may be the last to hold a share.
void Subscription::ReturnBudget() {
  if (taken_bytes_ > 0) context_.budget.Return(std::exchange(taken_bytes_, 0));
}

// ---- Positions

void Subscription::SetPosition(Cursor& cursor, Offset next) {
  cursor.next = next;
  cursor.failed = false;
  cursor.stopped = false;
  NoteCommitted(cursor, Offset(std::numeric_limits<int64_t>::max()));  // It concerns nobody now.
  const auto status = context_.engine.Status(cursor.id);
  cursor.caught_up_at = status.ok() ? status->high_watermark : next;
  if (cursor.caught_up) {
    cursor.caught_up = false;
    ++behind_;
  }
  CheckCaughtUp(cursor);
  MarkReady(cursor);
}

void Subscription::MarkReady(Cursor& cursor) {
  if (cursor.queued || cursor.paused || cursor.failed || cursor.stopped) return;
  cursor.queued = true;
  ready_.push_back(cursor.id);
}

void Subscription::CheckCaughtUp(Cursor& cursor) {
  if (cursor.caught_up || cursor.next < cursor.caught_up_at) return;
  cursor.caught_up = true;
  --behind_;
  newly_caught_up_.push_back(cursor.name);
}

void Subscription::Fail(Cursor& cursor, const absl::Status& error) {
  cursor.failed = some_at_rest_ = true;
  if (!cursor.caught_up) {  // Nobody waits for a partition that cannot go on.
    cursor.caught_up = true;
    --behind_;
  }
  PartitionErrorFrame frame{.name = cursor.name, .error = error};
  if (const auto status = context_.engine.Status(cursor.id); status.ok()) {
    frame.earliest = status->earliest;
    frame.latest = status->high_watermark;
  }
  control_.push_back(std::move(frame));
}

void Subscription::Assign(const std::vector<PartitionStart>& partitions) {
  {
    Lock lock(mutex_);
    if (over_) return;
    AssignedFrame assigned;
    std::vector<Frame> repositioned;
    for (const PartitionStart& start : partitions) {
      const TopicPartition key = KeyOf(start.name);
      if (by_name_.contains(key)) continue;
      auto owned = std::make_unique<Cursor>(
          Cursor{.name = start.name, .id = start.id, .position_epoch = start.position_epoch});
      Cursor& cursor = *owned;
      cursor.delivered = context_.delivery_counts.Of(*start.name.topic, start.id);
      cursors_[start.id] = std::move(owned);
      by_name_[key] = &cursor;
      ++behind_;
      SetPosition(cursor, start.offset);
      cursor.told_high_watermark = cursor.caught_up_at;
      assigned.assignments.push_back(
          {start.name, start.offset, start.position_epoch, cursor.caught_up_at});
      if (start.repositioned_from) {
        repositioned.push_back(RepositionedFrame{start.name, *start.repositioned_from, start.offset,
                                                 RepositionCause::kOutOfRange,
                                                 start.position_epoch});
      }
    }
    if (assigned.assignments.empty()) return;
    control_.push_back(std::move(assigned));
    for (Frame& frame : repositioned) control_.push_back(std::move(frame));
  }
  SchedulePump();
}

absl::StatusOr<SeekOutcome> Subscription::Seek(const TopicPartition& partition, Offset offset) {
  SeekOutcome outcome;
  {
    Lock lock(mutex_);
    Cursor* cursor = Find(partition);
    if (cursor == nullptr) return NotAssigned(partition);
    const Offset from = cursor->next;
    ++cursor->position_epoch;
    SetPosition(*cursor, offset);
    outcome = {offset, cursor->position_epoch};
    control_.push_back(RepositionedFrame{cursor->name, from, offset, RepositionCause::kSeek,
                                         cursor->position_epoch});
  }
  SchedulePump();
  return outcome;
}

absl::StatusOr<std::vector<PartitionName>> Subscription::SetPaused(
    const std::vector<TopicPartition>& partitions, bool paused) {
  std::vector<PartitionName> held;
  {
    Lock lock(mutex_);
    std::vector<Cursor*> chosen;
    for (const TopicPartition& partition : partitions) {
      Cursor* cursor = Find(partition);
      if (cursor == nullptr) return NotAssigned(partition);
      chosen.push_back(cursor);
    }
    if (partitions.empty()) {
      for (auto& [id, cursor] : cursors_) chosen.push_back(cursor.get());
    }
    for (Cursor* cursor : chosen) {
      cursor->paused = paused;
      some_at_rest_ |= paused;
      MarkReady(*cursor);
    }
    for (auto& [key, cursor] : by_name_) {
      if (cursor->paused) held.push_back(cursor->name);
    }
  }
  SchedulePump();
  return held;
}

void Subscription::Forget(Cursor& cursor) {
  if (!cursor.caught_up) --behind_;
  NoteCommitted(cursor, Offset(std::numeric_limits<int64_t>::max()));
  by_name_.erase(KeyOf(cursor.name));
  const PartitionId id = cursor.id;
  cursors_.erase(id);
}

bool Subscription::IsAssigned(const TopicPartition& partition) const {
  Lock lock(mutex_);
  return by_name_.contains(partition);
}

std::optional<EndingReason> Subscription::ended_by() const {
  Lock lock(mutex_);
  return ending_;
}

Subscription::Cursor* Subscription::Find(const TopicPartition& partition) {
  const auto it = by_name_.find(partition);
  return it == by_name_.end() ? nullptr : it->second;
}

Subscription::Cursor* Subscription::Find(PartitionId partition) {
  const auto it = cursors_.find(partition);
  return it == cursors_.end() ? nullptr : it->second.get();
}

// ---- Frames

void Subscription::Next(FrameCallback callback) {
  {
    Lock lock(mutex_);
    ReturnBudget();
    if (over_) return;
    callback_ = std::move(callback);
  }
  Pump();
}

void Subscription::Cancel() {
  FrameCallback dropped;
  Lock lock(mutex_);
  over_ = true;
  ReturnBudget();
  dropped = std::move(callback_);
  callback_ = nullptr;
  ready_.clear();
  control_.clear();
  late_.batches.clear();
  lock.unlock();
}

void Subscription::End(EndingReason reason) {
  {
    Lock lock(mutex_);
    if (!ending_) ending_ = reason;
  }
  SchedulePump();
}

EndingFrame Subscription::MakeEnding(EndingReason reason) {
  EndingFrame ending{.reason = reason, .status = FinalStatus(reason)};
  for (const auto& [key, cursor] : by_name_) {
    ending.resume_at.push_back({cursor->name, cursor->next, context_.engine.log_epoch()});
  }
  return ending;
}

// Posts under the lock: after Cancel, which takes it too, nobody uses the hub's executor any more.
void Subscription::SchedulePump() {
  Lock lock(mutex_);
  pump_again_ = true;
  if (!callback_ || pumping_ || pump_scheduled_) return;
  pump_scheduled_ = true;
  context_.deliveries.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Pump();
  });
}

void Subscription::Pump() {
  Lock lock(mutex_);
  pump_scheduled_ = false;
  if (pumping_) return;
  pumping_ = true;
  pump_again_ = true;
  while (callback_ && !over_ && pump_again_) {
    pump_again_ = false;
    if (std::optional<Frame> frame = TakeFrame(lock); frame && callback_ && !over_) {
      pump_again_ = true;
      Deliver(*std::move(frame), lock);
    }
    WaitForMore(lock);
  }
  pumping_ = false;
}

void Subscription::Deliver(Frame frame, Lock& lock) {
  FrameCallback callback = std::exchange(callback_, nullptr);
  last_frame_at_ = MonotonicNow();
  over_ = std::holds_alternative<EndingFrame>(frame);
  lock.unlock();
  std::move(callback)(std::move(frame));
  callback = nullptr;
  lock.lock();
}

void Subscription::WaitForMore(Lock& lock) {
  if (to_wait_.empty()) return;
  const auto to_wait = std::exchange(to_wait_, {});
  lock.unlock();
  for (const auto& [id, from] : to_wait) {
    context_.engine.NotifyWhenReadable(id, from, weak_from_this());
  }
  lock.lock();
}

std::optional<Frame> Subscription::TakeFrame(Lock& lock) {
  // What a reader thread brought is counted as delivered already, so it goes even before an ending.
  BatchesFrame batches = std::exchange(late_, {});
  if (batches.batches.empty()) {
    if (!control_.empty()) {
      Frame frame = std::move(control_.front());
      control_.pop_front();
      return frame;
    }
    if (ending_) return MakeEnding(*ending_);
    if (!newly_caught_up_.empty()) return CaughtUpFrame{std::exchange(newly_caught_up_, {})};
    if (options_.end_at_current && behind_ == 0) {
      ending_ = EndingReason::kEndReached;
      return MakeEnding(*ending_);
    }
    ReadInto(batches, lock);
  }
  if (batches.batches.empty()) {
    // The reads may have brought up a frame of another kind.
    pump_again_ |= !control_.empty() || !newly_caught_up_.empty();
    return std::nullopt;
  }
  taken_bytes_ = BytesOf(batches);
  context_.budget.Take(taken_bytes_);
  return batches;
}

// ---- Wake-ups

void Subscription::OnReadable(PartitionId partition) {
  {
    Lock lock(mutex_);
    if (over_) return;
    const auto it = cursors_.find(partition);
    if (it == cursors_.end()) return;
    MarkReady(*it->second);
  }
  SchedulePump();
}

bool Subscription::TellOfThoseAtRest(HeartbeatFrame& heartbeat) {
  const bool out_of_credit = credit_ && *credit_ == 0;
  bool some = false;
  for (auto& [id, cursor] : cursors_) {
    some |= cursor->paused || cursor->failed || cursor->held;
    if (cursor->held && !out_of_credit) heartbeat.waiting_for_commit.push_back(cursor->name);
    if (!cursor->paused && !cursor->failed) continue;
    const auto status = context_.engine.Status(id);
    if (!status.ok() || status->high_watermark == cursor->told_high_watermark) continue;
    cursor->told_high_watermark = status->high_watermark;
    heartbeat.changed.push_back(
        {cursor->name, status->earliest, status->high_watermark, cursor->next});
  }
  return some;
}

std::optional<absl::Duration> Subscription::CheckHeartbeat() {
  {
    Lock lock(mutex_);
    if (over_) return std::nullopt;
    const absl::Duration silent = MonotonicNow() - last_frame_at_;
    if (silent < options_.heartbeat_interval) return options_.heartbeat_interval - silent;
    // Where a frame is still being written, the reader is behind and knows that the stream lives.
    if (!callback_) return options_.heartbeat_interval;
    HeartbeatFrame heartbeat{.hub_time = context_.clock.Now()};
    if (some_at_rest_) some_at_rest_ = TellOfThoseAtRest(heartbeat);
    control_.push_back(std::move(heartbeat));
  }
  SchedulePump();
  return options_.heartbeat_interval;
}

}  // namespace millrace::hub
