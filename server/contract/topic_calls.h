// The methods of millrace.v1.TopicService: requests in, responses out.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "millrace/v1/topic.pb.h"
#include "server/hub/hub.h"

namespace millrace::server {

// Told of every change that a person or program made to a topic, after it is durable: "created".
using TopicChangeLog = std::function<void(std::string_view change, std::string_view topic)>;

// Threads: any. Each may block; the reasons are those that the contract lists for the rpc.
class TopicCalls {
 public:
  // `hub` outlives this object. `log` may be empty; it is called inside of the calls.
  TopicCalls(hub::Hub& hub, TopicChangeLog log) : hub_(hub), log_(std::move(log)) {}

  absl::StatusOr<v1::CreateTopicResponse> CreateTopic(const v1::CreateTopicRequest& request);
  absl::StatusOr<v1::GetTopicResponse> GetTopic(const v1::GetTopicRequest& request);
  absl::StatusOr<v1::ListTopicsResponse> ListTopics(const v1::ListTopicsRequest& request);
  absl::StatusOr<v1::UpdateTopicResponse> UpdateTopic(const v1::UpdateTopicRequest& request);
  absl::StatusOr<v1::DeleteTopicResponse> DeleteTopic(const v1::DeleteTopicRequest& request);
  absl::StatusOr<v1::TruncateTopicResponse> TruncateTopic(const v1::TruncateTopicRequest& request);

 private:
  void Log(std::string_view change, std::string_view topic) const;

  hub::Hub& hub_;
  const TopicChangeLog log_;
};

}  // namespace millrace::server
