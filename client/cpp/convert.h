// The contract's messages and this library's plain types, one into the other.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "millrace/admin.h"
#include "millrace/record.h"
#include "millrace/v1/event_hub.pb.h"
#include "millrace/v1/hub.pb.h"
#include "millrace/v1/record.pb.h"
#include "millrace/v1/topic.pb.h"

namespace millrace::client {

absl::Time FromProto(const google::protobuf::Timestamp& time);
absl::Duration FromProto(const google::protobuf::Duration& duration);
void ToProto(absl::Time time, google::protobuf::Timestamp& out);
void ToProto(absl::Duration duration, google::protobuf::Duration& out);

v1::Durability ToProto(Durability durability);
void ToProto(const TopicPartition& partition, v1::TopicPartition& out);
void ToProto(const Position& position, v1::Position& out);
void ToProto(const OffsetCommit& commit, v1::OffsetCommit& out);

TopicPartition FromProto(const v1::TopicPartition& partition);
Topic FromProto(const v1::Topic& topic);
PartitionStatus FromProto(const v1::PartitionStatus& status);
CommitResult FromProto(const v1::CommitResult& result);
CommittedOffset FromProto(const v1::CommittedOffset& offset);
HubInfo FromProto(const v1::HubInfo& hub);

}  // namespace millrace::client
