// What a subscription tells its reader, in the hub's own types. One to one with SubscribeResponse
// of the contract, where each field is described.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "storage/engine.h"

namespace millrace::hub {

// A partition as clients name it. The topic's name is shared: a subscription of 10,000 partitions
// holds it once.
struct PartitionName {
  std::shared_ptr<const std::string> topic;
  int32_t partition = 0;
};

// A place to go on reading.
struct ReadPosition {
  PartitionName name;
  storage::Offset offset;
  std::optional<storage::LogEpoch> log_epoch;
};

struct SessionStartedFrame {
  std::string session_id;
  std::string member_id;
  int32_t member_epoch = 0;
  storage::LogEpoch log_epoch;
  std::vector<std::string> missing_topics;
};

struct DeliveredBatch {
  PartitionName name;
  storage::FetchedBatch batch;
  storage::PositionEpoch position_epoch;
  storage::Offset high_watermark;
};

struct BatchesFrame {
  std::vector<DeliveredBatch> batches;
};

// Of its records as they are stored.
inline int64_t BytesOf(const BatchesFrame& frame) {
  int64_t bytes = 0;
  for (const DeliveredBatch& each : frame.batches) bytes += each.batch.entries_bytes;
  return bytes;
}

struct Assignment {
  PartitionName name;
  storage::Offset start_offset;
  storage::PositionEpoch position_epoch;
  storage::Offset high_watermark;
};

struct AssignedFrame {
  std::vector<Assignment> assignments;
};

enum class RepositionCause { kSeek = 1, kReset = 2, kOutOfRange = 3 };  // As on the wire.

struct RepositionedFrame {
  PartitionName name;
  storage::Offset from;
  storage::Offset to;
  RepositionCause cause;
  storage::PositionEpoch position_epoch;
};

enum class LostCause {  // As on the wire.
  kHandedOver = 1,
  kRevokeTimeout = 2,
  kUncommittedTooLong = 3,
  kTopicDeleted = 4,
  kUnsubscribed = 5,
};

struct RevokingFrame {
  std::vector<PartitionName> partitions;
  absl::Duration time_left;
};

struct LostFrame {
  std::vector<PartitionName> partitions;
  LostCause cause;
};

struct PartitionErrorFrame {
  PartitionName name;
  absl::Status error;  // Made by storage/error.h.
  storage::Offset earliest;
  storage::Offset latest;
};

struct CaughtUpFrame {
  std::vector<PartitionName> partitions;
};

struct PartitionProgress {
  PartitionName name;
  storage::Offset earliest;
  storage::Offset high_watermark;
  storage::Offset next_offset;
};

struct HeartbeatFrame {
  absl::Time hub_time;
  std::vector<PartitionProgress> changed;
  std::vector<PartitionName> waiting_for_commit;
};

enum class EndingReason {  // As on the wire.
  kDraining = 1,
  kEndReached = 2,
  kInstanceReplaced = 3,
  kInternal = 4,
  kMaxAge = 5,
  kLeft = 6,
  kRefused = 7,
};

struct EndingFrame {
  EndingReason reason;
  absl::Status status;  // What the stream ends with, after this frame.
  std::vector<ReadPosition> resume_at;
};

using Frame = std::variant<SessionStartedFrame, BatchesFrame, AssignedFrame, RevokingFrame,
                           LostFrame, RepositionedFrame, PartitionErrorFrame, CaughtUpFrame,
                           HeartbeatFrame, EndingFrame>;

}  // namespace millrace::hub
