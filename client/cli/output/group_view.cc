#include "client/cli/output/group_view.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "client/cli/output/json_line.h"
#include "client/cli/output/table.h"
#include "client/cli/parse/quantity.h"
#include "client/cli/parse/time.h"

namespace millrace::cli {
namespace {

constexpr size_t kShortId = 8;

// Enough of the 32 hex digits to tell members apart; the whole is in -o json.
std::string ShortId(const std::string& member_id) { return member_id.substr(0, kShortId); }

std::string NameOf(const client::GroupMember& member) {
  return member.instance_id.empty() ? ShortId(member.member_id) : member.instance_id;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "-" : out;
}

std::map<std::string, const client::GroupMember*> ById(const client::GroupDescription& group) {
  std::map<std::string, const client::GroupMember*> members;
  for (const client::GroupMember& member : group.members) members[member.member_id] = &member;
  return members;
}

std::string MemberOf(const client::GroupPartition& partition,
                     const std::map<std::string, const client::GroupMember*>& members) {
  if (partition.member_id.empty()) return "-";
  const auto found = members.find(partition.member_id);
  if (found == members.end()) return ShortId(partition.member_id);
  return NameOf(*found->second) + (found->second->connect_time ? "" : " (away)");
}

std::string PartitionsTable(const client::GroupDescription& group, bool colour) {
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"MEMBER"},
               {"COMMITTED", Align::kRight},
               {"END", Align::kRight},
               {"LAG", Align::kRight},
               {"LAG TIME", Align::kRight}});
  const auto members = ById(group);
  for (const client::GroupPartition& partition : group.partitions) {
    table.Add({partition.partition.topic, std::to_string(partition.partition.partition),
               MemberOf(partition, members), OrDash(partition.committed_next_offset),
               std::to_string(partition.latest_offset), CountText(partition.lag_records),
               partition.lag_time ? AgeText(*partition.lag_time) : "-"});
  }
  return table.Render(colour);
}

std::string MembersTable(const client::GroupDescription& group, bool colour) {
  Table table({{"MEMBER"}, {"ID"}, {"PARTITIONS", Align::kRight}, {"ADDRESS"}, {"SINCE"}});
  for (const client::GroupMember& member : group.members) {
    table.Add({NameOf(member), ShortId(member.member_id),
               CountText(static_cast<int64_t>(member.partitions.size())), member.peer,
               member.connect_time ? TimeText(*member.connect_time) : "away, may come back"});
  }
  return table.Render(colour);
}

std::string MemberJson(const client::GroupMember& member) {
  JsonLine json;
  json.Text("member_id", member.member_id)
      .Text("instance_id", member.instance_id)
      .Text("peer", member.peer);
  if (member.connect_time) {
    json.Text("connect_time", TimeText(*member.connect_time));
  } else {
    json.Null("connect_time");
  }
  JsonArray partitions;
  for (const client::TopicPartition& partition : member.partitions) {
    JsonLine line;
    line.Text("topic", partition.topic).Number("partition", partition.partition);
    partitions.Add(line.Take());
  }
  json.Json("partitions", partitions.Take());
  return json.Take();
}

std::string PartitionJson(const client::GroupPartition& partition) {
  JsonLine json;
  json.Text("topic", partition.partition.topic).Number("partition", partition.partition.partition);
  if (partition.member_id.empty()) {
    json.Null("member_id");
  } else {
    json.Text("member_id", partition.member_id);
  }
  json.NumberOrNull("committed_offset", partition.committed_next_offset);
  json.NumberOrNull("delivered_offset", partition.delivered_next_offset);
  json.Number("earliest_offset", partition.earliest_offset)
      .Number("latest_offset", partition.latest_offset)
      .Number("lag", partition.lag_records);
  json.NumberOrNull("lag_ms", partition.lag_time
                                  ? std::optional(absl::ToInt64Milliseconds(*partition.lag_time))
                                  : std::nullopt);
  json.Text("metadata", partition.metadata);
  return json.Take();
}

