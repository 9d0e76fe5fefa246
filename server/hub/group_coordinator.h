// Who reads which partition of one consumer group: a state machine of events in and actions out.
// START HERE for groups; server/hub/group.h runs it.
//
// The open stream is the membership. A partition's way from one member to the next:
//
//     free ──Assign──► owned ──Revoke──► revoking ──Lose──► free
//                                          │   ends when the member committed what it was sent,
//                                          │   released the partition, or its time was up
//
// A partition has one owner at a time, and is not assigned again while a commit of the former owner
// is under way: so the next one starts at what is really committed, and no commit, alone or in a
// transaction, of a former owner can come after it.
//
// A member that has an instance id and loses its stream keeps its partitions for the rejoin grace:
// nobody reads them, and when it comes back nothing has moved. So does any member, for a shorter
// time, whose stream the hub itself has ended for it to open another.
//
// No clock, no lock, no I/O: time is an argument (any clock that never jumps), and whoever holds
// the object sees to threads, carries out the actions in order and answers a Revoke at once with
// Stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "server/hub/frame.h"
#include "storage/types.h"

namespace millrace::hub {

// One life of a member: one stream. A later one of the same member has a larger epoch.
struct MemberSession {
  std::string member_id;
  int32_t member_epoch = 0;

  friend auto operator<=>(const MemberSession&, const MemberSession&) = default;
};

// ---- What is to be done

// The session reads the partition from now on, from where the group committed.
struct AssignAction {
  MemberSession session;
  storage::PartitionId partition;
};

// The session is sent no more of the partition. To be answered with Stopped before anything else.
struct RevokeAction {
  MemberSession session;
  storage::PartitionId partition;
};

// The session is to be told that it has `time_left` to commit or release the partition.
struct TellRevokingAction {
  MemberSession session;
  storage::PartitionId partition;
  absl::Duration time_left;
};

// The session has the partition no more.
struct LoseAction {
  MemberSession session;
  storage::PartitionId partition;
  LostCause cause;
};

// The session is over.
struct EndAction {
  MemberSession session;
  EndingReason reason;
};

using GroupAction =
    std::variant<AssignAction, RevokeAction, TellRevokingAction, LoseAction, EndAction>;

// ---- What is known

struct GroupMemberState {
  enum class Presence {
    kConnected,
    kAbsent,     // Its stream is gone; it may come back until `gone_at`.
    kFinishing,  // Its stream came to its end; it may commit what it was sent until `gone_at`.
  };

  MemberSession session;
  std::string instance_id;          // Empty: none.
  std::vector<std::string> topics;  // Sorted.
  absl::Duration revoke_timeout;
  Presence presence = Presence::kConnected;
  absl::Duration gone_at;
};

struct GroupPartitionState {
  std::string topic;
  std::string owner;  // The member that has it. Empty: none.
};

class GroupCoordinator {
 public:
  struct Options {
    // How long the partitions of a member with an instance id wait for it after its stream broke.
    absl::Duration rejoin_grace = absl::Seconds(30);
    // How long those of a member without one do, after a restart of the hub and when it is
    // recalled.
    absl::Duration settle_time = absl::Seconds(5);
  };

  explicit GroupCoordinator(Options options);
  ~GroupCoordinator();

  // ---- Events. Those that name a session which is not the present one of its member change
  // nothing.

  struct JoinRequest {
    std::string new_member_id;     // What a member that is not known is to be called.
    std::string instance_id;       // Empty: none.
    std::string resume_member_id;  // Empty: none.
    std::vector<std::string> topics;
    absl::Duration revoke_timeout;
  };
  // A stream opened. A member that is known by its instance id, else by resume_member_id, goes on
  // under its id and a new epoch, and keeps its partitions; its open stream, if any, ends with
  // kInstanceReplaced.
  MemberSession Join(absl::Duration now, const JoinRequest& request);

  // The stream is gone, and nobody knows why.
  void Break(absl::Duration now, const MemberSession& session);

  // The hub ended the stream, for the member to open another. Its partitions wait for it: for the
  // rejoin grace, or the settle time if it has no instance id.
  void Recall(absl::Duration now, const MemberSession& session);

  // The member said that it leaves: its partitions are free at once, and its stream ends.
  void Leave(absl::Duration now, const MemberSession& session);

