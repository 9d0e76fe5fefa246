#include "server/contract/group_calls.h"

#include <algorithm>
#include <map>
#include <string>

#include "server/contract/conversions.h"
#include "server/contract/request_error.h"

namespace millrace::server {
namespace {

constexpr absl::Duration kUsualInterval = absl::Seconds(1);
constexpr absl::Duration kShortestInterval = absl::Milliseconds(100);
constexpr absl::Duration kLongestInterval = absl::Hours(1);

v1::GroupPartition ToGroupPartition(const hub::GroupPartition& partition) {
  v1::GroupPartition proto;
  proto.set_topic(partition.topic);
  proto.set_partition(partition.partition);
  proto.set_member_id(partition.member_id);
  if (partition.committed) {
    proto.set_committed_next_offset(partition.committed->next_offset.value());
    proto.set_metadata(partition.committed->metadata);
  }
  if (partition.delivered) proto.set_delivered_next_offset(partition.delivered->value());
  proto.set_earliest_offset(partition.earliest.value());
  proto.set_latest_offset(partition.latest.value());
  proto.set_lag_records(partition.lag_records);
  if (partition.lag_time) *proto.mutable_lag_time() = ToDuration(*partition.lag_time);
  return proto;
}

// The group without the topics that the caller may not know of.
hub::GroupDescription ShownTo(const Caller& caller, hub::GroupDescription group) {
  if (caller.access == nullptr) return group;
  const auto hidden = [&](const std::string& topic) { return !caller.Sees(Topic(topic)); };
  std::erase_if(group.topics, hidden);
  std::erase_if(group.partitions,
                [&](const hub::GroupPartition& each) { return hidden(each.topic); });
  group.lag_records = 0;
  for (const hub::GroupPartition& each : group.partitions) group.lag_records += each.lag_records;
  return group;
}

v1::GroupSummary ToGroupSummary(const hub::GroupDescription& description) {
  v1::GroupSummary summary;
  summary.set_group(description.name);
  summary.set_member_count(static_cast<int32_t>(std::count_if(
      description.members.begin(), description.members.end(),
      [](const hub::MemberView& member) { return member.connect_time.has_value(); })));
  for (const std::string& topic : description.topics) summary.add_topics(topic);
  summary.set_lag_records(description.lag_records);
  return summary;
}

v1::Group ToGroup(const hub::GroupDescription& description) {
  v1::Group group;
  *group.mutable_summary() = ToGroupSummary(description);
  std::map<std::string, v1::GroupMember*> members;
  for (const hub::MemberView& view : description.members) {
    v1::GroupMember* member = group.add_members();
    member->set_member_id(view.member_id);
    member->set_instance_id(view.instance_id);
    member->set_peer(view.peer);
    if (view.connect_time) *member->mutable_connect_time() = ToTimestamp(*view.connect_time);
    members[view.member_id] = member;
  }
  for (const hub::GroupPartition& partition : description.partitions) {
    *group.add_partitions() = ToGroupPartition(partition);
    const auto it = members.find(partition.member_id);
    if (it == members.end()) continue;
    v1::TopicPartition* owned = it->second->add_partitions();
    owned->set_topic(partition.topic);
    owned->set_partition(partition.partition);
  }
  return group;
}

absl::StatusOr<hub::ResetCommand> ToResetCommand(const v1::ResetOffsetsRequest& request) {
  hub::ResetCommand command{.group = request.group(),
                            .partitions = FromTopicPartitions(request.partitions())};
  switch (request.target_case()) {
    case v1::ResetOffsetsRequest::kStart: {
      auto start = FromStartPosition(request.start());
      if (!start.ok()) return start.status();
      command.target = *start;
      return command;
    }
    case v1::ResetOffsetsRequest::kOffset:
      command.target = storage::Offset(request.offset());
      return command;
    case v1::ResetOffsetsRequest::kShift:
      command.target = hub::ResetCommand::Shift{request.shift()};
      return command;
    case v1::ResetOffsetsRequest::TARGET_NOT_SET:
      break;
  }
  return InvalidField("target", "say where to: a start, an offset or a shift");
}

}  // namespace

absl::StatusOr<v1::ListGroupsResponse> GroupCalls::ListGroups(const v1::ListGroupsRequest& request,
                                                              const Caller& caller) {
  const auto page = hub_.group_inspection().List(
      request.page_size(), request.page_token(),
      [&](std::string_view group) { return caller.Sees(Group(group)); });
  if (!page.ok()) return page.status();
  v1::ListGroupsResponse response;
  for (const hub::GroupDescription& group : page->groups) {
    *response.add_groups() = ToGroupSummary(ShownTo(caller, group));
  }
  response.set_next_page_token(page->next_page_token);
  return response;
}

absl::StatusOr<v1::GetGroupResponse> GroupCalls::GetGroup(const v1::GetGroupRequest& request,
                                                          const Caller& caller) {
  const auto description = hub_.group_inspection().Describe(request.group());
  if (!description.ok()) return description.status();
  v1::GetGroupResponse response;
  *response.mutable_group() = ToGroup(ShownTo(caller, *description));
  return response;
}

absl::StatusOr<v1::ResetOffsetsResponse> GroupCalls::ResetOffsets(
    const v1::ResetOffsetsRequest& request) {
  const auto command = ToResetCommand(request);
  if (!command.ok()) return command.status();
  const auto outcomes = hub_.group_inspection().Reset(*command);
  if (!outcomes.ok()) return outcomes.status();
  v1::ResetOffsetsResponse response;
  for (const hub::ResetOutcome& outcome : *outcomes) {
    v1::ResetResult* result = response.add_results();
    result->set_topic(outcome.partition.first);
    result->set_partition(outcome.partition.second);
    if (outcome.committed.ok()) {
      result->set_committed_next_offset(outcome.committed->value());
    } else {
      *result->mutable_error() = ToRequestError(outcome.committed.status());
    }
  }
  return response;
}

absl::StatusOr<v1::DeleteGroupResponse> GroupCalls::DeleteGroup(
    const v1::DeleteGroupRequest& request) {
  if (absl::Status status = hub_.groups().Delete(request.group()); !status.ok()) return status;
  return v1::DeleteGroupResponse();
}

absl::StatusOr<absl::Duration> WatchInterval(const v1::WatchGroupRequest& request) {
  if (!request.has_interval()) return kUsualInterval;
  const auto interval = FromDuration(request.interval(), "interval");
  if (!interval.ok()) return interval.status();
  if (*interval < kShortestInterval || *interval > kLongestInterval) {
    return InvalidField("interval", "interval must be between 100 ms and 1 h");
  }
  return *interval;
}

}  // namespace millrace::server
