#include "server/contract/conversions.h"

#include <google/protobuf/util/time_util.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/error.h"

namespace millrace::server {

using google::protobuf::util::TimeUtil;
using storage::Error;
using storage::Reason;

namespace {

absl::Status Invalid(std::string_view field, std::string_view why) {
  return InvalidField(field, absl::StrCat(std::string(field), " ", std::string(why)));
}

// The parts of a request that later versions of the hub will honour.
absl::StatusOr<absl::Duration> FromPositiveDuration(const google::protobuf::Duration& proto,
                                                    std::string_view field) {
  auto duration = FromDuration(proto, field);
  if (duration.ok() && *duration <= absl::ZeroDuration()) return Invalid(field, "must be positive");
  return duration;
}

absl::StatusOr<hub::OutOfRangePolicy> FromPolicy(v1::OutOfRangePolicy policy) {
  switch (policy) {
    case v1::OUT_OF_RANGE_POLICY_UNSPECIFIED:
    case v1::OUT_OF_RANGE_POLICY_FAIL:
      return hub::OutOfRangePolicy::kFail;
    case v1::OUT_OF_RANGE_POLICY_EARLIEST:
      return hub::OutOfRangePolicy::kEarliest;
    case v1::OUT_OF_RANGE_POLICY_LATEST:
      return hub::OutOfRangePolicy::kLatest;
    default:
      return Invalid("on_out_of_range", "has a value that this hub does not know");
  }
}

absl::StatusOr<absl::Duration> FromHeartbeatInterval(const google::protobuf::Duration& proto) {
  constexpr std::string_view kField = "heartbeat_interval";
  auto interval = FromDuration(proto, kField);
  if (!interval.ok()) return interval;
  if (*interval < absl::Milliseconds(100) || *interval > absl::Hours(1)) {
    return Invalid(kField, "must be between 100 ms and 1 h");
  }
  return interval;
}

// How much a member may hold uncommitted, and for how long.
absl::Status AddFlow(const v1::SubscribeRequest& request, hub::SubscribeCommand& command) {
  if (request.has_max_in_flight_records()) {
    command.max_in_flight_records = request.max_in_flight_records();
  }
  if (request.has_max_in_flight_bytes()) {
    command.max_in_flight_bytes = request.max_in_flight_bytes();
  }
  if (request.has_revoke_timeout()) {
    const auto timeout = FromPositiveDuration(request.revoke_timeout(), "revoke_timeout");
    if (!timeout.ok()) return timeout.status();
    command.revoke_timeout = *timeout;
  }
  if (request.has_max_uncommitted_age()) {
    const auto age = FromPositiveDuration(request.max_uncommitted_age(), "max_uncommitted_age");
    if (!age.ok()) return age.status();
    command.max_uncommitted_age = *age;
  }
  return absl::OkStatus();
}

hub::RequestedPosition FromPosition(const v1::Position& position) {
  hub::RequestedPosition requested{.topic = position.topic(),
                                   .partition = position.partition(),
                                   .offset = storage::Offset(position.offset())};
  if (position.has_log_epoch()) requested.log_epoch = storage::LogEpoch(position.log_epoch());
  return requested;
}

absl::StatusOr<hub::SeekTarget> ToSeekTarget(const v1::SeekTarget& target) {
  hub::SeekTarget seek{.partition = {target.topic(), target.partition()}};
  if (target.has_log_epoch()) seek.log_epoch = storage::LogEpoch(target.log_epoch());
  switch (target.target_case()) {
    case v1::SeekTarget::kOffset:
      seek.target = storage::Offset(target.offset());
      return seek;
    case v1::SeekTarget::kStart: {
      auto start = FromStartPosition(target.start());
      if (!start.ok()) return start.status();
      seek.target = *start;
      return seek;
    }
    case v1::SeekTarget::TARGET_NOT_SET:
      break;
  }
  return Invalid("targets", "need an offset or a start each");
}

}  // namespace

absl::Status InvalidField(std::string_view field, std::string_view message) {
  return Error(Reason::kInvalidConfig, message, {{"field", std::string(field)}});
}

// ---- Outwards

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(time));
}