  // What a stream was sent of a partition, and what the group has committed there.
  struct Progress {
    storage::PartitionId partition;
    storage::Offset delivered;  // The offset after the last one sent.
    storage::Offset committed;
  };
  // The stream came to its own end (end_at_current). Its partitions are free when what was sent is
  // committed, or after the rejoin grace; with the last of them the member is gone.
  void Finish(absl::Duration now, const MemberSession& session,
              const std::vector<Progress>& progress);

  // The member subscribes to these topics from now on.
  void SetMemberTopics(absl::Duration now, const MemberSession& session,
                       std::vector<std::string> topics);

  // The partitions that a topic has; none where it was deleted.
  void SetTopicPartitions(absl::Duration now, const std::string& topic,
                          const std::vector<storage::PartitionId>& partitions);

  // Answers a Revoke.
  void Stopped(absl::Duration now, const MemberSession& session, const Progress& progress);

  // A commit begins: whether the session has the partition. If so, EndCommit must follow.
  bool BeginCommit(const MemberSession& session, storage::PartitionId partition);
  // It is over; `committed` is what the group has committed now, absent if it failed.
  void EndCommit(absl::Duration now, const MemberSession& session, storage::PartitionId partition,
                 std::optional<storage::Offset> committed);

  // The member gives the partition up. Others are preferred to it for whom it goes to.
  void Release(absl::Duration now, const MemberSession& session, storage::PartitionId partition);

  // As Release, but the hub's decision: something it was sent stayed uncommitted for too long.
  void Evict(absl::Duration now, const MemberSession& session, storage::PartitionId partition);

  // The group's offset is about to be set anew: the partition does not change hands meanwhile.
  void BeginReset(storage::PartitionId partition);
  // It is over. If it was done, nothing that was sent of a partition being revoked is to be
  // committed any more.
  void EndReset(absl::Duration now, storage::PartitionId partition, bool done);

  // Time has passed.
  void Tick(absl::Duration now);

  // Makes a member known that an earlier life of the hub had, with what it had: for the rejoin
  // grace, or the settle time if it has no instance id. Only before the first Join, after
  // SetTopicPartitions.
  void Restore(absl::Duration now, const GroupMemberState& member,
               const std::vector<storage::PartitionId>& partitions);

  // ---- Answers

  // What the events since the last call ask for, in order.
  std::vector<GroupAction> TakeActions();
  bool has_actions() const { return !actions_.empty(); }

  // When Tick has something to do next; absent: never.
  std::optional<absl::Duration> NextDeadline() const;

  bool Owns(const MemberSession& session, storage::PartitionId partition) const;
  // Whether a member subscribes to the topic, or partitions of it are known.
  bool Concerns(const std::string& topic) const;
  bool IsRevoking(storage::PartitionId partition) const;
  // Members that are not gone for good, absent ones included.
  size_t member_count() const { return members_.size(); }
  const std::string* FindInstance(std::string_view instance_id) const;  // Its member; null: none.
  bool Knows(std::string_view member_id) const { return members_.contains(member_id); }
  std::vector<GroupMemberState> Members() const;  // By time of first join.
  std::map<storage::PartitionId, GroupPartitionState> Partitions() const;

 private:
  struct Member;
  struct Slot;

  Member* FindPresent(const MemberSession& session);
  const Member* FindPresent(const MemberSession& session) const;
  Slot* FindOwned(const Member* member, storage::PartitionId partition);
  Member& FindOrAdd(const JoinRequest& request);
  void TakeOver(Member& member);
  void AwaitUntil(absl::Duration time, Member& member);
  // How long its partitions wait for a member that is to come back.
  absl::Duration PatienceWith(const GroupMemberState& member) const;
  void Remove(Member& member);
  void RemoveFinished();
  void Free(Slot& slot);
  void GiveUp(Slot& slot, LostCause cause);
  void GiveBack(absl::Duration now, const MemberSession& session, storage::PartitionId partition,
                LostCause cause);
  void GiveUpIfSettled(Slot& slot, storage::Offset committed);
  std::vector<Member*> ByTimeOfFirstJoin() const;
  void Rebalance(absl::Duration now);
  void ChooseTargets();
  void Pursue(absl::Duration now, Slot& slot);

  const Options options_;
  int64_t joins_ = 0;
  std::map<std::string, std::unique_ptr<Member>, std::less<>> members_;  // By member id.
  std::map<storage::PartitionId, Slot> slots_;
  std::vector<GroupAction> actions_;
};

}  // namespace millrace::hub
