// One open Subscribe stream: what it reads, how far it has come, and the next frame it is owed.
//
// A transport (server/grpc, server/web) pulls: it asks for the next frame when it can write one,
// and gets it when there is one. So a stream has one outstanding frame, what it is owed is a
// position and not a queue, and a slow reader costs bounded memory and delays nobody.
//
// What happens to one partition:
//
//     Assign ──► ready ──read──► ready          more is visible
//                  ▲       └───► waiting        at the end; the log wakes it (OnReadable)
//                  │       └───► held           as much as max_in_flight allows is not committed,
//                  │                            or the credit is used up
//                  │       └───► idle           it cannot be read; told with partition_error
//                  └─ Seek, resume, commit, credit ─┘
//
// and of a group's member: Stop (nothing more is sent) ──► Lose.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/delivery_counts.h"
#include "server/hub/executor.h"
#include "server/hub/frame.h"
#include "server/hub/frame_budget.h"
#include "server/hub/in_flight.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::hub {

// What to do where a position lies outside the offsets that a partition has.
enum class OutOfRangePolicy { kFail, kEarliest, kLatest };

// A topic's name and a partition's number, as clients give them.
using TopicPartition = std::pair<std::string, int32_t>;

// A partition to read, with its first position.
struct PartitionStart {
  PartitionName name;
  storage::PartitionId id;
  storage::Offset offset;
  storage::PositionEpoch position_epoch;
  // Present where the position asked for was out of range and the policy chose `offset` instead.
  std::optional<storage::Offset> repositioned_from;
};

struct SeekOutcome {
  storage::Offset offset;
  storage::PositionEpoch position_epoch;
};

// Where a stream stands in a partition.
struct Standing {
  storage::Offset next;  // The offset after the last one sent.
  storage::PositionEpoch position_epoch;
};

struct SubscriptionOptions {
  std::string session_id;
  std::vector<std::string> missing_topics;
  std::string group;  // Empty: an independent reader.
  std::string owner;  // Whose it is; see SubscribeCommand.
  OutOfRangePolicy out_of_range = OutOfRangePolicy::kFail;
  // Of a member: nothing more is read while so much is sent and not committed, but for partitions
  // of which nothing is. Absent: no bound.
  std::optional<int64_t> max_in_flight_records;
  std::optional<int64_t> max_in_flight_bytes;
  bool notes_age_in_flight = false;  // For UncommittedSince.
  // Records that may be delivered before AddCredit. Absent: no bound.
  std::optional<int64_t> credit_records;
  int64_t max_frame_bytes = 1 << 20;
  absl::Duration heartbeat_interval = absl::Seconds(10);
  bool end_at_current = false;
};

// What a subscription needs of the hub; all outlive it.
struct SubscriptionContext {
  storage::Engine& engine;
  const storage::Clock& clock;
  TaskRunner& deliveries;  // Not posted to after Cancel.
  FrameBudget& budget;
  DeliveryCounts& delivery_counts;
};

// Threads: any. Owned by the transport while the stream is open; those who wake it hold it weakly.
class Subscription : public storage::ReadWaiter, public std::enable_shared_from_this<Subscription> {
 public:
  using FrameCallback = absl::AnyInvocable<void(Frame) &&>;

  Subscription(SubscriptionContext context, SubscriptionOptions options);
  ~Subscription() override;

  const SubscriptionOptions& options() const { return options_; }

  // Puts the session_started frame up, with the member that a group made of it (none: empty, 0).
  // Once, before anything else.
  void StartSession(std::string_view member_id, int32_t member_epoch);

  // Adds partitions and tells the reader; those that it has already are left as they are.
  void Assign(const std::vector<PartitionStart>& partitions);

  // Calls `callback` once with the next frame: inside the call where there is one, else later from
  // `deliveries`. Not to be called again before that frame was written (which is what frees its
  // memory budget), nor after an EndingFrame.
  void Next(FrameCallback callback);

  // The transport is gone: no callback is called any more, and the subscription does nothing.
  void Cancel();

  // Ends the stream: what is ready is dropped, the next frame is the EndingFrame. The first one
  // wins.
  void End(EndingReason reason);

  // Moves one partition to an offset that it has, and raises its position epoch.
  // PARTITION_NOT_ASSIGNED.
  absl::StatusOr<SeekOutcome> Seek(const TopicPartition& partition, storage::Offset offset);

  // Holds partitions, or goes on with them; all where none is named. Gives those held afterwards.
  // PARTITION_NOT_ASSIGNED: nothing is changed.
  absl::StatusOr<std::vector<PartitionName>> SetPaused(
      const std::vector<TopicPartition>& partitions, bool paused);

  bool IsAssigned(const TopicPartition& partition) const;

  // So many more records may be delivered; of a stream without credit it changes nothing.
  void AddCredit(int64_t records);

  // What the ending frame said, once it was asked for by End or by end_at_current.
  std::optional<EndingReason> ended_by() const;

  // ---- Of a group's member; partitions that it does not have are passed over.

  // Sends no more of the partition. Gives where the stream stands; absent: it has it not.
  std::optional<Standing> Stop(storage::PartitionId partition);

  // Tells the reader that partitions, stopped before, are to be committed or released.
  void TellRevoking(const std::vector<storage::PartitionId>& partitions, absl::Duration time_left);

  // Takes partitions away, and tells the reader.
  void Lose(const std::vector<storage::PartitionId>& partitions, LostCause cause);

