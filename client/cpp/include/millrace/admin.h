// Looking after a hub: topics, offsets, consumer groups, and what the hub is.
//
// Every call is one request to the hub and blocks until its answer or ConnectionOptions::
// request_timeout (DEADLINE_EXCEEDED). UNAVAILABLE: the hub cannot be reached, or is stopping. The
// other reasons are those of the contract's call of the same name. Nothing is retried: the caller
// knows best whether a repetition is harmless.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/connection.h"
#include "millrace/record.h"

namespace millrace::client {

// How long a topic keeps its records.
struct RetentionPolicy {
  std::optional<absl::Duration> max_age = {};  // Absent or zero: no limit by age.
  int64_t max_partition_bytes = 0;             // Zero: no limit by size.
};

struct Topic {
  std::string name = {};
  int32_t partition_count = 0;
  RetentionPolicy retention = {};
  std::optional<absl::Time> create_time = {};
};

// A partition as it stands.
struct PartitionStatus {
  int32_t partition = 0;
  int64_t earliest_offset = 0;  // The first one still kept.
  int64_t latest_offset = 0;    // The one that the next record will get.
  int64_t size_bytes = 0;
  std::optional<absl::Time> last_append_time = {};
};

struct TopicDescription {
  Topic topic = {};
  std::vector<PartitionStatus> partitions = {};
};

// What UpdateTopic changes; what is absent stays as it is.
struct TopicUpdate {
  std::optional<int32_t> partition_count = {};  // Not fewer than now.
  std::optional<absl::Duration> retention_max_age = {};
  std::optional<int64_t> retention_max_partition_bytes = {};
};

// Records of the partition before this offset are deleted.
struct PartitionTruncation {
  int32_t partition = 0;
  int64_t before_offset = 0;
};

struct PartitionOffsets {
  int32_t partition = 0;
  int64_t earliest_offset = 0;
  int64_t latest_offset = 0;
  std::optional<int64_t> offset_at_time = {};  // Present where a time was asked for.
};

struct TopicOffsets {
  std::vector<PartitionOffsets> partitions = {};
  int64_t log_epoch = 0;  // What the hub writes under now.
};

// How far a group has come: the offset to read next.
struct OffsetCommit {
  std::string topic = {};
  int32_t partition = 0;
  int64_t next_offset = 0;
  std::string metadata = {};
  std::optional<int64_t> position_epoch = {};  // Absent: replaces whatever is there.
};

// What a group commits together, and for which of its members.
struct GroupCommit {
  std::string group = {};
  std::string member_id = {};  // Empty: allowed only while the group has no members.
  int32_t member_epoch = 0;
  std::vector<OffsetCommit> offsets = {};
};

// What became of one OffsetCommit.
struct CommitResult {
  TopicPartition partition = {};
  std::optional<int64_t> committed_next_offset = {};  // What is committed now.
  absl::Status status = {};                           // Why the entry was refused.
};

struct CommittedOffset {
  TopicPartition partition = {};
  std::optional<int64_t> next_offset = {};  // Absent: nothing is committed.
  std::string metadata = {};
  std::optional<absl::Time> commit_time = {};
};

struct GroupSummary {
  std::string group = {};
  int32_t member_count = 0;              // Members whose stream is open.
  std::vector<std::string> topics = {};  // With members or committed offsets, sorted.
  int64_t lag_records = 0;               // Visible and not yet committed.
};

struct GroupMember {
  std::string member_id = {};
  std::string instance_id = {};                 // Empty: none.
  std::string peer = {};                        // The client's address.
  std::optional<absl::Time> connect_time = {};  // Absent: its stream is broken, it may come back.
  std::vector<TopicPartition> partitions = {};
};

// One partition as a group sees it.
struct GroupPartition {
  TopicPartition partition = {};
  std::string member_id = {};                         // Who has it. Empty: nobody.
  std::optional<int64_t> committed_next_offset = {};  // Absent: nothing is committed.
  std::optional<int64_t> delivered_next_offset = {};  // Absent: nobody has it.
  int64_t earliest_offset = 0;
  int64_t latest_offset = 0;
  int64_t lag_records = 0;
  std::optional<absl::Duration> lag_time = {};  // Since when the oldest of them waits.
  std::string metadata = {};                    // Of the commit.
};

struct GroupDescription {
  GroupSummary summary = {};
  std::vector<GroupMember> members = {};
  std::vector<GroupPartition> partitions = {};  // Sorted by topic and number.
};

// Where ResetOffsets takes a group: to an offset, or by so many records (back where negative).
struct ToOffset {
  int64_t offset = 0;
};
struct ByShift {
  int64_t records = 0;
};
struct ToEarliest {};
struct ToLatest {};
using ResetTarget = std::variant<ToEarliest, ToLatest, absl::Time, ToOffset, ByShift>;

// What became of one partition.
struct ResetResult {
  TopicPartition partition = {};
  int64_t committed_next_offset = 0;
  absl::Status status = {};  // Why it was not changed.
};

struct Capabilities {
  bool atomic_produce = false;
  bool producer_sequences = false;
  bool expected_offset = false;
  bool fenced_commits = false;
  bool log_epoch = false;
  bool search_by_append_time = false;
  bool search_by_event_time = false;
  bool checkpoints = false;
};

// The limits in force, see the contract's message of the same name. Zero: the hub does not say.
struct Limits {
  int64_t max_record_bytes = 0;
  int64_t max_request_bytes = 0;
  int32_t max_request_records = 0;
  int64_t max_key_bytes = 0;
  int32_t max_record_headers = 0;
  int32_t max_topic_partitions = 0;
  int32_t max_topics = 0;
  int32_t max_groups = 0;
  int32_t max_group_members = 0;
  int32_t max_subscriptions = 0;
  int64_t max_commit_metadata_bytes = 0;
  int64_t max_frame_bytes = 0;
  int32_t producer_window = 0;
  absl::Duration producer_idle_expiry = {};
  absl::Duration group_idle_expiry = {};
  absl::Duration max_revoke_timeout = {};
  int32_t max_connections = 0;
  int64_t max_metadata_bytes = 0;
};

struct HubInfo {
  std::string version = {};
  std::string hub_id = {};  // Stays the same over restarts.
  std::string engine = {};
  Capabilities capabilities = {};
  Limits limits = {};
  int64_t log_epoch = 0;
  std::optional<absl::Time> start_time = {};
  Durability default_durability = Durability::kHubDefault;
  int32_t auto_create_partitions = 0;  // 0: topics are never created by producing to them.
};

enum class Right { kProduce = 1, kConsume, kCommit, kInspect, kAdminister };  // As on the wire.
enum class ResourceKind { kTopic, kGroup, kHub };

// What the access rules say of something.
struct AccessAnswer {
  // A rule that allows it: its place in the file, from 1, and what it says.
  struct Rule {
    int32_t number = 0;
    std::string text;
  };
  bool allowed = false;
  bool enforced = false;  // False: there is no access file, and everybody may do everything.
  std::vector<Rule> rules;
};

// Threads: any. Shares the connection.
class Admin {
 public:
  explicit Admin(std::shared_ptr<Connection> connection);
  ~Admin();
  Admin(Admin&&) noexcept;
  Admin& operator=(Admin&&) noexcept;

