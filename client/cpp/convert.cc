#include "client/cpp/convert.h"

#include <utility>

#include "client/cpp/status.h"

namespace millrace::client {
namespace {

Capabilities CapabilitiesFrom(const v1::Capabilities& capabilities) {
  return {.atomic_produce = capabilities.atomic_produce(),
          .producer_sequences = capabilities.producer_sequences(),
          .expected_offset = capabilities.expected_offset(),
          .fenced_commits = capabilities.fenced_commits(),
          .log_epoch = capabilities.log_epoch(),
          .search_by_append_time = capabilities.time_basis() == v1::TIME_BASIS_APPEND_TIME,
          .search_by_event_time = capabilities.time_basis() == v1::TIME_BASIS_EVENT_TIME,
          .checkpoints = capabilities.checkpoints()};
}

Limits LimitsFrom(const v1::Limits& limits) {
  return {.max_record_bytes = limits.max_record_bytes(),
          .max_request_bytes = limits.max_request_bytes(),
          .max_request_records = limits.max_request_records(),
          .max_key_bytes = limits.max_key_bytes(),
          .max_record_headers = limits.max_record_headers(),
          .max_topic_partitions = limits.max_topic_partitions(),
          .max_topics = limits.max_topics(),
          .max_groups = limits.max_groups(),
          .max_group_members = limits.max_group_members(),
          .max_subscriptions = limits.max_subscriptions(),
          .max_commit_metadata_bytes = limits.max_commit_metadata_bytes(),
          .max_frame_bytes = limits.max_frame_bytes(),
          .producer_window = limits.producer_window(),
          .producer_idle_expiry = FromProto(limits.producer_idle_expiry()),
          .group_idle_expiry = FromProto(limits.group_idle_expiry()),
          .max_revoke_timeout = FromProto(limits.max_revoke_timeout()),
          .max_connections = limits.max_connections(),
          .max_metadata_bytes = limits.max_metadata_bytes()};
}

}  // namespace

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void ToProto(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void ToProto(absl::Duration duration, google::protobuf::Duration& out) {
  absl::Duration rest;
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

v1::Durability ToProto(Durability durability) {
  switch (durability) {
    case Durability::kHubDefault:
      return v1::DURABILITY_UNSPECIFIED;
    case Durability::kBuffered:
      return v1::DURABILITY_BUFFERED;
    case Durability::kSynced:
      return v1::DURABILITY_SYNCED;
  }
  return v1::DURABILITY_UNSPECIFIED;
}

void ToProto(const TopicPartition& partition, v1::TopicPartition& out) {
  out.set_topic(partition.topic);
  out.set_partition(partition.partition);
}

void ToProto(const Position& position, v1::Position& out) {
  out.set_topic(position.topic);
  out.set_partition(position.partition);
  out.set_offset(position.offset);
  if (position.log_epoch) out.set_log_epoch(*position.log_epoch);
}

void ToProto(const OffsetCommit& commit, v1::OffsetCommit& out) {
  out.set_topic(commit.topic);
  out.set_partition(commit.partition);
  out.set_next_offset(commit.next_offset);
  out.set_metadata(commit.metadata);
  if (commit.position_epoch) out.set_position_epoch(*commit.position_epoch);
}

TopicPartition FromProto(const v1::TopicPartition& partition) {
  return {partition.topic(), partition.partition()};
}

Topic FromProto(const v1::Topic& topic) {
  Topic result{.name = topic.name(),
               .partition_count = topic.partition_count(),
               .retention = {},
               .create_time = std::nullopt};
  if (topic.retention().has_max_age()) {
    result.retention.max_age = FromProto(topic.retention().max_age());
  }
  result.retention.max_partition_bytes = topic.retention().max_partition_bytes();
  if (topic.has_create_time()) result.create_time = FromProto(topic.create_time());
  return result;
}

PartitionStatus FromProto(const v1::PartitionStatus& status) {
  PartitionStatus result{.partition = status.partition(),
                         .earliest_offset = status.earliest_offset(),
                         .latest_offset = status.latest_offset(),
                         .size_bytes = status.size_bytes(),
                         .last_append_time = std::nullopt};
  if (status.has_last_append_time()) result.last_append_time = FromProto(status.last_append_time());
  return result;
}

CommitResult FromProto(const v1::CommitResult& result) {
  CommitResult out{.partition = {result.topic(), result.partition()},
                   .committed_next_offset = std::nullopt,
                   .status = {}};
  if (result.has_committed_next_offset()) {
    out.committed_next_offset = result.committed_next_offset();
  }
  if (result.has_error()) out.status = FromRequestError(result.error());
  return out;
}

CommittedOffset FromProto(const v1::CommittedOffset& offset) {
  CommittedOffset out{.partition = {offset.topic(), offset.partition()},
                      .next_offset = std::nullopt,
                      .metadata = offset.metadata(),
                      .commit_time = std::nullopt};
  if (offset.has_next_offset()) out.next_offset = offset.next_offset();
  if (offset.has_commit_time()) out.commit_time = FromProto(offset.commit_time());
  return out;
}

HubInfo FromProto(const v1::HubInfo& hub) {
  HubInfo info{.version = hub.version(),
               .hub_id = hub.hub_id(),
               .engine = hub.engine(),
               .capabilities = CapabilitiesFrom(hub.capabilities()),
               .limits = LimitsFrom(hub.limits()),
               .log_epoch = hub.log_epoch(),
               .start_time = std::nullopt,
               .default_durability = Durability::kHubDefault,
               .auto_create_partitions = hub.auto_create_partitions()};
  if (hub.has_start_time()) info.start_time = FromProto(hub.start_time());
  if (hub.default_durability() == v1::DURABILITY_BUFFERED) {
    info.default_durability = Durability::kBuffered;
  } else if (hub.default_durability() == v1::DURABILITY_SYNCED) {
    info.default_durability = Durability::kSynced;
  }
  return info;
}

}  // namespace millrace::client