  // Goes on at another offset, under another position epoch, because the group's offset was reset.
  void Reset(storage::PartitionId partition, storage::Offset offset,
             storage::PositionEpoch position_epoch);

  // The group committed up to `next_offset`.
  void OnCommitted(storage::PartitionId partition, storage::Offset next_offset);

  std::optional<Standing> StandingOf(storage::PartitionId partition) const;
  std::vector<std::pair<storage::PartitionId, Standing>> Standings() const;

  // Partitions of which something was sent before `time` (of MonotonicNow) and is not committed.
  std::vector<storage::PartitionId> UncommittedSince(absl::Duration time) const;

  // ---- To be called from time to time

  // Sends a heartbeat if the stream was silent for its interval. Gives when to look again; absent
  // when the stream is over.
  std::optional<absl::Duration> CheckHeartbeat();

  // Looks for partitions that have something to read while the reader waits and nothing reads them:
  // a wake-up was lost. One that is found twice running is read again, and named. (There is no such
  // case known; a stream that falls silent would be the worst of errors.)
  std::vector<PartitionName> HealStalled();

  void OnReadable(storage::PartitionId partition) override;

 private:
  // How far the stream has come in one partition.
  struct Cursor {
    PartitionName name;
    storage::PartitionId id;
    storage::Offset next;
    storage::PositionEpoch position_epoch;
    storage::Offset caught_up_at;  // What was visible when the position was set.
    bool caught_up = false;
    bool paused = false;
    bool failed = false;   // Cannot be read where it stands.
    bool stopped = false;  // Is being taken away.
    bool queued = false;   // Is in ready_.
    bool held = false;     // By max_in_flight or for want of credit.
    bool seems_stalled = false;
    InFlight in_flight;
    storage::Offset told_high_watermark;
    std::shared_ptr<DeliveryCount> delivered;
  };
  using Lock = std::unique_lock<std::mutex>;
  struct PendingRead;

  void SetPosition(Cursor& cursor, storage::Offset next);
  void MarkReady(Cursor& cursor);
  void Fail(Cursor& cursor, const absl::Status& error);
  void ReadHeldAgain();
  bool has_in_flight_bound() const {
    return options_.max_in_flight_records || options_.max_in_flight_bytes;
  }
  // What may be read of the partition now; 0 bytes: nothing.
  storage::ReadLimits LimitsFor(const Cursor& cursor, int64_t max_bytes) const;
  void NoteSent(Cursor& cursor, const storage::FetchedBatch& batch);
  void NoteCommitted(Cursor& cursor, storage::Offset next_offset);
  std::vector<PartitionName> NamesOf(const std::vector<storage::PartitionId>& partitions) const;
  void CheckCaughtUp(Cursor& cursor);
  void Forget(Cursor& cursor);
  void ReturnBudget();
  Cursor* Find(const TopicPartition& partition);
  Cursor* Find(storage::PartitionId partition);
  EndingFrame MakeEnding(EndingReason reason);
  // Adds what a heartbeat says of partitions that are paused, failed or held; false: none is.
  bool TellOfThoseAtRest(HeartbeatFrame& heartbeat);

  // Delivers frames as long as one is asked for and there is one. One thread at a time does it.
  void Pump();
  void SchedulePump();
  std::optional<Frame> TakeFrame(Lock& lock);
  void Deliver(Frame frame, Lock& lock);
  void WaitForMore(Lock& lock);
  void ReadInto(BatchesFrame& frame, Lock& lock);
  // Reads one partition; gives the result, or nothing where it will come from a reader thread.
  std::optional<absl::StatusOr<storage::ReadResult>> ReadOne(Cursor& cursor,
                                                             storage::ReadLimits limits,
                                                             Lock& lock);
  void FinishRead(storage::PartitionId id, storage::PositionEpoch position_epoch,
                  absl::StatusOr<storage::ReadResult> result, BatchesFrame& frame);
  void ApplyReadError(Cursor& cursor, const absl::Status& error);

  SubscriptionContext context_;
  const SubscriptionOptions options_;

  mutable std::mutex mutex_;
  absl::flat_hash_map<storage::PartitionId, std::unique_ptr<Cursor>> cursors_;
  absl::flat_hash_map<TopicPartition, Cursor*> by_name_;
  std::deque<Frame> control_;               // Frames that go before any records.
  std::deque<storage::PartitionId> ready_;  // To be read, in turn.
  std::vector<std::pair<storage::PartitionId, storage::Offset>> to_wait_;  // To be armed, unlocked.
  BatchesFrame late_;     // What a reader thread brought.
  bool reading_ = false;  // A reader thread is at work.
  std::vector<PartitionName> newly_caught_up_;
  int64_t behind_ = 0;         // Partitions that are not caught up.
  bool some_at_rest_ = false;  // Some may be paused, failed or held.
  int64_t in_flight_records_ = 0;
  int64_t in_flight_bytes_ = 0;
  std::optional<int64_t> credit_;
  std::optional<EndingReason> ending_;
  FrameCallback callback_;
  bool pumping_ = false;
  bool pump_again_ = false;  // Something happened since the pump looked.
  bool pump_scheduled_ = false;
  bool over_ = false;        // After the ending, or Cancel.
  int64_t taken_bytes_ = 0;  // Of the budget, for the frame being written.
  absl::Duration last_frame_at_;
};

}  // namespace millrace::hub
