// The methods of millrace.v1.TopicService: requests in, responses out.
#pragma once

#include "absl/status/statusor.h"
#include "millrace/v1/topic.pb.h"
#include "server/contract/caller.h"
#include "server/hub/hub.h"

namespace millrace::server {

// Threads: any. Each may block; the reasons are those that the contract lists for the rpc. Whether
// the caller may call has been asked before (guard.h); a list shows it only what it may see.
class TopicCalls {
 public:
  // `hub` outlives this object.
  explicit TopicCalls(hub::Hub& hub) : hub_(hub) {}

  absl::StatusOr<v1::CreateTopicResponse> CreateTopic(const v1::CreateTopicRequest& request);
  absl::StatusOr<v1::GetTopicResponse> GetTopic(const v1::GetTopicRequest& request);
  absl::StatusOr<v1::DescribeTopicsResponse> DescribeTopics(
      const v1::DescribeTopicsRequest& request);
  absl::StatusOr<v1::ListTopicsResponse> ListTopics(const v1::ListTopicsRequest& request,
                                                    const Caller& caller);
  absl::StatusOr<v1::UpdateTopicResponse> UpdateTopic(const v1::UpdateTopicRequest& request);
  absl::StatusOr<v1::DeleteTopicResponse> DeleteTopic(const v1::DeleteTopicRequest& request);
  absl::StatusOr<v1::TruncateTopicResponse> TruncateTopic(const v1::TruncateTopicRequest& request);

 private:
  hub::Hub& hub_;
};

}  // namespace millrace::server