void AddSummary(JsonLine& json, const client::GroupSummary& group) {
  JsonArray topics;
  for (const std::string& topic : group.topics) topics.Add(JsonString(topic));
  json.Text("group", group.group)
      .Number("member_count", group.member_count)
      .Json("topics", topics.Take())
      .Number("lag", group.lag_records);
}

}  // namespace

std::string AgeText(absl::Duration age) {
  if (age < absl::Seconds(1)) return DurationText(absl::Trunc(age, absl::Milliseconds(1)));
  if (age < absl::Minutes(1)) return DurationText(absl::Trunc(age, absl::Seconds(1)));
  if (age < absl::Hours(1)) return DurationText(absl::Trunc(age, absl::Seconds(1)));
  if (age < absl::Hours(48)) return DurationText(absl::Trunc(age, absl::Minutes(1)));
  return CountText(age / absl::Hours(24)) + "d";
}

std::string GroupTable(const std::vector<client::GroupSummary>& groups, bool colour) {
  Table table({{"GROUP"}, {"MEMBERS", Align::kRight}, {"LAG", Align::kRight}, {"TOPICS"}});
  for (const client::GroupSummary& group : groups) {
    table.Add({group.group, CountText(group.member_count), CountText(group.lag_records),
               Joined(group.topics)});
  }
  return table.Render(colour);
}

std::string GroupSummaryJson(const client::GroupSummary& group) {
  JsonLine json;
  AddSummary(json, group);
  return json.Take();
}

std::string GroupText(const client::GroupDescription& group, bool colour) {
  absl::Duration oldest;
  for (const client::GroupPartition& partition : group.partitions) {
    oldest = std::max(oldest, partition.lag_time.value_or(absl::ZeroDuration()));
  }
  std::string lag = CountText(group.summary.lag_records) +
                    (group.summary.lag_records == 1 ? " record" : " records");
  if (group.summary.lag_records == 0) lag = "none, everything is committed";
  if (oldest > absl::ZeroDuration()) lag += ", the oldest stored " + AgeText(oldest) + " ago";
  std::string out = RenderFields({{"group", group.summary.group},
                                  {"members", CountText(group.summary.member_count)},
                                  {"lag", lag}},
                                 colour);
  if (!group.partitions.empty()) out += "\n" + PartitionsTable(group, colour);
  if (!group.members.empty()) out += "\n" + MembersTable(group, colour);
  return out;
}

std::string GroupJson(const client::GroupDescription& group) {
  JsonLine json;
  AddSummary(json, group.summary);
  JsonArray members, partitions;
  for (const client::GroupMember& member : group.members) members.Add(MemberJson(member));
  for (const auto& partition : group.partitions) partitions.Add(PartitionJson(partition));
  json.Json("members", members.Take()).Json("partitions", partitions.Take());
  return json.Take();
}

std::string ResetTable(const std::vector<ResetView>& resets, bool colour) {
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"FROM", Align::kRight},
               {"TO", Align::kRight},
               {""}});
  for (const ResetView& reset : resets) {
    const bool refused = !reset.problem.empty();
    table.Add({reset.partition.topic, std::to_string(reset.partition.partition),
               OrDash(reset.before), refused ? "-" : std::to_string(reset.after),
               refused ? reset.problem : (reset.done ? "" : "not done: --dry-run")});
  }
  return table.Render(colour);
}

std::string ResetLines(const std::vector<ResetView>& resets) {
  std::string out;
  for (const ResetView& reset : resets) {
    JsonLine json;
    json.Text("topic", reset.partition.topic).Number("partition", reset.partition.partition);
    json.NumberOrNull("from_offset", reset.before);
    json.NumberOrNull("to_offset",
                      reset.problem.empty() ? std::optional(reset.after) : std::nullopt);
    json.Bool("done", reset.done);
    if (!reset.problem.empty()) json.Text("error", reset.problem);
    out += json.Take() + "\n";
  }
  return out;
}

}  // namespace millrace::cli
