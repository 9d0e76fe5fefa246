// The calls that change what a hub holds beyond its records: who did what, and what came of it, for
// the access log.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "millrace/v1/group.pb.h"
#include "millrace/v1/hub.pb.h"
#include "millrace/v1/topic.pb.h"

namespace millrace::server {

// What a request asks for, as names and values: {"topic", "orders"}, {"partition_count", "3"}.
using AdminFacts = std::vector<std::pair<std::string_view, std::string>>;

struct AdminAction {
  std::string_view method;     // "TopicService/CreateTopic".
  std::string_view transport;  // "grpc", "http".
  std::string_view peer;       // The client's address.
  std::string_view principal;  // Empty: nobody is asked who they are.
  AdminFacts facts;
  absl::Status outcome;
  absl::Duration took;
};

// Told of every action once it is over. Called inside of the calls, from any thread.
using AdminLog = std::function<void(const AdminAction&)>;

// Absent: the request is no administrator's.
template <typename Request>
std::optional<AdminFacts> AdminFactsOf(const Request& /*request*/) {
  return std::nullopt;
}
std::optional<AdminFacts> AdminFactsOf(const v1::CreateTopicRequest& request);
std::optional<AdminFacts> AdminFactsOf(const v1::UpdateTopicRequest& request);
std::optional<AdminFacts> AdminFactsOf(const v1::DeleteTopicRequest& request);
std::optional<AdminFacts> AdminFactsOf(const v1::TruncateTopicRequest& request);
std::optional<AdminFacts> AdminFactsOf(const v1::ResetOffsetsRequest& request);
std::optional<AdminFacts> AdminFactsOf(const v1::DeleteGroupRequest& request);
std::optional<AdminFacts> AdminFactsOf(const v1::CreateCheckpointRequest& request);

}  // namespace millrace::server
