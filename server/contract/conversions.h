// Between the contract's messages and the hub's own types. What comes in is judged here where it is
// a matter of the message alone (ranges, well-formed times); each error names the field.
//
// Threads: any.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/v1/event_hub.pb.h"
#include "millrace/v1/record.pb.h"
#include "millrace/v1/topic.pb.h"
#include "server/hub/groups.h"
#include "server/hub/subscriptions.h"
#include "storage/engine.h"

namespace millrace::server {

// INVALID_CONFIG about one field of a request.
absl::Status InvalidField(std::string_view field, std::string_view message);

google::protobuf::Timestamp ToTimestamp(absl::Time time);
google::protobuf::Timestamp ToTimestamp(storage::UnixMillis time);  // Not kNoTime.
google::protobuf::Duration ToDuration(absl::Duration duration);
v1::Durability ToDurability(storage::Durability durability);
v1::Topic ToTopic(const storage::Topic& topic);
v1::PartitionStatus ToPartitionStatus(const hub::NumberedStatus& status);

// INVALID_CONFIG for a value beyond what the message may hold.
absl::StatusOr<absl::Time> FromTimestamp(const google::protobuf::Timestamp& time,
                                         std::string_view field);
absl::StatusOr<absl::Duration> FromDuration(const google::protobuf::Duration& duration,
                                            std::string_view field);

// Absent for UNSPECIFIED. MALFORMED_REQUEST for a value that there is not.
absl::StatusOr<std::optional<storage::Durability>> FromDurability(v1::Durability durability);

// INVALID_CONFIG for negative limits; zero is none.
absl::StatusOr<storage::RetentionPolicy> FromRetention(const v1::RetentionPolicy& retention);

// INVALID_CONFIG where nothing is set, or false.
absl::StatusOr<hub::StartPosition> FromStartPosition(const v1::StartPosition& start);

// INVALID_CONFIG; UNSUPPORTED for what comes with shared groups.
absl::StatusOr<hub::SubscribeCommand> ToSubscribeCommand(const v1::SubscribeRequest& request);

std::vector<hub::TopicPartition> FromTopicPartitions(
    const google::protobuf::RepeatedPtrField<v1::TopicPartition>& partitions);

hub::CommitEntry FromOffsetCommit(const v1::OffsetCommit& commit);

// Without annotation. INVALID_SEQUENCE for one that OpenProducer cannot have begun.
absl::StatusOr<storage::ProducerStamp> FromSequence(const v1::ProducerSequence& sequence);

absl::StatusOr<hub::CommitCommand> ToCommitCommand(const v1::CommitOffsetRequest& request);

// INVALID_CONFIG for a target that says nothing; EMPTY_REQUEST.
absl::StatusOr<std::vector<hub::SeekTarget>> ToSeekTargets(const v1::SeekRequest& request);

}  // namespace millrace::server
