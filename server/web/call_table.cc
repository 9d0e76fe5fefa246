#include "server/web/call_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "millrace/v1/inspection.pb.h"
#include "server/contract/conversions.h"
#include "server/contract/inspection.h"
#include "server/contract/write_answers.h"
#include "server/web/json_messages.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

std::string ToJson(const google::protobuf::Message& message) {
  std::string json;
  AppendJson(message, &json);
  return json;
}

absl::Status Parse(const std::string& json, google::protobuf::Message& request) {
  return json.empty() ? absl::OkStatus() : ParseJson(json, &request);
}

template <typename Calls, typename Request, typename Response>
absl::StatusOr<std::string> Run(Calls& calls,
                                absl::StatusOr<Response> (Calls::*method)(const Request&),
                                const std::string& json) {
  Request request;
  if (absl::Status status = Parse(json, request); !status.ok()) return status;
  const absl::StatusOr<Response> response = (calls.*method)(request);
  if (!response.ok()) return response.status();
  return ToJson(*response);
}

}  // namespace

template <typename Calls, typename Request, typename Response>
void CallTable::Add(const std::string& name, Calls& calls,
                    absl::StatusOr<Response> (Calls::*method)(const Request&)) {
  methods_[absl::StrCat("millrace.v1.", name)] = [this, &calls, method](std::string json,
                                                                        Answer answer) {
    if (absl::Status status = hub_.Admit(); !status.ok()) return std::move(answer)(status);
    hub_.workers().Post(
        [&calls, method, json = std::move(json), answer = std::move(answer)]() mutable {
          std::move(answer)(Run(calls, method, json));
        });
  };
}

CallTable::CallTable(hub::Hub& hub, std::string version, TopicChangeLog topic_changes)
    : hub_(hub),
      event_hub_(hub),
      topics_(hub, std::move(topic_changes)),
      groups_(hub),
      hub_calls_(hub, std::move(version)) {
  Add("EventHubService/OpenProducer", event_hub_, &EventHubCalls::OpenProducer);
  Add("EventHubService/GetCommittedOffsets", event_hub_, &EventHubCalls::GetCommittedOffsets);
  Add("EventHubService/ListOffsets", event_hub_, &EventHubCalls::ListOffsets);
  Add("EventHubService/Seek", event_hub_, &EventHubCalls::Seek);
  Add("EventHubService/PausePartitions", event_hub_, &EventHubCalls::PausePartitions);
  Add("EventHubService/ResumePartitions", event_hub_, &EventHubCalls::ResumePartitions);
  Add("EventHubService/UpdateSubscription", event_hub_, &EventHubCalls::UpdateSubscription);
  Add("TopicService/CreateTopic", topics_, &TopicCalls::CreateTopic);
  Add("TopicService/GetTopic", topics_, &TopicCalls::GetTopic);
  Add("TopicService/ListTopics", topics_, &TopicCalls::ListTopics);
  Add("TopicService/UpdateTopic", topics_, &TopicCalls::UpdateTopic);
  Add("TopicService/DeleteTopic", topics_, &TopicCalls::DeleteTopic);
  Add("TopicService/TruncateTopic", topics_, &TopicCalls::TruncateTopic);
  Add("GroupService/ListGroups", groups_, &GroupCalls::ListGroups);
  Add("GroupService/GetGroup", groups_, &GroupCalls::GetGroup);
  Add("GroupService/ResetOffsets", groups_, &GroupCalls::ResetOffsets);
  Add("GroupService/DeleteGroup", groups_, &GroupCalls::DeleteGroup);
  Add("HubService/CreateCheckpoint", hub_calls_, &HubCalls::CreateCheckpoint);
  // As over gRPC, it answers while the hub drains.
  methods_["millrace.v1.HubService/GetHub"] = [this](const std::string& json, Answer answer) {
    std::move(answer)(Run(hub_calls_, &HubCalls::GetHub, json));
  };
  methods_["millrace.v1.EventHubService/CommitOffset"] =
      [this](const std::string& json, Answer answer) { CommitOffset(json, std::move(answer)); };
  methods_["millrace.v1.InspectionService/Send"] = [this](const std::string& json, Answer answer) {
    Send(json, std::move(answer));
  };
}

void CallTable::Call(std::string_view method, std::string json, Answer answer) {
  const auto it = methods_.find(method);
  if (it == methods_.end()) {
    return std::move(answer)(
        storage::Error(storage::Reason::kUnsupported,
                       absl::StrCat("there is no unary call \"", std::string(method), "\" here")));
  }
  it->second(std::move(json), std::move(answer));
}

void CallTable::CommitOffset(const std::string& json, Answer answer) {
  if (absl::Status status = hub_.Admit(); !status.ok()) return std::move(answer)(status);
  v1::CommitOffsetRequest request;
  if (absl::Status status = Parse(json, request); !status.ok()) return std::move(answer)(status);
  auto command = ToCommitCommand(request);
  if (!command.ok()) return std::move(answer)(command.status());
  hub_.groups().Commit(*std::move(command),
                       [answer = std::move(answer), request = std::move(request)](
                           absl::StatusOr<hub::CommitOutcome> outcome) mutable {
                         if (!outcome.ok()) return std::move(answer)(outcome.status());
                         std::move(answer)(ToJson(ToCommitResponse(request, *outcome)));
                       });
}

void CallTable::Send(const std::string& json, Answer answer) {
  if (absl::Status status = hub_.Admit(); !status.ok()) return std::move(answer)(status);
  v1::SendRequest request;
  if (absl::Status status = Parse(json, request); !status.ok()) return std::move(answer)(status);
  auto command = ToProduceCommand(request, hub_.limits());
  if (!command.ok()) return std::move(answer)(command.status());
  command->on_calling_thread = false;
  hub_.producing().Produce(*std::move(command),
                           [answer = std::move(answer), topic = request.topic()](
                               absl::StatusOr<hub::ProduceOutcome> outcome) mutable {
                             if (!outcome.ok()) return std::move(answer)(outcome.status());
                             std::move(answer)(ToJson(ToSendResponse(topic, *outcome)));
                           });
}

}  // namespace millrace::server
