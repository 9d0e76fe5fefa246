// Receiving records from a hub: every record once, in order, over any number of disconnects.
//
//     auto connection = *Connection::Open({.target = "localhost:9640"});
//     auto consumer = Consumer::Open(connection, {.topics = {"orders"}, .group = "billing"});
//     while (running) {
//       auto records = (*consumer)->Poll(absl::Seconds(1));
//       if (!records.ok()) break;
//       for (const ReceivedRecord& record : *records) Handle(record);
//       (*consumer)->Commit();
//     }
//
// The consumer reads ahead into a bounded buffer. When its stream ends or falls silent it
// subscribes again and goes on behind the last record it received: one Consumer never returns a
// record twice and never skips one. (What a new Consumer of a group gets again is what the old one
// did not commit. GroupConsumer, group_consumer.h, commits by itself.) Everything else that happens
// is told by events, in their place between the records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/admin.h"
#include "millrace/connection.h"
#include "millrace/record.h"

namespace millrace::client {

// Where to begin in a partition without a position.
struct Earliest {};
struct Latest {};
using StartPosition = std::variant<Earliest, Latest, absl::Time>;

// What to do where a position lies outside the offsets that a partition has.
enum class OutOfRange {
  kFail,      // When opening: an error. Later: PartitionFailed, and the partition idles until Seek.
  kEarliest,  // Go on at the first record still kept, and tell with Repositioned.
  kLatest,    // Go on after the last record, and tell with Repositioned.
};

// ---- Events. Those that name no more than partitions say all in their name.

struct AssignedPartition {
  TopicPartition partition = {};
  int64_t start_offset = 0;  // The first offset that Poll will return.
  int64_t high_watermark = 0;
};

// Partitions that this consumer reads now, at the beginning or in a rebalance.
struct PartitionsAssigned {
  std::vector<AssignedPartition> partitions = {};
};

// Partitions that are about to go to another member. No more records of them are returned. Commit
// what was processed, or Release them; after time_left they are lost.
struct PartitionsRevoking {
  std::vector<TopicPartition> partitions = {};
  absl::Duration time_left = {};
};

enum class LostCause {
  kUnspecified,
  kHandedOver,
  kRevokeTimeout,
  kUncommittedTooLong,
  kTopicDeleted,
  kUnsubscribed,
  kDisconnected,  // Another member has them since the connection broke.
};

// Partitions that this consumer no longer reads; commits for them are refused.
struct PartitionsLost {
  std::vector<TopicPartition> partitions = {};
  LostCause cause = LostCause::kUnspecified;
};

enum class RepositionCause { kUnspecified, kSeek, kReset, kOutOfRange, kLogReplaced };

// A partition goes on at another offset.
struct PartitionRepositioned {
  TopicPartition partition = {};
  int64_t from_offset = 0;
  int64_t to_offset = 0;
  RepositionCause cause = RepositionCause::kUnspecified;
};

// A partition cannot go on (OFFSET_OUT_OF_RANGE, TOPIC_NOT_FOUND, DATA_LOSS, LOG_EPOCH_CHANGED): it
// idles until Seek, all others go on.
struct PartitionFailed {
  TopicPartition partition = {};
  absl::Status status = {};
  int64_t earliest_offset = 0;
  int64_t latest_offset = 0;
};

// Everything that these partitions held when they were assigned has been returned.
struct CaughtUp {
  std::vector<TopicPartition> partitions = {};
};

// The stream is broken; the consumer is trying to come back.
struct Disconnected {
  absl::Status status = {};
};

// The stream is open, for the first time or again.
struct Connected {
  std::string session_id = {};
  std::vector<std::string> missing_topics = {};  // With allow_missing_topics.
};

using ConsumerEvent =
    std::variant<Connected, Disconnected, PartitionsAssigned, PartitionsRevoking, PartitionsLost,
                 PartitionRepositioned, PartitionFailed, CaughtUp>;

struct ConsumerOptions {
  std::vector<std::string> topics = {};  // Read in all their partitions.
  std::string group = {};                // Empty: an independent reader.
  // Read these partitions from these offsets. Not with a group. A topic named here and not in
  // `topics` is read in these partitions only.
  std::vector<Position> positions = {};
  std::optional<StartPosition> start = {};  // Absent: latest without a group, earliest with one.
  OutOfRange on_out_of_range = OutOfRange::kFail;
  std::string instance_id = {};  // A stable name of this member, such as its pod's.
  bool allow_missing_topics = false;
  bool end_at_current = false;  // See Consumer::ended.

  int32_t max_batch_bytes = 1 << 20;  // The most bytes of one frame.
  int64_t prefetch_bytes = 8 << 20;   // The buffer; one frame may go beyond it.
  // Hold back while so much is returned or buffered and not committed. Absent: no such bound.
  std::optional<int32_t> max_in_flight_records = {};
  std::optional<int64_t> max_in_flight_bytes = {};
  std::optional<absl::Duration> revoke_timeout = {};
  std::optional<absl::Duration> max_uncommitted_age = {};

