// All consumer groups of the hub: finding them, committing their offsets, looking at them,
// resetting and forgetting them. What happens inside of one is in group.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/group.h"
#include "server/hub/topics.h"
#include "storage/engine.h"

namespace millrace::hub {

// One offset to commit, by names.
struct CommitEntry {
  std::string topic;
  int32_t partition = 0;
  storage::Offset next_offset;
  std::string metadata;
  // Absent: of a member its present one; of nobody in particular, the offset replaces what is
  // there.
  std::optional<storage::PositionEpoch> position_epoch;
};

struct CommitCommand {
  std::string group;
  std::string member_id;  // Empty: allowed only while the group has no members.
  int32_t member_epoch = 0;
  std::vector<CommitEntry> entries;
  std::vector<TopicPartition> released;
  bool leave = false;
  std::optional<storage::Durability> durability;  // Absent: the hub's default.
};

// What is committed now, or why the entry was refused; in the order of the entries.
using CommitOutcome = std::vector<absl::StatusOr<storage::Offset>>;
using CommitCompletion = absl::AnyInvocable<void(absl::StatusOr<CommitOutcome>) &&>;

// A commit that was judged and waits for the log: no partition of it changes hands until EndCommit.
struct BegunCommit {
  std::vector<storage::OffsetCommit> commits;  // Of the entries that were accepted, in order.
  std::vector<absl::Status> refusals;          // Of each entry; OK: it was accepted.
  std::shared_ptr<Group> group;                // Null: nobody's partitions are concerned.
  MemberSession session;
};

// What a group committed in a partition.
struct CommittedEntry {
  std::string topic;
  int32_t partition = 0;
  std::optional<storage::CommittedOffset> committed;  // Absent: nothing.
};

// Threads: any.
class Groups {
 public:
  // `topics` and what `context` names outlive this object.
  Groups(GroupContext context, const Topics& topics, storage::Durability default_durability);

  // ---- Membership

  // Makes the group known, and commits where it begins in these topics: see Group::CommitStarts.
  // LIMIT_EXCEEDED, and what the log answers. Blocks.
  absl::Status Prepare(const std::string& group, const std::vector<std::string>& topics,
                       Group::StartResolver resolve);

  // LIMIT_EXCEEDED. May block.
  absl::StatusOr<MemberSession> Join(const std::string& group,
                                     const std::shared_ptr<Subscription>& stream,
                                     const MemberRequest& request);
  void StreamClosed(const std::string& group, const MemberSession& session,
                    const Subscription& stream);
  void SetTopics(const std::string& group, const MemberSession& session,
                 std::vector<std::string> topics);

  // A topic is new, has grown or is gone.
  void OnTopicChanged(const std::string& topic);

  // The hub stops: see Group::Freeze. Blocks.
  void Freeze();

  // ---- Commits

  // Calls `done` once. The reasons are those of EventHubService.CommitOffset. Never blocks.
  void Commit(CommitCommand command, CommitCompletion done);

  // The two halves of a commit, for whoever writes it together with something else. An error
  // refuses the command as a whole. EndCommit must follow BeginCommit; `commits` are the results of
  // begun.commits, in order. Never block.
  absl::StatusOr<BegunCommit> BeginCommit(const CommitCommand& command);
  static void EndCommit(const BegunCommit& begun,
                        const absl::StatusOr<storage::WriteResult>& result);

  // For the partitions asked for, in order; all that are committed, sorted, where none is. May
  // block. INVALID_NAME, TOPIC_NOT_FOUND, PARTITION_OUT_OF_RANGE.
  absl::StatusOr<std::vector<CommittedEntry>> Committed(
      std::string_view group, const std::vector<TopicPartition>& partitions) const;

  // ---- Looking and changing

  // All groups that have members or committed something, sorted.
  std::vector<std::string> Names() const;

  // GROUP_NOT_FOUND, INVALID_NAME.
  absl::Status CheckExists(std::string_view group) const;

  // Who is in it and who has what; empty for a group without members.
  GroupView View(const std::string& group) const;

  // Sets committed offsets anew; see Group::Reset. The group exists. Blocks.
  std::vector<absl::Status> Reset(const std::string& group,
                                  const std::vector<Group::ResetTarget>& targets);

  // GROUP_NOT_FOUND, GROUP_HAS_MEMBERS, INVALID_NAME. Blocks.
  absl::Status Delete(const std::string& group);

  // Forgets groups that have had neither a member nor a commit since `cutoff`. Blocks.
  absl::Status ExpireIdle(absl::Time cutoff);

 private:
  std::shared_ptr<Group> Find(std::string_view group) const;  // Null: it had no member yet.
  std::shared_ptr<Group> FindOrCreate(const std::string& group);
  std::vector<std::shared_ptr<Group>> All() const;
  bool HasMembers(std::string_view group) const;
  absl::StatusOr<storage::OffsetCommit> CheckEntry(const CommitCommand& command,
                                                   const CommitEntry& entry) const;
  absl::Status BeginEntry(const CommitCommand& command, const CommitEntry& entry,
                          BegunCommit& begun) const;
  void HandOver(const CommitCommand& command);
  absl::Status Register(const std::string& group);
  absl::StatusOr<CommittedEntry> CommittedIn(
      const TopicPartition& partition,
      const std::vector<storage::CommittedOffset>& committed) const;
  std::vector<CommittedEntry> NameAll(const std::vector<storage::CommittedOffset>& committed) const;
  bool HasBeenIdleSince(const std::string& group, absl::Time cutoff) const;
  absl::Status Forget(const std::string& group);

  const GroupContext context_;
  const Topics& topics_;
  const storage::Durability default_durability_;

  // Shared while a member joins, exclusive while a group without members is forgotten.
  std::shared_mutex forgetting_mutex_;

  mutable std::mutex mutex_;
  absl::flat_hash_set<std::string> known_;  // Groups that committed or had a member.
  std::map<std::string, std::shared_ptr<Group>, std::less<>> groups_;  // That had a member.
  absl::flat_hash_map<std::string, absl::Time> left_at_;  // When a group last lost a member.
};

}  // namespace millrace::hub
