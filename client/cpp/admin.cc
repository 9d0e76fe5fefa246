#include "millrace/admin.h"

#include <utility>

#include "client/cpp/admin_stubs.h"
#include "client/cpp/convert.h"

namespace millrace::client {

namespace {

using TopicStub = v1::TopicService::Stub;
using EventStub = v1::EventHubService::Stub;

}  // namespace

Admin::Admin(std::shared_ptr<Connection> connection)
    : stubs_(std::make_unique<Stubs>(std::move(connection))) {}
Admin::~Admin() = default;
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(Admin&&) noexcept = default;

absl::StatusOr<Topic> Admin::CreateTopic(std::string_view topic, int32_t partition_count,
                                         std::optional<RetentionPolicy> retention) {
  v1::CreateTopicRequest request;
  request.set_topic(topic.data(), topic.size());
  request.set_partition_count(partition_count);
  if (retention) {
    v1::RetentionPolicy& out = *request.mutable_retention();
    if (retention->max_age) ToProto(*retention->max_age, *out.mutable_max_age());
    out.set_max_partition_bytes(retention->max_partition_bytes);
  }
  v1::CreateTopicResponse response;
  const absl::Status status =
      stubs_->Call(&TopicStub::CreateTopic, stubs_->topics, request, response);
  if (!status.ok()) return status;
  return FromProto(response.topic());
}

absl::StatusOr<TopicDescription> Admin::GetTopic(std::string_view topic) {
  v1::GetTopicRequest request;
  request.set_topic(topic.data(), topic.size());
  v1::GetTopicResponse response;
  const absl::Status status = stubs_->Call(&TopicStub::GetTopic, stubs_->topics, request, response);
  if (!status.ok()) return status;
  TopicDescription result{.topic = FromProto(response.topic()), .partitions = {}};
  for (const auto& partition : response.partitions()) {
    result.partitions.push_back(FromProto(partition));
  }
  return result;
}

absl::StatusOr<std::vector<Topic>> Admin::ListTopics() {
  std::vector<Topic> topics;
  v1::ListTopicsRequest request;
  do {
    v1::ListTopicsResponse response;
    const absl::Status status =
        stubs_->Call(&TopicStub::ListTopics, stubs_->topics, request, response);
    if (!status.ok()) return status;
    for (const auto& topic : response.topics()) topics.push_back(FromProto(topic));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return topics;
}

absl::StatusOr<Topic> Admin::UpdateTopic(std::string_view topic, const TopicUpdate& update) {
  v1::UpdateTopicRequest request;
  request.set_topic(topic.data(), topic.size());
  if (update.partition_count) request.set_partition_count(*update.partition_count);
  if (update.retention_max_age) {
    ToProto(*update.retention_max_age, *request.mutable_retention_max_age());
  }
  if (update.retention_max_partition_bytes) {
    request.set_retention_max_partition_bytes(*update.retention_max_partition_bytes);
  }
  v1::UpdateTopicResponse response;
  const absl::Status status =
      stubs_->Call(&TopicStub::UpdateTopic, stubs_->topics, request, response);
  if (!status.ok()) return status;
  return FromProto(response.topic());
}

absl::Status Admin::DeleteTopic(std::string_view topic) {
  v1::DeleteTopicRequest request;
  request.set_topic(topic.data(), topic.size());
  v1::DeleteTopicResponse response;
  return stubs_->Call(&TopicStub::DeleteTopic, stubs_->topics, request, response);
}

absl::StatusOr<std::vector<PartitionStatus>> Admin::TruncateTopic(
    std::string_view topic, const std::vector<PartitionTruncation>& partitions) {
  v1::TruncateTopicRequest request;
  request.set_topic(topic.data(), topic.size());
  for (const PartitionTruncation& cut : partitions) {
    auto& out = *request.add_partitions();
    out.set_partition(cut.partition);
    out.set_before_offset(cut.before_offset);
  }
  v1::TruncateTopicResponse response;
  const absl::Status status =
      stubs_->Call(&TopicStub::TruncateTopic, stubs_->topics, request, response);
  if (!status.ok()) return status;
  std::vector<PartitionStatus> result;
  for (const auto& partition : response.partitions()) result.push_back(FromProto(partition));
  return result;
}

absl::StatusOr<TopicOffsets> Admin::ListOffsets(std::string_view topic,
                                                const std::vector<int32_t>& partitions,
                                                std::optional<absl::Time> time) {
  v1::ListOffsetsRequest request;
  request.set_topic(topic.data(), topic.size());
  request.mutable_partitions()->Add(partitions.begin(), partitions.end());
  if (time) ToProto(*time, *request.mutable_time());
  v1::ListOffsetsResponse response;
  const absl::Status status =
      stubs_->Call(&EventStub::ListOffsets, stubs_->events, request, response);
  if (!status.ok()) return status;
  TopicOffsets result{.partitions = {}, .log_epoch = response.log_epoch()};
  for (const auto& partition : response.partitions()) {
    PartitionOffsets& offsets = result.partitions.emplace_back(
        PartitionOffsets{partition.partition(), partition.earliest_offset(),
                         partition.latest_offset(), std::nullopt});
    if (partition.has_offset_at_time()) offsets.offset_at_time = partition.offset_at_time();
  }
  return result;
}

absl::StatusOr<std::vector<CommitResult>> Admin::CommitOffset(
    std::string_view group, const std::vector<OffsetCommit>& offsets, Durability durability) {
  v1::CommitOffsetRequest request;
  request.set_group(group.data(), group.size());
  for (const OffsetCommit& commit : offsets) ToProto(commit, *request.add_offsets());
  request.set_durability(ToProto(durability));
  v1::CommitOffsetResponse response;
  const absl::Status status =
      stubs_->Call(&EventStub::CommitOffset, stubs_->events, request, response);
  if (!status.ok()) return status;
  std::vector<CommitResult> results;
  for (const auto& result : response.results()) results.push_back(FromProto(result));
  return results;
}

absl::StatusOr<std::vector<CommittedOffset>> Admin::GetCommittedOffsets(
    std::string_view group, const std::vector<TopicPartition>& partitions) {
  v1::GetCommittedOffsetsRequest request;
  request.set_group(group.data(), group.size());
  for (const TopicPartition& partition : partitions) {
    ToProto(partition, *request.add_partitions());
  }
  v1::GetCommittedOffsetsResponse response;
  const absl::Status status =
      stubs_->Call(&EventStub::GetCommittedOffsets, stubs_->events, request, response);
  if (!status.ok()) return status;
  std::vector<CommittedOffset> offsets;
  for (const auto& offset : response.offsets()) offsets.push_back(FromProto(offset));
  return offsets;
}

absl::StatusOr<HubInfo> Admin::GetHub() {
  v1::GetHubResponse response;
  const absl::Status status =
      stubs_->Call(&v1::HubService::Stub::GetHub, stubs_->hub, v1::GetHubRequest(), response);
  if (!status.ok()) return status;
  return FromProto(response.hub());
}

absl::StatusOr<AccessAnswer> Admin::CheckAccess(std::string_view principal, Right right,
                                                ResourceKind kind, std::string_view name) {
  v1::CheckAccessRequest request;
  request.set_principal(std::string(principal));
  request.set_right(static_cast<v1::Right>(right));
  if (kind == ResourceKind::kTopic) request.set_topic(std::string(name));
  if (kind == ResourceKind::kGroup) request.set_group(std::string(name));
  if (kind == ResourceKind::kHub) request.set_hub(true);
  v1::CheckAccessResponse response;
  const absl::Status status =
      stubs_->Call(&v1::HubService::Stub::CheckAccess, stubs_->hub, request, response);
  if (!status.ok()) return status;
  AccessAnswer answer{.allowed = response.allowed(), .enforced = response.enforced()};
  for (const v1::AllowingRule& rule : response.rules()) {
    answer.rules.push_back({rule.number(), rule.text()});
  }
  return answer;
}

absl::StatusOr<int64_t> Admin::CreateCheckpoint(const std::string& directory) {
  v1::CreateCheckpointRequest request;
  request.set_directory(directory);
  v1::CreateCheckpointResponse response;
  grpc::ClientContext context;
  const absl::Status status = FromGrpc(stubs_->hub.CreateCheckpoint(&context, request, &response));
  if (!status.ok()) return status;
  return response.size_bytes();
}

}  // namespace millrace::client
