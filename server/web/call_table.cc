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

template <typename Calls, typename Request, typename Response, typename... Who>
absl::StatusOr<std::string> Run(const ServedMethod& served, const Caller& caller, Calls& calls,
                                absl::StatusOr<Response> (Calls::*method)(const Request&,
                                                                          const Who&...),
                                const std::string& json) {
  Request request;
  if (absl::Status status = Parse(json, request); !status.ok()) return status;
  const absl::StatusOr<Response> response = served.Run(caller, calls, method, request);
  if (!response.ok()) return response.status();
  return ToJson(*response);
}

}  // namespace

void CallTable::Asked::End(absl::StatusOr<std::string> response) && {
  served.NoteEnd(response.status());
  std::move(answer)(std::move(response));
}

void CallTable::AddMethod(const std::string& name, std::function<void(Asked asked)> start) {
  methods_.emplace(absl::StrCat("millrace.v1.", name),
                   Method{watch_.Method(Transport::kHttp, name), std::move(start)});
}

template <typename Calls, typename Request, typename Response, typename... Who>
void CallTable::Add(const std::string& name, Calls& calls,
                    absl::StatusOr<Response> (Calls::*method)(const Request&, const Who&...)) {
  AddMethod(name, [this, &calls, method](Asked asked) {
    if (absl::Status status = hub_.Admit(); !status.ok()) return std::move(asked).End(status);
    hub_.workers().Post([&calls, method, asked = std::move(asked)]() mutable {
      auto response = Run(asked.served, asked.caller, calls, method, asked.json);
      std::move(asked).End(std::move(response));
    });
  });
}

CallTable::CallTable(hub::Hub& hub, CallWatch& watch, std::string version)
    : hub_(hub),
      watch_(watch),
      event_hub_(hub),
      topics_(hub),
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
  Add("TopicService/DescribeTopics", topics_, &TopicCalls::DescribeTopics);
  Add("TopicService/ListTopics", topics_, &TopicCalls::ListTopics);
  Add("TopicService/UpdateTopic", topics_, &TopicCalls::UpdateTopic);
  Add("TopicService/DeleteTopic", topics_, &TopicCalls::DeleteTopic);
  Add("TopicService/TruncateTopic", topics_, &TopicCalls::TruncateTopic);
  Add("GroupService/ListGroups", groups_, &GroupCalls::ListGroups);
  Add("GroupService/GetGroup", groups_, &GroupCalls::GetGroup);
  Add("GroupService/ResetOffsets", groups_, &GroupCalls::ResetOffsets);
  Add("GroupService/DeleteGroup", groups_, &GroupCalls::DeleteGroup);
  Add("HubService/CreateCheckpoint", hub_calls_, &HubCalls::CreateCheckpoint);
  Add("HubService/CheckAccess", hub_calls_, &HubCalls::CheckAccess);
  // As over gRPC, it answers while the hub drains.
  AddMethod("HubService/GetHub", [this](Asked asked) {
    auto response = Run(asked.served, asked.caller, hub_calls_, &HubCalls::GetHub, asked.json);
    std::move(asked).End(std::move(response));
  });
  AddMethod("EventHubService/CommitOffset",
            [this](Asked asked) { CommitOffset(std::move(asked)); });
  AddMethod("InspectionService/Send", [this](Asked asked) { Send(std::move(asked)); });
}

void CallTable::Call(std::string_view method, std::string json, Caller caller, Answer answer) {
  const auto it = methods_.find(method);
  if (it == methods_.end()) {
    return std::move(answer)(
        storage::Error(storage::Reason::kUnsupported,
                       absl::StrCat("there is no unary call \"", std::string(method), "\" here")));
  }
  it->second.start({std::move(json), std::move(caller), it->second.served, std::move(answer)});
}

void CallTable::CommitOffset(Asked asked) {
  if (absl::Status status = hub_.Admit(); !status.ok()) return std::move(asked).End(status);
  v1::CommitOffsetRequest request;
  if (absl::Status status = Parse(asked.json, request); !status.ok()) {
    return std::move(asked).End(status);
  }
  absl::Status admitted = asked.served.Admit(asked.caller, request);
  if (!admitted.ok()) return std::move(asked).End(admitted);
  auto command = ToCommitCommand(request);
  if (!command.ok()) return std::move(asked).End(command.status());
  hub_.groups().Commit(*std::move(command),
                       [asked = std::move(asked), request = std::move(request)](
                           absl::StatusOr<hub::CommitOutcome> outcome) mutable {
                         if (!outcome.ok()) return std::move(asked).End(outcome.status());
                         std::move(asked).End(ToJson(ToCommitResponse(request, *outcome)));
                       });
}

void CallTable::Send(Asked asked) {
  if (absl::Status status = hub_.Admit(); !status.ok()) return std::move(asked).End(status);
  v1::SendRequest request;
  if (absl::Status status = Parse(asked.json, request); !status.ok()) {
    return std::move(asked).End(status);
  }
  absl::Status admitted =
      asked.served.Admit(asked.caller, request, static_cast<int64_t>(asked.json.size()));
  if (!admitted.ok()) return std::move(asked).End(admitted);
  auto command = ToProduceCommand(request, hub_.limits());
  if (!command.ok()) return std::move(asked).End(command.status());
  command->on_calling_thread = false;
  hub_.producing().Produce(*std::move(command),
                           [asked = std::move(asked), topic = request.topic()](
                               absl::StatusOr<hub::ProduceOutcome> outcome) mutable {
                             if (!outcome.ok()) return std::move(asked).End(outcome.status());
                             std::move(asked).End(ToJson(ToSendResponse(topic, *outcome)));
                           });
}

}  // namespace millrace::server
