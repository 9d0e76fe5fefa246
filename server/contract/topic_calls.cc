#include "server/contract/topic_calls.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/contract/conversions.h"
#include "server/contract/request_error.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

constexpr int kMostDescribed = 1'000;

void Fill(const std::vector<hub::NumberedStatus>& statuses,
          google::protobuf::RepeatedPtrField<v1::PartitionStatus>* partitions) {
  for (const hub::NumberedStatus& status : statuses) *partitions->Add() = ToPartitionStatus(status);
}

// The policy with what the request says; zero is no limit.
absl::StatusOr<storage::RetentionPolicy> Changed(storage::RetentionPolicy policy,
                                                 const v1::UpdateTopicRequest& request) {
  if (request.has_retention_max_age()) {
    const auto age = FromDuration(request.retention_max_age(), "retention_max_age");
    if (!age.ok()) return age.status();
    if (*age < absl::ZeroDuration()) {
      return InvalidField("retention_max_age", "the retention age must not be negative");
    }
    policy.max_age.reset();
    if (*age > absl::ZeroDuration()) policy.max_age = *age;
  }
  if (request.has_retention_max_partition_bytes()) {
    const int64_t bytes = request.retention_max_partition_bytes();
    if (bytes < 0) {
      return InvalidField("retention_max_partition_bytes",
                          "the retention size must not be negative");
    }
    policy.max_partition_bytes.reset();
    if (bytes > 0) policy.max_partition_bytes = bytes;
  }
  return policy;
}

}  // namespace

absl::StatusOr<v1::CreateTopicResponse> TopicCalls::CreateTopic(
    const v1::CreateTopicRequest& request) {
  std::optional<storage::RetentionPolicy> retention;
  if (request.has_retention()) {
    auto given = FromRetention(request.retention());
    if (!given.ok()) return given.status();
    retention = *given;
  }
  const int32_t partition_count = request.has_partition_count() ? request.partition_count() : 1;
  const auto topic = hub_.topics().Create(request.topic(), partition_count, retention);
  if (!topic.ok()) return topic.status();
  v1::CreateTopicResponse response;
  *response.mutable_topic() = ToTopic(**topic);
  return response;
}

absl::StatusOr<v1::GetTopicResponse> TopicCalls::GetTopic(const v1::GetTopicRequest& request) {
  const auto topic = hub_.topics().Find(request.topic());
  if (!topic.ok()) return topic.status();
  const auto partitions = hub_.topics().Partitions(**topic);
  if (!partitions.ok()) return partitions.status();
  v1::GetTopicResponse response;
  *response.mutable_topic() = ToTopic(**topic);
  Fill(*partitions, response.mutable_partitions());
  return response;
}

absl::StatusOr<v1::DescribeTopicsResponse> TopicCalls::DescribeTopics(
    const v1::DescribeTopicsRequest& request) {
  if (request.topics().empty()) {
    return storage::Error(storage::Reason::kEmptyRequest, "there is no topic to describe",
                          {{"field", "topics"}});
  }
  if (request.topics_size() > kMostDescribed) {
    return storage::Error(storage::Reason::kLimitExceeded,
                          absl::StrCat("a call may describe ", kMostDescribed, " topics, not ",
                                       request.topics_size()),
                          {{"limit", absl::StrCat(kMostDescribed)}});
  }
  v1::DescribeTopicsResponse response;
  v1::GetTopicRequest one;
  for (const std::string& name : request.topics()) {
    one.set_topic(name);
    v1::TopicDescription& description = *response.add_topics();
    auto found = GetTopic(one);
    if (!found.ok()) {
      *description.mutable_error() = ToRequestError(found.status());
      continue;
    }
    description.mutable_topic()->Swap(found->mutable_topic());
    description.mutable_partitions()->Swap(found->mutable_partitions());
  }
  return response;
}

absl::StatusOr<v1::ListTopicsResponse> TopicCalls::ListTopics(const v1::ListTopicsRequest& request,
                                                              const Caller& caller) {
  auto page = hub_.topics().List(request.page_size(), request.page_token(),
                                 [&](std::string_view topic) { return caller.Sees(Topic(topic)); });
  if (!page.ok()) return page.status();
  v1::ListTopicsResponse response;
  for (const storage::TopicPtr& topic : page->topics) *response.add_topics() = ToTopic(*topic);
  response.set_next_page_token(std::move(page->next_page_token));
  return response;
}

absl::StatusOr<v1::UpdateTopicResponse> TopicCalls::UpdateTopic(
    const v1::UpdateTopicRequest& request) {
  auto topic = hub_.topics().Find(request.topic());
  if (!topic.ok()) return topic.status();
  storage::TopicChange change;
  if (request.has_partition_count()) change.partition_count = request.partition_count();
  const auto retention = Changed((*topic)->retention, request);
  if (!retention.ok()) return retention.status();
  if (*retention != (*topic)->retention) change.retention = *retention;
  topic = hub_.topics().Update(request.topic(), change);
  if (!topic.ok()) return topic.status();
  v1::UpdateTopicResponse response;
  *response.mutable_topic() = ToTopic(**topic);
  return response;
}

absl::StatusOr<v1::DeleteTopicResponse> TopicCalls::DeleteTopic(
    const v1::DeleteTopicRequest& request) {
  absl::Status status = hub_.topics().Delete(request.topic());
  if (!status.ok()) return status;
  return v1::DeleteTopicResponse();
}

absl::StatusOr<v1::TruncateTopicResponse> TopicCalls::TruncateTopic(
    const v1::TruncateTopicRequest& request) {
  std::vector<hub::Truncation> cuts;
  for (const v1::PartitionTruncation& each : request.partitions()) {
    cuts.push_back({each.partition(), storage::Offset(each.before_offset())});
  }
  const auto partitions = hub_.topics().Truncate(request.topic(), cuts);
  if (!partitions.ok()) return partitions.status();
  v1::TruncateTopicResponse response;
  Fill(*partitions, response.mutable_partitions());
  return response;
}

}  // namespace millrace::server
