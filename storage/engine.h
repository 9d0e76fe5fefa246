// The seam between the hub and the log. START HERE.
//
// A log holds topics of partitions of records, the offsets that consumer groups committed, and the
// outcomes of producers' numbered requests. Whatever must be atomic together goes through one call,
// Write. Three engines stand behind the seam: RocksDB (storage/rocksdb), memory (storage/memory)
// and, later, an existing Apache Kafka. All of them pass tests/storage/engine_contract.
//
// Threads: every method may be called from any thread at any time until Close. Methods marked
// "never blocks" may be called from an event callback; all others may wait for the disk. Callbacks
// (completions, waiters) are called from engine threads or, where said, from inside the call
// itself; they must not block, and no lock of the engine is held while they run.
//
// Errors are made by storage/error.h. A method names the reasons it gives; besides them each may
// answer STORAGE_FAILED once the log has failed for good (see EngineOptions::on_failure in the
// engines' headers) and UNSUPPORTED_BY_ENGINE for what capabilities() denies.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/batch/shared_slice.h"
#include "storage/catalogue.h"
#include "storage/engine_stats.h"
#include "storage/types.h"

namespace millrace::storage {

// What search by time goes by.
enum class TimeBasis { kNone, kAppendTime, kEventTime };

// What an engine can do. What it cannot do it answers with UNSUPPORTED_BY_ENGINE, never imitates.
struct Capabilities {
  bool atomic_produce = false;      // A Write with several appends is all or nothing.
  bool producer_sequences = false;  // WriteSet::producer, OpenProducer.
  bool expected_offset = false;     // Append::expected_next_offset.
  bool fenced_commits = false;      // OffsetCommit::position_epoch decides between two commits.
  bool log_epoch = false;           // Batches carry one; ValidatePosition.
  TimeBasis time_basis = TimeBasis::kNone;
  bool checkpoints = false;  // CreateCheckpoint.
};

// ---- Writing
// ---------------------------------------------------------------------------------------

// Records in their stored form, which is their wire form: the concatenated `records` entries of a
// RecordBatch (each a tag of field 3, a length and an encoded Record). The engine trusts them to be
// well-formed and to number `count`; whoever takes bytes from outside walks them first
// (storage/batch).
struct EncodedRecords {
  SharedSlice entries;
  int32_t count = 0;
};

// Records for one partition.
struct Append {
  PartitionId partition;
  EncodedRecords records;
  std::optional<Offset> expected_next_offset;  // Absent: append wherever the end is.
};

// A consumer group's progress in one partition.
struct OffsetCommit {
  std::string group;
  PartitionId partition;
  Offset next_offset;  // The offset to read next.
  std::string metadata;
  // Of two commits with the same epoch the larger offset wins and the smaller changes nothing (and
  // is no error); a newer epoch replaces; an older one is refused with SUPERSEDED. Absent:
  // replaces, and leaves the stored epoch as it is.
  std::optional<PositionEpoch> position_epoch;
};

// Makes a write repeatable: the log stores the outcome under this number, in the same atomic write.
struct ProducerStamp {
  std::string producer_id;
  ProducerEpoch epoch;
  int64_t sequence = 0;  // From 1, without gaps.
  // Stored with the outcome and given back with it, as it is. The hub keeps the placement of the
  // request's records in it.
  std::string annotation;
};

// What happens when the write queue is full.
enum class Admission {
  kRefuse,  // The write is refused with OVERLOADED.
  kAlways,  // It is queued all the same. For callers that bound themselves and look at
            // write_queue_full.
};

// What is stored together.
struct WriteSet {
  absl::InlinedVector<Append, 1> appends;
  std::vector<OffsetCommit> commits;
  std::optional<ProducerStamp> producer;
  Durability durability = Durability::kSynced;
  Admission admission = Admission::kRefuse;
  // Where nobody else writes just now, the calling thread may write the set to the page cache, sync
  // it if it is to be SYNCED, and `done` may run inside the call: the quickest way, for a caller
  // that can wait as long.
  bool on_calling_thread = false;
  // An error: the caller has found already why nothing of the set may be stored (its group no
  // longer has the partition, say), and the set is written for the sake of the conditions that come
  // before: above all, a duplicate still gets its first outcome.
  absl::Status refusal;
};

// Where one append went: its records have the offsets [base_offset, base_offset + record_count).
struct AppendedRange {
  PartitionId partition;
  Offset base_offset;
  int32_t record_count = 0;
};

struct WriteResult {
  absl::InlinedVector<AppendedRange, 1> ranges;  // One for each append, in order.
  // One for each commit, in order: what is committed now, or why the entry was refused.
  std::vector<absl::StatusOr<Offset>> commits;
  bool duplicate = false;  // Nothing was stored now; ranges and annotation are the first outcome's.
  bool result_expired = false;  // With duplicate: the outcome is no longer known; ranges are empty.
  std::string annotation;       // With duplicate: as given the first time.
};

using WriteCompletion = absl::AnyInvocable<void(absl::StatusOr<WriteResult>) &&>;

// Where a producer stands.
struct ProducerState {
  ProducerEpoch epoch;
  int64_t last_sequence = 0;  // 0: none was stored.
};

// ---- Reading
// ---------------------------------------------------------------------------------------

// Stored records as they are read. The offset of the i-th is base_offset + i.
struct FetchedBatch {
  Offset base_offset;
  int32_t record_count = 0;
  LogEpoch log_epoch;
  UnixMillis append_time = kNoTime;  // kNoTime: the engine keeps none.
  // `records` entries (see EncodedRecords), to be read one slice after another; an entry never
  // spans two slices.
  absl::InlinedVector<SharedSlice, 1> entries;
  int64_t entries_bytes = 0;  // The sum of the slices' sizes.
};

struct ReadLimits {
  // Of entries. The first record is given whatever its size; another batch than the first only as a
  // whole.
  int64_t max_bytes = 1 << 20;
  int64_t max_records = std::numeric_limits<int32_t>::max();  // At least 1.
};

struct ReadResult {
  std::vector<FetchedBatch>
      batches;            // In offset order. Empty: nothing visible at or after `from` yet.
  Offset next_offset;     // Where to read next.
  Offset earliest;        // The first offset still kept.
  Offset high_watermark;  // The offset that the next visible record will get.
};

using ReadCompletion = absl::AnyInvocable<void(absl::StatusOr<ReadResult>) &&>;

// Told once when there is something to read. Owned by whoever waits.
class ReadWaiter {
 public:
  virtual ~ReadWaiter() = default;

