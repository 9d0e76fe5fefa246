// Consumer groups: who their members are and what they committed. In this version a group has one
// member at a time; a second one is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/limits.h"
#include "server/hub/subscription.h"
#include "server/hub/topics.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::hub {

// One offset to commit, by names.
struct CommitEntry {
  std::string topic;
  int32_t partition = 0;
  storage::Offset next_offset;
  std::string metadata;
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

// What a group committed in a partition.
struct CommittedEntry {
  std::string topic;
  int32_t partition = 0;
  std::optional<storage::CommittedOffset> committed;  // Absent: nothing.
};

// Threads: any.
class Groups {
 public:
  // All outlive this object.
  Groups(storage::Engine& engine, const storage::Clock& clock, const Topics& topics,
         const Limits& limits, storage::Durability default_durability);

  // Makes the subscription the member of its group. A stream with the same instance_id replaces the
  // member, whose stream ends with INSTANCE_REPLACED. GROUP_HAS_MEMBERS, LIMIT_EXCEEDED.
  absl::Status Join(const std::shared_ptr<Subscription>& member);

  // The member's stream is over. Does nothing where another member took its place.
  void Leave(const Subscription& member);

  // Forgets groups that have had neither a member nor a commit since `cutoff`. Blocks.
  absl::Status ExpireIdle(absl::Time cutoff);

  // Calls `done` once. The reasons are those of EventHubService.CommitOffset. Never blocks.
  void Commit(CommitCommand command, CommitCompletion done);

  // For the partitions asked for, in order; all that are committed, sorted, where none is. May
  // block. INVALID_NAME, TOPIC_NOT_FOUND, PARTITION_OUT_OF_RANGE.
  absl::StatusOr<std::vector<CommittedEntry>> Committed(
      std::string_view group, const std::vector<TopicPartition>& partitions) const;

 private:
  std::shared_ptr<Subscription> MemberOf(const std::string& group) const;
  // The member that a command comes from, null where it names none; or why the whole command is
  // refused.
  absl::StatusOr<std::shared_ptr<Subscription>> Sender(const CommitCommand& command) const;
  absl::StatusOr<storage::OffsetCommit> CheckEntry(const CommitCommand& command,
                                                   const CommitEntry& entry,
                                                   const Subscription* member) const;
  absl::Status Register(const std::string& group);
  absl::StatusOr<CommittedEntry> CommittedIn(
      const TopicPartition& partition,
      const std::vector<storage::CommittedOffset>& committed) const;
  std::vector<CommittedEntry> NameAll(const std::vector<storage::CommittedOffset>& committed) const;

  bool HasBeenIdleSince(const std::string& group, absl::Time cutoff) const;

  storage::Engine& engine_;
  const storage::Clock& clock_;
  const Topics& topics_;
  const Limits& limits_;
  const storage::Durability default_durability_;

  mutable std::mutex mutex_;
  absl::flat_hash_set<std::string> known_;  // Groups that committed or have a member.
  absl::flat_hash_map<std::string, std::weak_ptr<Subscription>> members_;  // By group.
  absl::flat_hash_map<std::string, absl::Time> left_at_;  // When a group lost its member.
};

}  // namespace millrace::hub