google::protobuf::Timestamp ToTimestamp(storage::UnixMillis time) {
  return TimeUtil::MillisecondsToTimestamp(time);
}

google::protobuf::Duration ToDuration(absl::Duration duration) {
  return TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(duration));
}

v1::Durability ToDurability(storage::Durability durability) {
  return durability == storage::Durability::kSynced ? v1::DURABILITY_SYNCED
                                                    : v1::DURABILITY_BUFFERED;
}

v1::Topic ToTopic(const storage::Topic& topic) {
  v1::Topic proto;
  proto.set_name(topic.name);
  proto.set_partition_count(static_cast<int32_t>(topic.partitions.size()));
  if (topic.retention.max_age) {
    *proto.mutable_retention()->mutable_max_age() = ToDuration(*topic.retention.max_age);
  }
  proto.mutable_retention()->set_max_partition_bytes(
      topic.retention.max_partition_bytes.value_or(0));
  *proto.mutable_create_time() = ToTimestamp(topic.create_time);
  return proto;
}

v1::PartitionStatus ToPartitionStatus(const hub::NumberedStatus& status) {
  v1::PartitionStatus proto;
  proto.set_partition(status.partition);
  proto.set_earliest_offset(status.status.earliest.value());
  proto.set_latest_offset(status.status.high_watermark.value());
  proto.set_size_bytes(status.status.size_bytes);
  proto.set_delivered_records(status.delivered_records);
  if (status.status.last_append_time != storage::kNoTime) {
    *proto.mutable_last_append_time() = ToTimestamp(status.status.last_append_time);
  }
  return proto;
}

// ---- Inwards