  // Called from an engine thread, or from inside NotifyWhenReadable. Must be quick: hand the work
  // on.
  virtual void OnReadable(PartitionId partition) = 0;
};

// A partition as it stands.
struct PartitionStatus {
  Offset earliest;        // The first offset still kept.
  Offset high_watermark;  // The offset that the next visible record will get.
  int64_t size_bytes = 0;
  UnixMillis last_append_time = kNoTime;
  // Since the engine was opened: records, and bytes of their entries.
  int64_t appended_records = 0;
  int64_t appended_bytes = 0;
};

// What a group committed in one partition.
struct CommittedOffset {
  PartitionId partition;
  Offset next_offset;
  std::string metadata;
  PositionEpoch position_epoch;
  absl::Time commit_time;
};

// ---- The engine
// ------------------------------------------------------------------------------------

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;  // "rocksdb", "memory".
  virtual Capabilities capabilities() const = 0;
  virtual std::string hub_id() const = 0;       // Identifies the data; the same over restarts.
  virtual LogEpoch log_epoch() const = 0;       // What new batches are stored under. Never blocks.
  virtual int32_t producer_window() const = 0;  // Outcomes kept per producer.

  // Stores the set and calls `done` once, when the set is as durable as it asks and its records are
  // visible. Writes to one partition are stored in the order of the calls. Unless the set allows it
  // (on_calling_thread), never blocks, and runs `done` inside the call only with an error of
  // admission.
  //
  // A set with appends or a producer's stamp is all or nothing. A set of commits alone is judged
  // entry by entry. A commit may reach the partition's end as this very set leaves it; beyond, or
  // below 0, it is refused: OFFSET_OUT_OF_RANGE. Of two commits with equal offset and epoch the
  // later metadata stays. A BUFFERED append behind a SYNCED one of the same partition that is not
  // synced yet becomes visible, and is answered, with it.
  //
  // Conditions are checked in this order: PRODUCER_UNKNOWN (also for an epoch that OpenProducer
  // never gave), PRODUCER_FENCED, the duplicate (which is an answer, no error; result.commits tells
  // what is committed now), SEQUENCE_GAP (expected_sequence), TOPIC_NOT_FOUND (the partition was
  // deleted), UNEXPECTED_OFFSET (next_offset), the set's refusal as it was given, then the commits'
  // own. Where one of several parts refuses the set, the error says which (partition_id). Further:
  // OVERLOADED (Admission::kRefuse), DISK_FULL, DRAINING (after Close). An error STORAGE_FAILED
  // leaves open whether the set is stored.
  virtual void Write(WriteSet set, WriteCompletion done) = 0;

  // Whether a Write with Admission::kRefuse would be refused now. Never blocks.
  virtual bool write_queue_full() const = 0;

  // Starts the next epoch of a producer, durably, and fences the ones before. An unknown producer
  // is created.
  virtual absl::StatusOr<ProducerState> OpenProducer(std::string_view producer_id) = 0;

  // Forgets producers that stored nothing for `idle`, and what they held.
  virtual absl::Status ExpireProducers(absl::Duration idle) = 0;

