#include "server/contract/needs.h"

#include <string_view>

namespace millrace::server {
namespace {

Need OnTopic(Right right, std::string_view topic) { return {right, Topic(topic)}; }
Need OnGroup(Right right, std::string_view group) { return {right, Group(group)}; }
Need OnHub(Right right) { return {right, Hub()}; }
Need OnAnything(Right right) { return {right, std::nullopt}; }

// One for each topic, though many partitions of it are named one after the other.
template <typename Partitions, typename TopicOf>
void AddTopics(Right right, const Partitions& partitions, TopicOf topic_of, Needs& needs) {
  const std::string* before = nullptr;
  for (const auto& each : partitions) {
    const std::string& topic = topic_of(each);
    if (before == nullptr || *before != topic) needs.push_back(OnTopic(right, topic));
    before = &topic;
  }
}

template <typename Partitions>
void AddTopicsOf(Right right, const Partitions& partitions, Needs& needs) {
  AddTopics(
      right, partitions, [](const auto& each) -> const std::string& { return each.topic(); },
      needs);
}

template <typename Names>
void AddNames(Right right, const Names& topics, Needs& needs) {
  AddTopics(
      right, topics, [](const std::string& topic) -> const std::string& { return topic; }, needs);
}

}  // namespace

// ---- EventHubService

Needs NeedsOf(const v1::OpenProducerRequest& /*request*/) { return {OnAnything(Right::kProduce)}; }

Needs NeedsOf(const v1::CommitOffsetRequest& request) {
  Needs needs = {OnGroup(Right::kCommit, request.group())};
  AddTopicsOf(Right::kConsume, request.offsets(), needs);
  AddTopicsOf(Right::kConsume, request.released(), needs);
  return needs;
}

Needs NeedsOf(const v1::GetCommittedOffsetsRequest& request) {
  Needs needs = {OnGroup(Right::kInspect, request.group())};
  AddTopicsOf(Right::kInspect, request.partitions(), needs);
  return needs;
}

Needs NeedsOf(const v1::ListOffsetsRequest& request) {
  return {OnTopic(Right::kInspect, request.topic())};
}

Needs NeedsOf(const v1::SeekRequest& /*request*/) { return {OnAnything(Right::kConsume)}; }
Needs NeedsOf(const v1::PausePartitionsRequest& /*request*/) {
  return {OnAnything(Right::kConsume)};
}
Needs NeedsOf(const v1::ResumePartitionsRequest& /*request*/) {
  return {OnAnything(Right::kConsume)};
}

Needs NeedsOf(const v1::UpdateSubscriptionRequest& request) {
  Needs needs = {OnAnything(Right::kConsume)};
  AddNames(Right::kConsume, request.topics(), needs);
  return needs;
}

// ---- TopicService

Needs NeedsOf(const v1::CreateTopicRequest& request) {
  return {OnTopic(Right::kAdminister, request.topic())};
}
Needs NeedsOf(const v1::GetTopicRequest& request) {
  return {OnTopic(Right::kInspect, request.topic())};
}
Needs NeedsOf(const v1::DescribeTopicsRequest& request) {
  Needs needs;
  AddNames(Right::kInspect, request.topics(), needs);
  return needs;
}
Needs NeedsOf(const v1::ListTopicsRequest& /*request*/) { return {}; }
Needs NeedsOf(const v1::UpdateTopicRequest& request) {
  return {OnTopic(Right::kAdminister, request.topic())};
}
Needs NeedsOf(const v1::DeleteTopicRequest& request) {
  return {OnTopic(Right::kAdminister, request.topic())};
}
Needs NeedsOf(const v1::TruncateTopicRequest& request) {
  return {OnTopic(Right::kAdminister, request.topic())};
}

// ---- GroupService

Needs NeedsOf(const v1::ListGroupsRequest& /*request*/) { return {}; }
Needs NeedsOf(const v1::GetGroupRequest& request) {
  return {OnGroup(Right::kInspect, request.group())};
}
Needs NeedsOf(const v1::WatchGroupRequest& request) {
  return {OnGroup(Right::kInspect, request.group())};
}
Needs NeedsOf(const v1::ResetOffsetsRequest& request) {
  Needs needs = {OnGroup(Right::kAdminister, request.group())};
  AddTopicsOf(Right::kConsume, request.partitions(), needs);
  return needs;
}
Needs NeedsOf(const v1::DeleteGroupRequest& request) {
  return {OnGroup(Right::kAdminister, request.group())};
}

// ---- HubService

Needs NeedsOf(const v1::GetHubRequest& /*request*/) { return {}; }
Needs NeedsOf(const v1::CreateCheckpointRequest& /*request*/) {
  return {OnHub(Right::kAdminister)};
}
Needs NeedsOf(const v1::CheckAccessRequest& /*request*/) { return {OnHub(Right::kInspect)}; }

// ---- InspectionService

Needs NeedsOf(const v1::TailRequest& request) {
  return {OnTopic(Right::kConsume, request.topic())};
}
Needs NeedsOf(const v1::SendRequest& request) {
  return {OnTopic(Right::kProduce, request.topic())};
}

// ---- Commands

Needs NeedsOf(const hub::ProduceCommand& command) {
  return {OnTopic(Right::kProduce, command.topic)};
}

Needs NeedsOf(const hub::TransactCommand& command) {
  Needs needs;
  for (const hub::ProduceCommand& append : command.appends) {
    needs.push_back(OnTopic(Right::kProduce, append.topic));
  }
  if (command.commit) {
    needs.push_back(OnGroup(Right::kCommit, command.commit->group));
    AddTopics(
        Right::kConsume, command.commit->entries,
        [](const auto& entry) -> const std::string& { return entry.topic; }, needs);
  }
  return needs;
}

Needs NeedsOf(const hub::SubscribeCommand& command) {
  Needs needs;
  if (!command.group.empty()) needs.push_back(OnGroup(Right::kConsume, command.group));
  AddNames(Right::kConsume, command.topics, needs);
  AddTopics(
      Right::kConsume, command.positions,
      [](const auto& position) -> const std::string& { return position.topic; }, needs);
  return needs;
}

Needs NeedsOf(ProduceStreamBegin /*begin*/) { return {OnAnything(Right::kProduce)}; }
Needs NeedsOf(ConnectionBegin /*begin*/) { return {}; }
Needs NeedsOf(MetricsRequest /*request*/) { return {OnHub(Right::kInspect)}; }

}  // namespace millrace::server
