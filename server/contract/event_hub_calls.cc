#include "server/contract/event_hub_calls.h"

#include <optional>
#include <string>
#include <vector>

#include "server/contract/conversions.h"
#include "server/contract/request_error.h"
#include "server/hub/offsets.h"

namespace millrace::server {
namespace {

void Fill(const std::vector<hub::PartitionName>& names,
          google::protobuf::RepeatedPtrField<v1::TopicPartition>* partitions) {
  for (const hub::PartitionName& name : names) {
    v1::TopicPartition* partition = partitions->Add();
    partition->set_topic(*name.topic);
    partition->set_partition(name.partition);
  }
}

}  // namespace

absl::StatusOr<v1::OpenProducerResponse> EventHubCalls::OpenProducer(
    const v1::OpenProducerRequest& request) {
  const auto opened = hub_.producing().OpenProducer(request.producer_id());
  if (!opened.ok()) return opened.status();
  v1::OpenProducerResponse response;
  response.set_producer_id(opened->producer_id);
  response.set_epoch(opened->state.epoch.value());
  response.set_last_sequence(opened->state.last_sequence);
  response.set_window(opened->window);
  return response;
}

absl::StatusOr<v1::GetCommittedOffsetsResponse> EventHubCalls::GetCommittedOffsets(
    const v1::GetCommittedOffsetsRequest& request, const Caller& caller) {
  const auto entries =
      hub_.groups().Committed(request.group(), FromTopicPartitions(request.partitions()));
  if (!entries.ok()) return entries.status();
  v1::GetCommittedOffsetsResponse response;
  for (const hub::CommittedEntry& entry : *entries) {
    if (!caller.Sees(Topic(entry.topic))) continue;  // Those named have been asked for.
    v1::CommittedOffset* offset = response.add_offsets();
    offset->set_topic(entry.topic);
    offset->set_partition(entry.partition);
    if (!entry.committed) continue;
    offset->set_next_offset(entry.committed->next_offset.value());
    offset->set_metadata(entry.committed->metadata);
    *offset->mutable_commit_time() = ToTimestamp(entry.committed->commit_time);
  }
  return response;
}

absl::StatusOr<v1::ListOffsetsResponse> EventHubCalls::ListOffsets(
    const v1::ListOffsetsRequest& request) {
  std::optional<absl::Time> time;
  if (request.has_time()) {
    const auto given = FromTimestamp(request.time(), "time");
    if (!given.ok()) return given.status();
    time = *given;
  }
  const auto offsets =
      hub::ListOffsets(hub_.engine(), hub_.topics(), request.topic(),
                       {request.partitions().begin(), request.partitions().end()}, time);
  if (!offsets.ok()) return offsets.status();
  v1::ListOffsetsResponse response;
  response.set_log_epoch(hub_.engine().log_epoch().value());
  for (const hub::PartitionOffsets& each : *offsets) {
    v1::PartitionOffsets* partition = response.add_partitions();
    partition->set_partition(each.partition);
    partition->set_earliest_offset(each.earliest.value());
    partition->set_latest_offset(each.latest.value());
    if (each.at_time) partition->set_offset_at_time(each.at_time->value());
  }
  return response;
}

absl::StatusOr<v1::SeekResponse> EventHubCalls::Seek(const v1::SeekRequest& request,
                                                     const Caller& caller) {
  const auto subscription = hub_.subscriptions().Find(request.session_id(), caller.owner());
  if (!subscription.ok()) return subscription.status();
  const auto targets = ToSeekTargets(request);
  if (!targets.ok()) return targets.status();
  const auto outcomes = hub_.subscriptions().Seek(**subscription, *targets);
  v1::SeekResponse response;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    v1::SeekResult* result = response.add_results();
    result->set_topic((*targets)[i].partition.first);
    result->set_partition((*targets)[i].partition.second);
    if (!outcomes[i].ok()) {
      *result->mutable_error() = ToRequestError(outcomes[i].status());
      continue;
    }
    result->set_offset(outcomes[i]->offset.value());
    result->set_position_epoch(outcomes[i]->position_epoch.value());
  }
  return response;
}

absl::StatusOr<v1::UpdateSubscriptionResponse> EventHubCalls::UpdateSubscription(
    const v1::UpdateSubscriptionRequest& request, const Caller& caller) {
  const auto missing = hub_.subscriptions().UpdateTopics(
      request.session_id(), caller.owner(), {request.topics().begin(), request.topics().end()});
  if (!missing.ok()) return missing.status();
  v1::UpdateSubscriptionResponse response;
  for (const std::string& topic : *missing) response.add_missing_topics(topic);
  return response;
}

template <typename Response, typename Request>
absl::StatusOr<Response> EventHubCalls::SetPaused(const Request& request, const Caller& caller,
                                                  bool paused) {
  const auto subscription = hub_.subscriptions().Find(request.session_id(), caller.owner());
  if (!subscription.ok()) return subscription.status();
  const auto held = (*subscription)->SetPaused(FromTopicPartitions(request.partitions()), paused);
  if (!held.ok()) return held.status();
  Response response;
  Fill(*held, response.mutable_paused());
  return response;
}

absl::StatusOr<v1::PausePartitionsResponse> EventHubCalls::PausePartitions(
    const v1::PausePartitionsRequest& request, const Caller& caller) {
  return SetPaused<v1::PausePartitionsResponse>(request, caller, true);
}

absl::StatusOr<v1::ResumePartitionsResponse> EventHubCalls::ResumePartitions(
    const v1::ResumePartitionsRequest& request, const Caller& caller) {
  return SetPaused<v1::ResumePartitionsResponse>(request, caller, false);
}

}  // namespace millrace::server
