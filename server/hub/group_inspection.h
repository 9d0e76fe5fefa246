// Consumer groups as people look at them: who has what, how far it is and how far behind; and
// setting a group's offsets anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/groups.h"
#include "server/hub/names.h"
#include "server/hub/subscriptions.h"
#include "server/hub/topics.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::hub {

// A partition that a group's members read, or that it has committed in.
struct GroupPartition {
  std::string topic;
  int32_t partition = 0;
  std::string member_id;  // Empty: nobody has it.
  std::optional<storage::CommittedOffset> committed;
  std::optional<storage::Offset> delivered;  // The offset after the last one sent to the member.
  storage::Offset earliest;
  storage::Offset latest;
  int64_t lag_records = 0;                 // Visible and not committed.
  std::optional<absl::Duration> lag_time;  // Since the oldest of them was stored.
};

struct GroupDescription {
  std::string name;
  std::vector<MemberView> members;         // By time of first join.
  std::vector<GroupPartition> partitions;  // Sorted by topic and number.
  std::vector<std::string> topics;         // Of members and of partitions, sorted.
  int64_t lag_records = 0;                 // Of all partitions.
};

// How far a group is behind, in few words.
struct GroupLag {
  int64_t members = 0;                     // With an open stream.
  int64_t records = 0;                     // Of all partitions.
  std::optional<absl::Duration> lag_time;  // The longest of the partitions looked at.
};

struct GroupPage {
  std::vector<GroupDescription> groups;  // Without lag_time.
  std::string next_page_token;           // Empty: this was the last page.
};

struct ResetCommand {
  // By so many records, back where negative.
  struct Shift {
    int64_t records = 0;
  };

  std::string group;
  std::vector<TopicPartition> partitions;  // -1: all of a topic. None: all that are committed.
  std::variant<StartPosition, storage::Offset, Shift> target;
};

struct ResetOutcome {
  TopicPartition partition;
  absl::StatusOr<storage::Offset> committed;
};

// Threads: any. All calls may block.
class GroupInspection {
 public:
  // All outlive this object.
  GroupInspection(storage::Engine& engine, const storage::Clock& clock, const Topics& topics,
                  Groups& groups, const Subscriptions& subscriptions)
      : engine_(engine),
        clock_(clock),
        topics_(topics),
        groups_(groups),
        subscriptions_(subscriptions) {}

  // GROUP_NOT_FOUND, INVALID_NAME.
  absl::StatusOr<GroupDescription> Describe(const std::string& group) const;

  // Of a group that is known; zero for any other. Costs as much as the group has partitions. The
  // time is found out by reading a record of each of `most_timed` partitions, those with most
  // records to come.
  absl::StatusOr<GroupLag> LagOf(const std::string& group, size_t most_timed) const;

  // Groups after `page_token`, at most `page_size` (0: 1,000; more is taken as 1,000), of those
  // that `shown` says yes to. INVALID_PAGE.
  absl::StatusOr<GroupPage> List(int32_t page_size, std::string_view page_token,
                                 NameFilter shown = EveryName) const;

  // The reasons are those of GroupService.ResetOffsets.
  absl::StatusOr<std::vector<ResetOutcome>> Reset(const ResetCommand& command);

 private:
  enum class LagTime { kTell, kLeaveOut };

  absl::StatusOr<GroupDescription> DescribeKnown(const std::string& group, LagTime lag_time) const;
  GroupPartition DescribePartition(const TopicPartition& name, storage::PartitionId id,
                                   const GroupView& view,
                                   const std::optional<storage::CommittedOffset>& committed,
                                   LagTime lag_time) const;
  // Since when the record at an offset is stored; absent where that is not known.
  std::optional<absl::Duration> AgeOf(storage::PartitionId id, storage::Offset offset) const;
  absl::StatusOr<std::vector<TopicPartition>> Expand(const ResetCommand& command) const;
  absl::StatusOr<storage::Offset> TargetIn(storage::PartitionId id,
                                           const std::optional<storage::CommittedOffset>& committed,
                                           const ResetCommand& command) const;

  storage::Engine& engine_;
  const storage::Clock& clock_;
  const Topics& topics_;
  Groups& groups_;
  const Subscriptions& subscriptions_;
};

}  // namespace millrace::hub