  // A topic's change is on stable storage when the call returns.
  absl::StatusOr<Topic> CreateTopic(std::string_view topic, int32_t partition_count = 1,
                                    std::optional<RetentionPolicy> retention = std::nullopt);
  absl::StatusOr<TopicDescription> GetTopic(std::string_view topic);
  absl::StatusOr<std::vector<Topic>> ListTopics();  // All of them, sorted by name.
  absl::StatusOr<Topic> UpdateTopic(std::string_view topic, const TopicUpdate& update);
  absl::Status DeleteTopic(std::string_view topic);
  // Empty `partitions`: every partition at its end, so that all records are deleted.
  absl::StatusOr<std::vector<PartitionStatus>> TruncateTopic(
      std::string_view topic, const std::vector<PartitionTruncation>& partitions = {});

  // Empty `partitions`: all. With `time`, also the first record that is not older.
  absl::StatusOr<TopicOffsets> ListOffsets(std::string_view topic,
                                           const std::vector<int32_t>& partitions = {},
                                           std::optional<absl::Time> time = std::nullopt);

  // For a group without members; a member commits through its Consumer. One result each, in order.
  absl::StatusOr<std::vector<CommitResult>> CommitOffset(
      std::string_view group, const std::vector<OffsetCommit>& offsets,
      Durability durability = Durability::kHubDefault);
  // Empty `partitions`: all for which there is a commit.
  absl::StatusOr<std::vector<CommittedOffset>> GetCommittedOffsets(
      std::string_view group, const std::vector<TopicPartition>& partitions = {});

  absl::StatusOr<std::vector<GroupSummary>> ListGroups();  // All of them, sorted by name.
  absl::StatusOr<GroupDescription> GetGroup(std::string_view group);
  // Gives `see` the group now, and again whenever assignment, commits or lag change, at most once
  // an `interval`, until it answers false (OK) or the hub does not go on (its error, UNAVAILABLE
  // where it stops). `see` is asked at least every 200 ms, with null where nothing changed.
  absl::Status WatchGroup(std::string_view group, absl::Duration interval,
                          absl::FunctionRef<bool(const GroupDescription*)> see);
  // Sets committed offsets anew; the members of a live group go on there. A partition of -1 stands
  // for all of its topic; no `partitions`: all that the group has committed.
  absl::StatusOr<std::vector<ResetResult>> ResetOffsets(
      std::string_view group, const ResetTarget& target,
      const std::vector<TopicPartition>& partitions = {});
  absl::Status DeleteGroup(std::string_view group);  // GROUP_HAS_MEMBERS.

  absl::StatusOr<HubInfo> GetHub();

  // Explains what the hub's access file says: whether it would let the principal use the right on
  // this. `name` is empty for the hub.
  absl::StatusOr<AccessAnswer> CheckAccess(std::string_view principal, Right right,
                                           ResourceKind kind, std::string_view name);

  // Copies the hub's whole log into a new directory on its machine, by an absolute path, that a hub
  // can be started on. Answers the bytes of its files. Takes as long as it takes: no deadline.
  absl::StatusOr<int64_t> CreateCheckpoint(const std::string& directory);

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace millrace::client
