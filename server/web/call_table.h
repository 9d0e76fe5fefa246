// POST /v1/call: the unary rpcs of the contract as JSON.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/contract/call_watch.h"
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

  // `hub` and `watch` outlive the table, and the table its calls. `version` is the program's.
  CallTable(hub::Hub& hub, CallWatch& watch, std::string version);

  // Calls "millrace.v1.TopicService/GetTopic", say, with its request in JSON; empty is an empty
  // request, for the caller. UNSUPPORTED: there is no such rpc here. Never blocks.
  void Call(std::string_view method, std::string json, Caller caller, Answer answer);

 private:
  // One that is asked for: what is there of it, and who is told how it ends.
  struct Asked {
    std::string json;
    Caller caller;
    ServedMethod& served;
    Answer answer;

    // Answers, and notes it.
    void End(absl::StatusOr<std::string> response) &&;
  };
  struct Method {
    ServedMethod& served;
    std::function<void(Asked asked)> start;
  };

  // A method that may block: it runs on a worker.
  template <typename Calls, typename Request, typename Response, typename... Who>
  void Add(const std::string& name, Calls& calls,
           absl::StatusOr<Response> (Calls::*method)(const Request&, const Who&...));
  // Those that complete later.
  void CommitOffset(Asked asked);
  void Send(Asked asked);
  void AddMethod(const std::string& name, std::function<void(Asked asked)> start);

  hub::Hub& hub_;
  CallWatch& watch_;
  EventHubCalls event_hub_;
  TopicCalls topics_;
  GroupCalls groups_;
  HubCalls hub_calls_;
  std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace millrace::server