  // The longest silence of the hub. After three of them the connection counts as broken.
  absl::Duration heartbeat_interval = absl::Seconds(10);

  // How long the hub may stay away before Poll answers with the last error. Infinite: for ever.
  absl::Duration reconnect_timeout = absl::InfiniteDuration();

  // Called from inside Poll and Next, on the calling thread, when everything before the event has
  // been returned. It may call any method but Poll, Next and Close.
  absl::AnyInvocable<void(const ConsumerEvent&)> on_event = {};
};

// Where Seek takes a partition: an offset (with the log epoch it was read under, if known), or a
// start.
struct SeekTarget {
  TopicPartition partition = {};
  std::variant<int64_t, StartPosition> target = {};
  std::optional<int64_t> log_epoch = {};
};

struct SeekResult {
  TopicPartition partition = {};
  int64_t offset = 0;        // The next one that will be returned.
  absl::Status status = {};  // Why the partition was not moved.
};

// Threads: Poll and Next from one thread at a time; everything else from any thread.
class Consumer {
 public:
  // Subscribes; waits for a hub that is not there yet up to ConnectionOptions::request_timeout. The
  // reasons are those of the contract's Subscribe: TOPIC_NOT_FOUND, GROUP_HAS_MEMBERS, ...
  static absl::StatusOr<std::unique_ptr<Consumer>> Open(std::shared_ptr<Connection> connection,
                                                        ConsumerOptions options);

  ~Consumer();  // Closes.
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // The next records, at least one; none after `timeout`, at the end (ended()), or when only events
  // came. At most `max_records`. An error is final: INSTANCE_REPLACED, a position or a topic that
  // is refused when subscribing again, reconnect_timeout, CLOSED. Records that were received before
  // it are returned first.
  absl::StatusOr<std::vector<ReceivedRecord>> Poll(absl::Duration timeout,
                                                   size_t max_records = 10'000);

  // The next record; none in the cases of Poll.
  absl::StatusOr<std::optional<ReceivedRecord>> Next(absl::Duration timeout);

  // With end_at_current: everything that was visible when the consumer was opened has been
  // returned.
  bool ended() const;

  // Makes a blocked Poll or Next return at once, and the next one if none is blocked. Safe in a
  // thread that handles signals.
  void Wake();

  // Commits everything that Poll and Next returned. OK means that it is as durable as asked. The
  // first entry's error otherwise: MEMBER_FENCED, SUPERSEDED (the partition was repositioned), or
  // UNAVAILABLE after retries up to ConnectionOptions::request_timeout.
  absl::Status Commit(Durability durability = Durability::kHubDefault);

  // Commits these offsets; one result each, in order. A position epoch is filled in where absent.
  // SUPERSEDED, without asking the hub: the partition was lost or repositioned since Poll last gave
  // the caller a record or an event of it. Another member may have committed more.
  absl::StatusOr<std::vector<CommitResult>> Commit(std::vector<OffsetCommit> offsets,
                                                   Durability durability = Durability::kHubDefault);

  // As Commit() without waiting; at most one is under way, a later one includes what an earlier one
  // had to commit. `done` is called on a thread of the library and must not block.
  void CommitAsync(absl::AnyInvocable<void(const absl::Status&) &&> done = nullptr,
                   Durability durability = Durability::kHubDefault);

  // What Commit() would commit now, to be committed with something else: see transactor.h. Waits
  // for a session as Commit does. MEMBER_FENCED: of what was returned and is not committed,
  // something went to another member, or was moved by a reset; SeekToCommitted leaves it behind.
  absl::StatusOr<GroupCommit> PrepareCommit();
  // `commit` was committed in another way.
  void OnCommitted(const GroupCommit& commit);

  // Goes back to what the group has committed at the hub: what was returned and is not committed is
  // returned again.
  absl::Status SeekToCommitted();

  // Gives partitions up at once (of a group).
  absl::Status Release(const std::vector<TopicPartition>& partitions);

  // Moves partitions; records of the old place that are not returned yet never are. One result
  // each.
  absl::StatusOr<std::vector<SeekResult>> Seek(const std::vector<SeekTarget>& targets);

  // No record of these partitions is returned until Resume. Empty: all.
  absl::Status Pause(const std::vector<TopicPartition>& partitions);
  absl::Status Resume(const std::vector<TopicPartition>& partitions);

  // The next offset that Poll would return of each assigned partition, with the log epoch to give
  // along when it is used in another Consumer.
  std::vector<Position> Positions() const;

  // Records that are visible at the hub and not returned yet, as far as the hub has told.
  int64_t lag() const;

  // Ends the subscription; a member of a group leaves it, and its partitions go to the others at
  // once. Commits nothing. Idempotent.
  void Close();

 private:
  friend class GroupConsumer;
  class Core;
  explicit Consumer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace millrace::client