absl::StatusOr<absl::Time> FromTimestamp(const google::protobuf::Timestamp& time,
                                         std::string_view field) {
  if (time.seconds() < TimeUtil::kTimestampMinSeconds ||
      time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return Invalid(field, "is not a valid timestamp");
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::StatusOr<absl::Duration> FromDuration(const google::protobuf::Duration& duration,
                                            std::string_view field) {
  if (duration.seconds() < TimeUtil::kDurationMinSeconds ||
      duration.seconds() > TimeUtil::kDurationMaxSeconds || duration.nanos() < -999'999'999 ||
      duration.nanos() > 999'999'999) {
    return Invalid(field, "is not a valid duration");
  }
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::StatusOr<std::optional<storage::Durability>> FromDurability(v1::Durability durability) {
  switch (durability) {
    case v1::DURABILITY_UNSPECIFIED:
      return std::nullopt;
    case v1::DURABILITY_BUFFERED:
      return storage::Durability::kBuffered;
    case v1::DURABILITY_SYNCED:
      return storage::Durability::kSynced;
    default:
      return Error(Reason::kMalformedRequest,
                   absl::StrCat("there is no durability ", static_cast<int>(durability)),
                   {{"field", "durability"}});
  }
}

absl::StatusOr<storage::RetentionPolicy> FromRetention(const v1::RetentionPolicy& retention) {
  storage::RetentionPolicy policy;
  if (retention.has_max_age()) {
    auto max_age = FromDuration(retention.max_age(), "retention.max_age");
    if (!max_age.ok()) return max_age.status();
    if (*max_age < absl::ZeroDuration()) {
      return Invalid("retention.max_age", "must not be negative");
    }
    if (*max_age > absl::ZeroDuration()) policy.max_age = *max_age;
  }
  if (retention.max_partition_bytes() < 0) {
    return Invalid("retention.max_partition_bytes", "must not be negative");
  }
  if (retention.max_partition_bytes() > 0) {
    policy.max_partition_bytes = retention.max_partition_bytes();
  }
  return policy;
}

absl::StatusOr<hub::StartPosition> FromStartPosition(const v1::StartPosition& start) {
  switch (start.start_case()) {
    case v1::StartPosition::kEarliest:
      if (start.earliest()) return hub::Earliest{};
      return Invalid("start.earliest", "must be true or absent");
    case v1::StartPosition::kLatest:
      if (start.latest()) return hub::Latest{};
      return Invalid("start.latest", "must be true or absent");
    case v1::StartPosition::kTime: {
      auto time = FromTimestamp(start.time(), "start.time");
      if (!time.ok()) return time.status();
      return *time;
    }
    case v1::StartPosition::START_NOT_SET:
      break;
  }
  return Invalid("start", "must be earliest, latest or a time");
}

absl::StatusOr<hub::SubscribeCommand> ToSubscribeCommand(const v1::SubscribeRequest& request) {
  hub::SubscribeCommand command{.topics = {request.topics().begin(), request.topics().end()},
                                .group = request.group(),
                                .instance_id = request.instance_id(),
                                .resume_member_id = request.resume_member_id(),
                                .allow_missing_topics = request.allow_missing_topics(),
                                .end_at_current = request.end_at_current()};
  for (const v1::Position& position : request.positions()) {
    command.positions.push_back(FromPosition(position));
  }
  if (request.has_start()) {
    auto start = FromStartPosition(request.start());
    if (!start.ok()) return start.status();
    command.start = *start;
  }
  auto policy = FromPolicy(request.on_out_of_range());
  if (!policy.ok()) return policy.status();
  command.out_of_range = *policy;
  if (request.has_max_batch_bytes()) {
    if (request.max_batch_bytes() <= 0) return Invalid("max_batch_bytes", "must be positive");
    command.max_frame_bytes = request.max_batch_bytes();
  }
  if (request.has_heartbeat_interval()) {
    auto interval = FromHeartbeatInterval(request.heartbeat_interval());
    if (!interval.ok()) return interval.status();
    command.heartbeat_interval = *interval;
  }
  if (absl::Status status = AddFlow(request, command); !status.ok()) return status;
  return command;
}

std::vector<hub::TopicPartition> FromTopicPartitions(
    const google::protobuf::RepeatedPtrField<v1::TopicPartition>& partitions) {
  std::vector<hub::TopicPartition> result;
  result.reserve(partitions.size());
  for (const v1::TopicPartition& each : partitions) {
    result.emplace_back(each.topic(), each.partition());
  }
  return result;
}

hub::CommitEntry FromOffsetCommit(const v1::OffsetCommit& commit) {
  hub::CommitEntry entry{.topic = commit.topic(),
                         .partition = commit.partition(),
                         .next_offset = storage::Offset(commit.next_offset()),
                         .metadata = commit.metadata()};
  if (commit.has_position_epoch()) {
    entry.position_epoch = storage::PositionEpoch(commit.position_epoch());
  }
  return entry;
}

absl::StatusOr<storage::ProducerStamp> FromSequence(const v1::ProducerSequence& sequence) {
  if (sequence.producer_id().empty() || sequence.epoch() < 1 || sequence.sequence() < 1) {
    return Error(Reason::kInvalidSequence,
                 "a sequence needs the producer_id and epoch of OpenProducer, and counts from 1",
                 {{"field", "sequence"}});
  }
  return storage::ProducerStamp{.producer_id = sequence.producer_id(),
                                .epoch = storage::ProducerEpoch(sequence.epoch()),
                                .sequence = sequence.sequence()};
}

absl::StatusOr<hub::CommitCommand> ToCommitCommand(const v1::CommitOffsetRequest& request) {
  auto durability = FromDurability(request.durability());
  if (!durability.ok()) return durability.status();
  hub::CommitCommand command{.group = request.group(),
                             .member_id = request.member_id(),
                             .member_epoch = request.member_epoch(),
                             .released = FromTopicPartitions(request.released()),
                             .leave = request.leave(),
                             .durability = *durability};
  for (const v1::OffsetCommit& each : request.offsets()) {
    command.entries.push_back(FromOffsetCommit(each));
  }
  return command;
}

absl::StatusOr<std::vector<hub::SeekTarget>> ToSeekTargets(const v1::SeekRequest& request) {
  if (request.targets().empty()) {
    return Error(Reason::kEmptyRequest, "there is no partition to move", {{"field", "targets"}});
  }
  std::vector<hub::SeekTarget> targets;
  for (const v1::SeekTarget& each : request.targets()) {
    auto target = ToSeekTarget(each);
    if (!target.ok()) return target.status();
    targets.push_back(*std::move(target));
  }
  return targets;
}

}  // namespace millrace::server
