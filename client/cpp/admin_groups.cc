// Consumer groups, see millrace/admin.h.
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "client/cpp/admin_stubs.h"
#include "client/cpp/convert.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

using GroupStub = v1::GroupService::Stub;

GroupSummary FromProto(const v1::GroupSummary& summary) {
  return {.group = summary.group(),
          .member_count = summary.member_count(),
          .topics = {summary.topics().begin(), summary.topics().end()},
          .lag_records = summary.lag_records()};
}

GroupMember FromProto(const v1::GroupMember& member) {
  GroupMember out{.member_id = member.member_id(),
                  .instance_id = member.instance_id(),
                  .peer = member.peer(),
                  .connect_time = std::nullopt,
                  .partitions = {}};
  if (member.has_connect_time()) out.connect_time = client::FromProto(member.connect_time());
  for (const auto& partition : member.partitions()) {
    out.partitions.push_back(client::FromProto(partition));
  }
  return out;
}

GroupPartition FromProto(const v1::GroupPartition& partition) {
  GroupPartition out{.partition = {partition.topic(), partition.partition()},
                     .member_id = partition.member_id(),
                     .committed_next_offset = std::nullopt,
                     .delivered_next_offset = std::nullopt,
                     .earliest_offset = partition.earliest_offset(),
                     .latest_offset = partition.latest_offset(),
                     .lag_records = partition.lag_records(),
                     .lag_time = std::nullopt,
                     .metadata = partition.metadata()};
  if (partition.has_committed_next_offset()) {
    out.committed_next_offset = partition.committed_next_offset();
  }
  if (partition.has_delivered_next_offset()) {
    out.delivered_next_offset = partition.delivered_next_offset();
  }
  if (partition.has_lag_time()) out.lag_time = client::FromProto(partition.lag_time());
  return out;
}

GroupDescription FromProto(const v1::Group& group) {
  GroupDescription out{.summary = FromProto(group.summary()), .members = {}, .partitions = {}};
  for (const auto& member : group.members()) out.members.push_back(FromProto(member));
  for (const auto& partition : group.partitions()) out.partitions.push_back(FromProto(partition));
  return out;
}

void SetTarget(const ResetTarget& target, v1::ResetOffsetsRequest& request) {
  if (std::holds_alternative<ToEarliest>(target)) {
    request.mutable_start()->set_earliest(true);
  } else if (std::holds_alternative<ToLatest>(target)) {
    request.mutable_start()->set_latest(true);
  } else if (const auto* time = std::get_if<absl::Time>(&target)) {
    ToProto(*time, *request.mutable_start()->mutable_time());
  } else if (const auto* offset = std::get_if<ToOffset>(&target)) {
    request.set_offset(offset->offset);
  } else {
    request.set_shift(std::get<ByShift>(target).records);
  }
}

// The newest description, from the thread that reads to the one that looks.
struct Watched {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<GroupDescription> group;
  bool ended = false;
};

constexpr std::chrono::milliseconds kLook{200};

// One stream's life: the hub's status where the hub ended it, and nothing where `see` had enough.
// `last` is the description that came last, which is not given to `see` again.
std::optional<absl::Status> WatchOnce(GroupStub& stub, const v1::WatchGroupRequest& request,
                                      std::string& last,
                                      absl::FunctionRef<bool(const GroupDescription*)> see) {
  grpc::ClientContext context;
  const auto reader = stub.WatchGroup(&context, request);
  Watched latest;
  std::thread thread([&] {
    v1::WatchGroupResponse response;
    while (reader->Read(&response)) {
      std::string text = response.SerializeAsString();
      if (text == last) continue;
      last = std::move(text);
      GroupDescription description = FromProto(response.group());
      std::lock_guard lock(latest.mutex);
      latest.group = std::move(description);
      latest.changed.notify_one();
    }
    std::lock_guard lock(latest.mutex);
    latest.ended = true;
    latest.changed.notify_one();
  });
  bool stopped = false;
  std::unique_lock lock(latest.mutex);
  while (!stopped && (!latest.ended || latest.group)) {
    latest.changed.wait_for(lock, kLook, [&] { return latest.group || latest.ended; });
    const std::optional<GroupDescription> seen = std::exchange(latest.group, std::nullopt);
    lock.unlock();
    stopped = !see(seen ? &*seen : nullptr);
    lock.lock();
  }
  lock.unlock();
  if (stopped) context.TryCancel();  // What the hub ended keeps the hub's status.
  thread.join();
  const absl::Status status = FromGrpc(reader->Finish());
  if (stopped) return std::nullopt;
  return status;
}

}  // namespace

absl::StatusOr<std::vector<GroupSummary>> Admin::ListGroups() {
  std::vector<GroupSummary> groups;
  v1::ListGroupsRequest request;
  do {
    v1::ListGroupsResponse response;
    const absl::Status status =
        stubs_->Call(&GroupStub::ListGroups, stubs_->groups, request, response);
    if (!status.ok()) return status;
    for (const auto& group : response.groups()) groups.push_back(FromProto(group));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return groups;
}

absl::StatusOr<GroupDescription> Admin::GetGroup(std::string_view group) {
  v1::GetGroupRequest request;
  request.set_group(group.data(), group.size());
  v1::GetGroupResponse response;
  const absl::Status status = stubs_->Call(&GroupStub::GetGroup, stubs_->groups, request, response);
  if (!status.ok()) return status;
  return FromProto(response.group());
}

absl::Status Admin::WatchGroup(std::string_view group, absl::Duration interval,
                               absl::FunctionRef<bool(const GroupDescription*)> see) {
  v1::WatchGroupRequest request;
  request.set_group(group.data(), group.size());
  ToProto(interval, *request.mutable_interval());
  std::string last;
  for (;;) {
    const auto ended = WatchOnce(stubs_->groups, request, last, see);
    if (!ended) return absl::OkStatus();
    // At once: the stream has become as old as the hub lets it.
    if (RetryAfterOf(*ended) != absl::ZeroDuration()) return *ended;
  }
}

absl::StatusOr<std::vector<ResetResult>> Admin::ResetOffsets(
    std::string_view group, const ResetTarget& target,
    const std::vector<TopicPartition>& partitions) {
  v1::ResetOffsetsRequest request;
  request.set_group(group.data(), group.size());
  for (const TopicPartition& partition : partitions) {
    ToProto(partition, *request.add_partitions());
  }
  SetTarget(target, request);
  v1::ResetOffsetsResponse response;
  const absl::Status status =
      stubs_->Call(&GroupStub::ResetOffsets, stubs_->groups, request, response);
  if (!status.ok()) return status;
  std::vector<ResetResult> results;
  for (const auto& result : response.results()) {
    ResetResult& out =
        results.emplace_back(ResetResult{.partition = {result.topic(), result.partition()},
                                         .committed_next_offset = result.committed_next_offset(),
                                         .status = {}});
    if (result.has_error()) out.status = FromRequestError(result.error());
  }
  return results;
}

absl::Status Admin::DeleteGroup(std::string_view group) {
  v1::DeleteGroupRequest request;
  request.set_group(group.data(), group.size());
  v1::DeleteGroupResponse response;
  return stubs_->Call(&GroupStub::DeleteGroup, stubs_->groups, request, response);
}

}  // namespace millrace::client
