#include "server/hub/group_inspection.h"

#include <algorithm>
#include <future>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/names.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::CommittedOffset;
using storage::Error;
using storage::Offset;
using storage::PartitionId;
using storage::Reason;

namespace {

constexpr int32_t kLargestPage = 1'000;

}  // namespace

// ---- Describing

std::optional<absl::Duration> GroupInspection::AgeOf(PartitionId id, Offset offset) const {
  std::promise<absl::StatusOr<storage::ReadResult>> answer;
  engine_.Read(
      id, offset, {.max_bytes = 1, .max_records = 1},
      [&](absl::StatusOr<storage::ReadResult> result) { answer.set_value(std::move(result)); });
  const auto read = answer.get_future().get();
  if (!read.ok() || read->batches.empty()) return std::nullopt;
  const storage::UnixMillis stored = read->batches.front().append_time;
  if (stored == storage::kNoTime) return std::nullopt;
  return std::max(absl::ZeroDuration(), clock_.Now() - absl::FromUnixMillis(stored));
}

GroupPartition GroupInspection::DescribePartition(const TopicPartition& name, PartitionId id,
                                                  const GroupView& view,
                                                  const std::optional<CommittedOffset>& committed,
                                                  LagTime lag_time) const {
  GroupPartition described{.topic = name.first, .partition = name.second, .committed = committed};
  if (const auto it = view.partitions.find(id); it != view.partitions.end()) {
    described.member_id = it->second.member_id;
    described.delivered = it->second.delivered;
  }
  const auto status = engine_.Status(id);
  if (!status.ok()) return described;  // Deleted meanwhile.
  described.earliest = status->earliest;
  described.latest = status->high_watermark;
  const Offset next =
      std::max(status->earliest, committed ? committed->next_offset : status->earliest);
  described.lag_records = std::max<int64_t>(0, status->high_watermark - next);
  if (described.lag_records > 0 && lag_time == LagTime::kTell) {
    described.lag_time = AgeOf(id, next);
  }
  return described;
}

absl::StatusOr<GroupDescription> GroupInspection::DescribeKnown(const std::string& group,
                                                                LagTime lag_time) const {
  const GroupView view = groups_.View(group);
  const auto committed = engine_.CommittedOffsets(group);
  if (!committed.ok()) return committed.status();
  std::map<PartitionId, CommittedOffset> committed_in;
  for (const CommittedOffset& each : *committed) committed_in.emplace(each.partition, each);

  std::set<std::string> topics;
  for (const MemberView& member : view.members) {
    topics.insert(member.topics.begin(), member.topics.end());
  }
  GroupDescription description{.name = group, .members = view.members};
  for (const storage::TopicPtr& topic : engine_.Topics()) {
    const bool subscribed = topics.contains(topic->name);
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      const PartitionId id = topic->partitions[i];
      const auto found = committed_in.find(id);
      if (!subscribed && found == committed_in.end()) continue;
      description.partitions.push_back(DescribePartition(
          {topic->name, static_cast<int32_t>(i)}, id, view,
          found == committed_in.end() ? std::nullopt : std::optional(found->second), lag_time));
      description.lag_records += description.partitions.back().lag_records;
      topics.insert(topic->name);
    }
  }
  description.topics.assign(topics.begin(), topics.end());
  return description;
}

absl::StatusOr<GroupDescription> GroupInspection::Describe(const std::string& group) const {
  if (absl::Status status = groups_.CheckExists(group); !status.ok()) return status;
  return DescribeKnown(group, LagTime::kTell);
}

absl::StatusOr<GroupLag> GroupInspection::LagOf(const std::string& group, size_t most_timed) const {
  const GroupView view = groups_.View(group);
  const auto committed = engine_.CommittedOffsets(group);
  if (!committed.ok()) return committed.status();
  std::map<PartitionId, Offset> next_in;
  for (const auto& [id, owner] : view.partitions) next_in.emplace(id, Offset());
  for (const CommittedOffset& each : *committed) next_in[each.partition] = each.next_offset;

  GroupLag lag;
  for (const MemberView& member : view.members) lag.members += member.connect_time ? 1 : 0;
  struct Behind {
    int64_t records;
    PartitionId id;
    Offset next;
  };
  std::vector<Behind> behind;
  for (const auto& [id, next] : next_in) {
    const auto status = engine_.Status(id);
    if (!status.ok()) continue;  // Deleted meanwhile.
    const Offset from = std::max(status->earliest, next);
    const int64_t records = status->high_watermark - from;
    if (records <= 0) continue;
    lag.records += records;
    behind.push_back({records, id, from});
  }
  const size_t timed = std::min(most_timed, behind.size());
  std::partial_sort(behind.begin(), behind.begin() + static_cast<ptrdiff_t>(timed), behind.end(),
                    [](const Behind& a, const Behind& b) { return a.records > b.records; });
  for (size_t i = 0; i < timed; ++i) {
    const auto age = AgeOf(behind[i].id, behind[i].next);
    if (age) lag.lag_time = std::max(lag.lag_time.value_or(*age), *age);
  }
  return lag;
}

