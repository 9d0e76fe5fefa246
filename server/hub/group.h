// One consumer group at work: a coordinator, the streams of its members, and the log that the
// offsets lie in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/executor.h"
#include "server/hub/group_coordinator.h"
#include "server/hub/hub_observer.h"
#include "server/hub/limits.h"
#include "server/hub/subscription.h"
#include "server/hub/timer_queue.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::hub {

// What a group needs of the hub; all outlive it.
struct GroupContext {
  storage::Engine& engine;
  const storage::Clock& clock;
  const Limits& limits;
  HubObserver& observer;
  Executor& workers;
  TimerQueue& timers;
  GroupCoordinator::Options options;
};

// How a stream wants to be a member.
struct MemberRequest {
  std::string instance_id;
  std::string resume_member_id;
  std::vector<std::string> topics;
  absl::Duration revoke_timeout = absl::Minutes(5);
  std::optional<absl::Duration> max_uncommitted_age;
  std::string peer;  // The client's address.
};

// A member as it stands, for people to look at.
struct MemberView {
  std::string member_id;
  std::string instance_id;
  std::string peer;
  std::optional<absl::Time> connect_time;  // Absent: its stream is not open.
  std::vector<std::string> topics;
};

// Who has a partition and how far it was sent.
struct OwnerView {
  std::string member_id;  // Empty: nobody.
  std::optional<storage::Offset> delivered;
};

struct GroupView {
  std::vector<MemberView> members;  // By time of first join.
  std::map<storage::PartitionId, OwnerView> partitions;
};

// Threads: any. Owned by Groups, and by tasks that are under way.
class Group : public std::enable_shared_from_this<Group> {
 public:
  Group(GroupContext context, std::string name);

  // Reads what an earlier life of the hub kept. Once, before anything else. Blocks.
  void Restore();

  // Commits where the group begins in partitions of these topics that it has not committed in:
  // where a topic is new to the group at `resolve(partition)`, else at the first record. Blocks.
  using StartResolver = absl::FunctionRef<absl::StatusOr<storage::Offset>(storage::PartitionId)>;
  absl::Status CommitStarts(const std::vector<std::string>& topics, StartResolver resolve);

  // Makes the stream a member and puts up its first frames. LIMIT_EXCEEDED.
  absl::StatusOr<MemberSession> Join(const std::shared_ptr<Subscription>& stream,
                                     const MemberRequest& request);

  // The transport is done with the stream. Does nothing where the session is over already.
  void StreamClosed(const MemberSession& session, const Subscription& stream);

  void SetTopics(const MemberSession& session, std::vector<std::string> topics);
  void Release(const MemberSession& session, const std::vector<storage::PartitionId>& partitions);
  void Leave(const MemberSession& session);

  // A topic is new, has grown or is gone.
  void OnTopicChanged(const std::string& topic);

  // ---- Commits. See GroupCoordinator::BeginCommit.

  // The position epoch that a commit is under: what is given, or else the present one.
  // MEMBER_FENCED where the session has not got the partition, INVALID_CONFIG for an epoch that is
  // yet to come.
  absl::StatusOr<storage::PositionEpoch> BeginCommit(
      const MemberSession& session, storage::PartitionId partition,
      std::optional<storage::PositionEpoch> position_epoch);
  void EndCommit(const MemberSession& session, storage::PartitionId partition,
                 const absl::StatusOr<storage::Offset>& committed);

  // Sets what is committed anew, and moves the members that read it. One result a target. Blocks.
  struct ResetTarget {
    std::string topic;
    storage::PartitionId partition;
    storage::Offset offset;
  };
  std::vector<absl::Status> Reset(const std::vector<ResetTarget>& targets);

  bool has_members() const;
  GroupView View() const;

  // Keeps who has what, now. From here on no stream that ends moves anything, no time passes, and
  // no thread of the hub is used: the hub stops, and members are to find everything in place after
  // it. Commits go on. Idempotent. Blocks.
  void Freeze();

 private:
  struct Stream {
    std::shared_ptr<Subscription> subscription;
    std::optional<absl::Duration> max_uncommitted_age;
    std::string peer;
    absl::Time connect_time;
  };
  using CommittedById = absl::flat_hash_map<storage::PartitionId, storage::CommittedOffset>;

  // What a stream is to be told.
  struct Notice {
    enum Kind { kAssigned, kRevoking, kLost } kind;
    LostCause cause = LostCause::kHandedOver;
    absl::Duration time_left = absl::ZeroDuration();
    std::vector<storage::PartitionId> partitions = {};
  };

  // All below, up to Tick, are called under mutex_.
  void RefreshTopic(const std::string& topic);  // An event of its own, carried out.
  // Does what the coordinator asks for. After every event.
  void CarryOut();
  void Do(const AssignAction& assign);
  void Do(const RevokeAction& revoke);
  void Do(const TellRevokingAction& revoking);
  void Do(const LoseAction& lose);
  void Do(const EndAction& end);
  void Enqueue(const MemberSession& session, const Notice& notice, storage::PartitionId partition);
  void Send(const MemberSession& session);
  void SendAssigned(Subscription& stream, const std::vector<storage::PartitionId>& partitions);
  Subscription* StreamOf(const MemberSession& session) const;

  // As it was when the event first asked: what comes later has an event of its own to follow.
  const CommittedById& Committed();
  storage::Offset CommittedIn(storage::PartitionId partition);
  // Position epochs come from here (an assignment, a reset) or from a stream (a seek): each is
  // larger than all before it of its partition.
  storage::PositionEpoch NextEpoch(storage::PartitionId partition);
  void NoteEpoch(storage::PartitionId partition, const Subscription& stream);
  void NoteEpochs(const Subscription& stream);
  void MoveOwner(const storage::OffsetCommit& reset);

  void EvictLate(absl::Duration now);
  std::optional<absl::Duration> NextWake() const;
  void ScheduleTick();
  void ScheduleOnWorker(absl::Duration delay, void (Group::*task)());
  void ScheduleKeeping();

  CommittedById ReadCommitted() const;
  void Tick();
  void Keep();
  void Put(bool freeze);

  const GroupContext context_;
  const std::string name_;

  std::mutex starts_mutex_;  // Held over the first commits. Before mutex_.

  mutable std::mutex mutex_;
  GroupCoordinator coordinator_;
  std::map<MemberSession, Stream> streams_;  // Of present sessions, as long as they are open.
  std::map<MemberSession, std::vector<Notice>> outbox_;  // Empty between events.
  std::optional<CommittedById> committed_;               // Absent between events.
  absl::flat_hash_map<storage::PartitionId, PartitionName> names_;
  absl::flat_hash_map<storage::PartitionId, storage::PositionEpoch> epochs_;  // The last given out.
  std::optional<absl::Duration> tick_at_;
  bool keeping_scheduled_ = false;
  bool frozen_ = false;
};

}  // namespace millrace::hub