  // Reads visible records from `from` on and calls `done` once: inside the call where the records
  // are in memory, else from a reader thread of the engine. Never blocks. OFFSET_OUT_OF_RANGE
  // (earliest, latest): below the first kept offset or beyond the end; TOPIC_NOT_FOUND: the
  // partition was deleted; DATA_LOSS (from, to): records there are damaged.
  virtual void Read(PartitionId partition, Offset from, ReadLimits limits, ReadCompletion done) = 0;

  // Calls `waiter` once, as soon as a Read from `from` would answer anything but an empty result:
  // at once if it would now. A waiter that is gone by then is skipped. Never blocks.
  virtual void NotifyWhenReadable(PartitionId partition, Offset from,
                                  std::weak_ptr<ReadWaiter> waiter) = 0;

  // Never blocks. TOPIC_NOT_FOUND.
  virtual absl::StatusOr<PartitionStatus> Status(PartitionId partition) const = 0;

  // The first offset whose record is not older than `time`; the end where all are older.
  // TOPIC_NOT_FOUND.
  virtual absl::StatusOr<Offset> OffsetAtTime(PartitionId partition, absl::Time time) = 0;

  // Whether a reader that last saw `epoch` may go on at `offset`: epoch is not below the
  // partition's first one, and offset is not beyond the first offset written under a later epoch
  // (or the end). Never blocks. LOG_EPOCH_CHANGED (valid_until); TOPIC_NOT_FOUND.
  virtual absl::Status ValidatePosition(PartitionId partition, Offset offset,
                                        LogEpoch epoch) const = 0;

  // What a group committed, sorted by partition; empty for a group that is not known.
  virtual absl::StatusOr<std::vector<CommittedOffset>> CommittedOffsets(
      std::string_view group) const = 0;

  // Groups with committed offsets, sorted.
  virtual std::vector<std::string> Groups() const = 0;

  // Forgets what the group committed, and its state, durably. Unknown groups are no error.
  virtual absl::Status DeleteGroup(std::string_view group) = 0;

  // What the hub wants to find again about a group after a restart: bytes that the engine does not
  // look into, in place of those put before; empty ones are forgotten, and are what a group has
  // that put none.
  virtual absl::Status PutGroupState(std::string_view group, std::string_view state) = 0;
  virtual absl::StatusOr<std::string> GroupState(std::string_view group) const = 0;

  // ---- Topics. Names are the hub's to judge. Every change is durable when the call returns.

  // Null where there is no such topic. Never blocks.
  virtual TopicPtr FindTopic(std::string_view name) const = 0;

  // Sorted by name. Never blocks.
  virtual std::vector<TopicPtr> Topics() const = 0;

  // TOPIC_EXISTS.
  virtual absl::StatusOr<TopicPtr> CreateTopic(std::string_view name, int32_t partition_count,
                                               RetentionPolicy retention) = 0;

  // TOPIC_NOT_FOUND; INVALID_CONFIG for fewer partitions than there are.
  virtual absl::StatusOr<TopicPtr> UpdateTopic(std::string_view name,
                                               const TopicChange& change) = 0;

  // Deletes the topic, its records and the offsets committed in it. Waiters on its partitions are
  // told. TOPIC_NOT_FOUND.
  virtual absl::Status DeleteTopic(std::string_view name) = 0;

  // Deletes the records before an offset. Below the present start nothing changes.
  // TOPIC_NOT_FOUND; OFFSET_OUT_OF_RANGE (earliest, latest) for an offset beyond the end.
  virtual absl::Status Truncate(PartitionId partition, Offset before) = 0;

  // Applies every topic's retention now, as the engine also does by itself from time to time. Disk
  // space of what is deleted, here or by Truncate or DeleteTopic, is free when the call returns.
  virtual absl::Status EnforceRetention() = 0;

  // Copies the log as it is at one moment, while writes go on, into a directory that another hub of
  // this engine can be opened on. Answers the bytes of its files, once they are on stable storage.
  // After an error nothing is left there. INVALID_DIRECTORY: the path is not absolute, something is
  // there, or it cannot be made; DISK_FULL, STORAGE_FAILED, UNSUPPORTED_BY_ENGINE.
  virtual absl::StatusOr<int64_t> CreateCheckpoint(const std::string& directory) = 0;

  // ---- Looking at it

  // Figures as they stand. May read directories; a caller asks every few seconds at most.
  virtual EngineStats Stats() const = 0;

  // How the engine's threads get on. Never blocks, and costs little.
  virtual std::vector<WorkStatus> Work() const = 0;

  // Makes everything durable, completes what is under way and refuses what comes later. Idempotent;
  // the destructor calls it. After a clean close the next open keeps the log epoch.
  virtual absl::Status Close() = 0;
};

}  // namespace millrace::storage