absl::StatusOr<GroupPage> GroupInspection::List(int32_t page_size, std::string_view page_token,
                                                NameFilter shown) const {
  if (page_size < 0) {
    return Error(Reason::kInvalidPage, "page_size must not be negative", {{"field", "page_size"}});
  }
  if (!page_token.empty() && !ValidateName("group", page_token).ok()) {
    return Error(Reason::kInvalidPage, "this page_token is none that was given out",
                 {{"field", "page_token"}});
  }
  const auto limit =
      static_cast<size_t>(page_size == 0 ? kLargestPage : std::min(page_size, kLargestPage));
  const std::vector<std::string> names = groups_.Names();
  GroupPage page;
  auto name = std::upper_bound(names.begin(), names.end(), page_token);
  for (; name != names.end(); ++name) {
    if (!shown(*name)) continue;
    if (page.groups.size() == limit) {
      page.next_page_token = page.groups.back().name;
      break;
    }
    auto described = DescribeKnown(*name, LagTime::kLeaveOut);
    if (!described.ok()) return described.status();
    page.groups.push_back(*std::move(described));
  }
  return page;
}

// ---- Resetting

absl::StatusOr<std::vector<TopicPartition>> GroupInspection::Expand(
    const ResetCommand& command) const {
  std::vector<TopicPartition> expanded;
  if (command.partitions.empty()) {
    const auto committed = groups_.Committed(command.group, {});
    if (!committed.ok()) return committed.status();
    for (const CommittedEntry& entry : *committed) {
      expanded.emplace_back(entry.topic, entry.partition);
    }
    return expanded;
  }
  for (const auto& [name, number] : command.partitions) {
    const auto topic = topics_.Find(name);
    if (!topic.ok()) return topic.status();
    if (number == -1) {
      for (size_t i = 0; i < (*topic)->partitions.size(); ++i) {
        expanded.emplace_back(name, static_cast<int32_t>(i));
      }
      continue;
    }
    if (const auto id = Topics::PartitionOf(**topic, number); !id.ok()) return id.status();
    expanded.emplace_back(name, number);
  }
  std::sort(expanded.begin(), expanded.end());
  expanded.erase(std::unique(expanded.begin(), expanded.end()), expanded.end());
  return expanded;
}

absl::StatusOr<Offset> GroupInspection::TargetIn(PartitionId id,
                                                 const std::optional<CommittedOffset>& committed,
                                                 const ResetCommand& command) const {
  if (const auto* start = std::get_if<StartPosition>(&command.target)) {
    return subscriptions_.Resolve(id, *start);
  }
  const auto status = engine_.Status(id);
  if (!status.ok()) return status.status();
  if (const auto* shift = std::get_if<ResetCommand::Shift>(&command.target)) {
    const Offset from = std::clamp(committed ? committed->next_offset : status->earliest,
                                   status->earliest, status->high_watermark);
    // Bounded before it is added, so that no shift overflows.
    return from +
           std::clamp(shift->records, status->earliest - from, status->high_watermark - from);
  }
  const Offset offset = std::get<Offset>(command.target);
  if (offset >= status->earliest && offset <= status->high_watermark) return offset;
  return Error(Reason::kOffsetOutOfRange,
               absl::StrCat("the partition has offsets ", status->earliest.value(), " to ",
                            status->high_watermark.value(), ", not ", offset.value()),
               {{"earliest", absl::StrCat(status->earliest.value())},
                {"latest", absl::StrCat(status->high_watermark.value())}});
}

absl::StatusOr<std::vector<ResetOutcome>> GroupInspection::Reset(const ResetCommand& command) {
  if (absl::Status status = groups_.CheckExists(command.group); !status.ok()) return status;
  const auto partitions = Expand(command);
  if (!partitions.ok()) return partitions.status();
  const auto committed = groups_.Committed(command.group, *partitions);
  if (!committed.ok()) return committed.status();

  std::vector<ResetOutcome> outcomes;
  std::vector<Group::ResetTarget> targets;
  std::vector<size_t> places;  // Of each target: its outcome.
  for (size_t i = 0; i < partitions->size(); ++i) {
    const auto& [name, number] = (*partitions)[i];
    const auto topic = topics_.Find(name);
    auto id = topic.ok() ? Topics::PartitionOf(**topic, number) : topic.status();
    auto offset = id.ok() ? TargetIn(*id, (*committed)[i].committed, command) : id.status();
    if (offset.ok()) {
      targets.push_back({name, *id, *offset});
      places.push_back(outcomes.size());
    }
    outcomes.push_back({{name, number}, std::move(offset)});
  }
  if (targets.empty()) return outcomes;
  const std::vector<absl::Status> results = groups_.Reset(command.group, targets);
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok()) outcomes[places[i]].committed = results[i];
  }
  return outcomes;
}

}  // namespace millrace::hub
