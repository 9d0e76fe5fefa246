#include "server/grpc/topic_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/v1/topic.grpc.pb.h"
#include "server/grpc/conversions.h"
#include "server/grpc/unary_call.h"

namespace millrace::server {
namespace {

using Contract = v1::TopicService;
using Context = grpc::CallbackServerContext;
using grpc::ByteBuffer;
using UnaryReactor = grpc::ServerUnaryReactor;

using RawMethods = Contract::WithRawCallbackMethod_CreateTopic<
    Contract::WithRawCallbackMethod_GetTopic<Contract::WithRawCallbackMethod_ListTopics<
        Contract::WithRawCallbackMethod_UpdateTopic<Contract::WithRawCallbackMethod_DeleteTopic<
            Contract::WithRawCallbackMethod_TruncateTopic<Contract::Service>>>>>>;

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

class TopicService final : public RawMethods {
 public:
  TopicService(hub::Hub& hub, TopicChangeLog log) : hub_(hub), log_(std::move(log)) {}

  UnaryReactor* CreateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicService::Create);
  }
  UnaryReactor* GetTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicService::Get);
  }
  UnaryReactor* ListTopics(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicService::List);
  }
  UnaryReactor* UpdateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicService::Update);
  }
  UnaryReactor* DeleteTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicService::Delete);
  }
  UnaryReactor* TruncateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicService::Truncate);
  }

 private:
  template <typename Request, typename Response>
  UnaryReactor* Run(UnaryCall call,
                    absl::StatusOr<Response> (TopicService::*method)(const Request&)) {
    return AnswerFromWorker(hub_, call, this, method);
  }

  void Log(std::string_view change, std::string_view topic) const {
    if (log_) log_(change, topic);
  }

  absl::StatusOr<v1::CreateTopicResponse> Create(const v1::CreateTopicRequest& request) {
    std::optional<storage::RetentionPolicy> retention;
    if (request.has_retention()) {
      auto given = FromRetention(request.retention());
      if (!given.ok()) return given.status();
      retention = *given;
    }
    const int32_t partition_count = request.has_partition_count() ? request.partition_count() : 1;
    const auto topic = hub_.topics().Create(request.topic(), partition_count, retention);
    if (!topic.ok()) return topic.status();
    Log("created", request.topic());
    v1::CreateTopicResponse response;
    *response.mutable_topic() = ToTopic(**topic);
    return response;
  }

  absl::StatusOr<v1::GetTopicResponse> Get(const v1::GetTopicRequest& request) {
    const auto topic = hub_.topics().Find(request.topic());
    if (!topic.ok()) return topic.status();
    const auto partitions = hub_.topics().Partitions(**topic);
    if (!partitions.ok()) return partitions.status();
    v1::GetTopicResponse response;
    *response.mutable_topic() = ToTopic(**topic);
    Fill(*partitions, response.mutable_partitions());
    return response;
  }

  absl::StatusOr<v1::ListTopicsResponse> List(const v1::ListTopicsRequest& request) {
    auto page = hub_.topics().List(request.page_size(), request.page_token());
    if (!page.ok()) return page.status();
    v1::ListTopicsResponse response;
    for (const storage::TopicPtr& topic : page->topics) *response.add_topics() = ToTopic(*topic);
    response.set_next_page_token(std::move(page->next_page_token));
    return response;
  }

  absl::StatusOr<v1::UpdateTopicResponse> Update(const v1::UpdateTopicRequest& request) {
    auto topic = hub_.topics().Find(request.topic());
    if (!topic.ok()) return topic.status();
    storage::TopicChange change;
    if (request.has_partition_count()) change.partition_count = request.partition_count();
    const auto retention = Changed((*topic)->retention, request);
    if (!retention.ok()) return retention.status();
    if (*retention != (*topic)->retention) change.retention = *retention;
    topic = hub_.topics().Update(request.topic(), change);
    if (!topic.ok()) return topic.status();
    Log("changed", request.topic());
    v1::UpdateTopicResponse response;
    *response.mutable_topic() = ToTopic(**topic);
    return response;
  }

  absl::StatusOr<v1::DeleteTopicResponse> Delete(const v1::DeleteTopicRequest& request) {
    absl::Status status = hub_.topics().Delete(request.topic());
    if (!status.ok()) return status;
    Log("deleted", request.topic());
    return v1::DeleteTopicResponse();
  }

  absl::StatusOr<v1::TruncateTopicResponse> Truncate(const v1::TruncateTopicRequest& request) {
    std::vector<hub::Truncation> cuts;
    for (const v1::PartitionTruncation& each : request.partitions()) {
      cuts.push_back({each.partition(), storage::Offset(each.before_offset())});
    }
    const auto partitions = hub_.topics().Truncate(request.topic(), cuts);
    if (!partitions.ok()) return partitions.status();
    Log("truncated", request.topic());
    v1::TruncateTopicResponse response;
    Fill(*partitions, response.mutable_partitions());
    return response;
  }

  hub::Hub& hub_;
  const TopicChangeLog log_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTopicService(hub::Hub& hub, TopicChangeLog log) {
  return std::make_unique<TopicService>(hub, std::move(log));
}

}  // namespace millrace::server
