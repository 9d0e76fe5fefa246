// Every row that the engine keeps in RocksDB: its key and its value. This is the layout on disk;
// a change here needs a new format version (data_directory.h).
//
// Column families, and the keys in them (numbers in keys are big-endian, so that they sort):
//   records    partition u32 | base offset u64          a stored batch (stored_batch.h)
//   offsets    length u16 | group | partition u32       OffsetRow
//   producers  length u16 | producer                     ProducerRow
//              length u16 | producer | slot u32          OutcomeRow; slot = sequence modulo window
//   default    'f' field                                 a number or a text about the whole log
//              't' topic                                 TopicRow
//              'h' partition u32                         HeadRow: where the partition stands
//              'e' partition u32 | first offset u64      a log epoch that begins there
//              'm' partition u32 | offset u64            a mark (storage/commit/partition_marks.h)
//              'r' partition u32                         ReclaimRow: disk space waits to be freed
//              'g' group                                 what the hub keeps of it, as it is
//
// Free functions without state, safe from any thread. Decoding answers false for what was never
// encoded here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalogue.h"
#include "storage/commit/partition_marks.h"
#include "storage/commit/producer_window.h"
#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::storage::rows {

// ---- Keys

inline constexpr size_t kRecordKeyBytes = 12;
using RecordKey = std::array<char, kRecordKeyBytes>;

RecordKey EncodeRecordKey(PartitionId partition, Offset base_offset);
bool DecodeRecordKey(std::string_view key, PartitionId* partition, Offset* base_offset);

std::string FieldKey(std::string_view field);
std::string TopicKey(std::string_view topic);
std::string HeadKey(PartitionId partition);
std::string EpochKey(PartitionId partition, Offset first_offset);
std::string MarkKey(PartitionId partition, Offset offset);
std::string ReclaimKey(PartitionId partition);
std::string GroupKey(std::string_view group);

// The first byte of the keys of one kind.
inline constexpr char kFieldKind = 'f';
inline constexpr char kTopicKind = 't';
inline constexpr char kHeadKind = 'h';
inline constexpr char kEpochKind = 'e';
inline constexpr char kMarkKind = 'm';
inline constexpr char kReclaimKind = 'r';
inline constexpr char kGroupKind = 'g';

// What FieldKey is used for.
inline constexpr char kHubIdField[] = "hub_id";                  // A text; all others are numbers.
inline constexpr char kLogEpochField[] = "log_epoch";            // The current one.
inline constexpr char kNextPartitionField[] = "next_partition";  // No partition has had this id.
inline constexpr char kCleanField[] = "clean";                   // 1: it was closed in order.
inline constexpr char kResumedField[] = "resumed";               // Empty; Database::ResumeWriting.

// For HeadKey and ReclaimKey.
bool DecodePartitionKey(std::string_view key, PartitionId* partition);
// For EpochKey and MarkKey.
bool DecodePlaceKey(std::string_view key, PartitionId* partition, Offset* offset);

std::string OffsetKey(std::string_view group, PartitionId partition);
bool DecodeOffsetKey(std::string_view key, std::string_view* group, PartitionId* partition);

std::string ProducerKey(std::string_view producer);
std::string OutcomeKey(std::string_view producer, uint32_t slot);
// `slot` is absent for ProducerKey.
bool DecodeProducerKey(std::string_view key, std::string_view* producer,
                       std::optional<uint32_t>* slot);

// ---- Values

std::string EncodeNumber(int64_t number);
bool DecodeNumber(std::string_view value, int64_t* number);

// Where a partition stands. Written with every batch.
struct HeadRow {
  Offset earliest;     // The first offset kept.
  Offset first_batch;  // The base offset of the batch that holds it: what lies before can go.
  Offset end;
  UnixMillis last_append_time = kNoTime;
  int64_t bytes = 0;  // Of all batches ever stored.
};

inline constexpr size_t kHeadRowBytes = 40;
std::array<char, kHeadRowBytes> EncodeHead(const HeadRow& head);
bool DecodeHead(std::string_view value, HeadRow* head);

std::string EncodeMark(const PartitionMark& mark);  // Without its offset, which is in the key.
bool DecodeMark(std::string_view value, PartitionMark* mark);

// Records that nobody can read any more and that still take space.
struct ReclaimRow {
  Offset before;      // All batches with a smaller base offset can go.
  int64_t bytes = 0;  // About.
};
std::string EncodeReclaim(const ReclaimRow& row);
bool DecodeReclaim(std::string_view value, ReclaimRow* row);

struct TopicRow {
  Topic topic;
  std::vector<LogEpoch> first_epochs;  // One for each partition.
};
std::string EncodeTopic(const TopicRow& row);  // Without its name, which is in the key.
bool DecodeTopic(std::string_view value, TopicRow* row);

std::string EncodeOffset(const CommittedOffset& offset);  // Without its partition.
bool DecodeOffset(std::string_view value, CommittedOffset* offset);

// A producer as it was opened last; what it stored since is in its outcomes.
struct ProducerRow {
  ProducerEpoch epoch;
  int64_t last_sequence = 0;
  UnixMillis open_time = 0;
};
std::string EncodeProducer(const ProducerRow& row);
bool DecodeProducer(std::string_view value, ProducerRow* row);

struct OutcomeRow {
  int64_t sequence = 0;
  UnixMillis time = 0;
  ProducerOutcome outcome;
};
std::string EncodeOutcome(const OutcomeRow& row);
bool DecodeOutcome(std::string_view value, OutcomeRow* row);

}  // namespace millrace::storage::rows
