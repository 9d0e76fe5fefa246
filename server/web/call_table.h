// POST /v1/call: the unary rpcs of the contract as JSON.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/contract/event_hub_calls.h"
#include "server/contract/group_calls.h"
#include "server/contract/hub_calls.h"
#include "server/contract/topic_calls.h"
#include "server/hub/hub.h"

namespace millrace::server {

// Threads: any.
class CallTable {
 public:
  // The response as JSON, or why there is none. Called once, from any thread.
  using Answer = absl::AnyInvocable<void(absl::StatusOr<std::string>) &&>;

  // `hub` outlives the table and its calls; so does the table. `version` is the program's.
  CallTable(hub::Hub& hub, std::string version, TopicChangeLog topic_changes);

  // Calls "millrace.v1.TopicService/GetTopic", say, with its request in JSON; empty is an empty
  // request. UNSUPPORTED: there is no such rpc here. Never blocks.
  void Call(std::string_view method, std::string json, Answer answer);

 private:
  using Method = std::function<void(std::string json, Answer answer)>;

  // A method that may block: it runs on a worker.
  template <typename Calls, typename Request, typename Response>
  void Add(const std::string& name, Calls& calls,
           absl::StatusOr<Response> (Calls::*method)(const Request&));
  // Those that complete later.
  void CommitOffset(const std::string& json, Answer answer);
  void Send(const std::string& json, Answer answer);

  hub::Hub& hub_;
  EventHubCalls event_hub_;
  TopicCalls topics_;
  GroupCalls groups_;
  HubCalls hub_calls_;
  std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace millrace::server
