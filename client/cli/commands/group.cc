#include "client/cli/commands/group.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/commands/confirm.h"
#include "client/cli/errors.h"
#include "client/cli/interrupts.h"
#include "client/cli/output/group_view.h"
#include "client/cli/output/json_line.h"
#include "client/cli/parse/quantity.h"
#include "client/cli/parse/time.h"
#include "millrace/admin.h"
#include "millrace/error.h"

namespace millrace::cli {
namespace {

struct ListOptions {};

struct DescribeOptions {
  std::string group;
};

struct WatchOptions {
  std::string group;
  absl::Duration interval = absl::Seconds(1);
  std::optional<int64_t> count;
};

struct ResetOptions {
  std::string group;
  bool to_earliest = false;
  bool to_latest = false;
  std::optional<absl::Time> to_time;
  std::optional<int64_t> to_offset;
  std::optional<int64_t> shift;
  std::vector<std::string> topics;
  std::vector<int32_t> partitions;
  bool dry_run = false;
};

struct DeleteOptions {
  std::vector<std::string> groups;
  bool yes = false;
};

absl::Status List(Session& session, const ListOptions&) {
  absl::StatusOr<std::vector<client::GroupSummary>> groups = session.admin().ListGroups();
  if (!groups.ok()) return groups.status();
  if (!session.json()) return session.out().Write(GroupTable(*groups, session.colour()));
  std::string lines;
  for (const client::GroupSummary& group : *groups) lines += GroupSummaryJson(group) + "\n";
  return session.out().Write(lines);
}

std::string View(const Session& session, const client::GroupDescription& group) {
  return session.json() ? GroupJson(group) + "\n" : GroupText(group, session.colour());
}

absl::Status Describe(Session& session, const DescribeOptions& options) {
  absl::StatusOr<client::GroupDescription> group = session.admin().GetGroup(options.group);
  if (!group.ok()) return group.status();
  return session.out().Write(View(session, *group));
}

absl::Status Watch(Session& session, const WatchOptions& options) {
  const Interrupts interrupts;
  int64_t shown = 0;
  absl::Status written;
  const auto see = [&](const client::GroupDescription* group) {
    if (interrupts.requested()) return false;
    if (group == nullptr) return true;
    std::string text = View(session, *group);
    if (!session.json()) text = "---- " + TimeText(absl::Now()) + "\n" + text;
    written = session.out().Write(text);
    if (written.ok()) written = session.out().Flush();
    return written.ok() && (!options.count || ++shown < *options.count);
  };
  absl::Status status = session.admin().WatchGroup(options.group, options.interval, see);
  return written.ok() ? status : written;
}

// ---- Reset

absl::StatusOr<client::ResetTarget> TargetOf(const ResetOptions& options) {
  const int said = options.to_earliest + options.to_latest + options.to_time.has_value() +
                   options.to_offset.has_value() + options.shift.has_value();
  if (said != 1) {
    return UsageError(
        "say where to, in one way: --to-earliest, --to-latest, --to-time, --to-offset or --shift");
  }
  if (options.to_earliest) return client::ToEarliest{};
  if (options.to_latest) return client::ToLatest{};
  if (options.to_time) return *options.to_time;
  if (options.to_offset) return client::ToOffset{*options.to_offset};
  return client::ByShift{*options.shift};
}

absl::StatusOr<std::vector<client::TopicPartition>> PartitionsOf(const ResetOptions& options) {
  std::vector<client::TopicPartition> partitions;
  if (options.partitions.empty()) {
    for (const std::string& topic : options.topics) partitions.push_back({topic, -1});
    return partitions;
  }
  if (options.topics.size() != 1) return UsageError("--partition needs one --topic");
  for (const int32_t partition : options.partitions) {
    partitions.push_back({options.topics.front(), partition});
  }
  return partitions;
}

using Committed = std::map<client::TopicPartition, std::optional<int64_t>>;

absl::StatusOr<Committed> CommittedBefore(client::Admin& admin, const std::string& group) {
  absl::StatusOr<std::vector<client::CommittedOffset>> offsets = admin.GetCommittedOffsets(group);
  if (!offsets.ok()) return offsets.status();
  Committed committed;
  for (const client::CommittedOffset& offset : *offsets) {
    committed[offset.partition] = offset.next_offset;
  }
  return committed;
}

int64_t PlaceFor(const client::ResetTarget& target, const client::PartitionOffsets& offsets,
                 std::optional<int64_t> committed) {
  if (std::holds_alternative<client::ToEarliest>(target)) return offsets.earliest_offset;
  if (std::holds_alternative<client::ToLatest>(target)) return offsets.latest_offset;
  if (std::holds_alternative<absl::Time>(target)) {
    return offsets.offset_at_time.value_or(offsets.latest_offset);
  }
  if (const auto* exact = std::get_if<client::ToOffset>(&target)) return exact->offset;
  return std::clamp(
      committed.value_or(offsets.earliest_offset) + std::get<client::ByShift>(target).records,
      offsets.earliest_offset, offsets.latest_offset);
}

// What the hub would do, worked out from what it says of the offsets.
absl::StatusOr<std::vector<ResetView>> Foresee(
    client::Admin& admin, const client::ResetTarget& target,
    const std::vector<client::TopicPartition>& partitions, const Committed& before) {
  std::map<std::string, std::vector<int32_t>> wanted;  // None: all of the topic.
  for (const auto& [topic, partition] : partitions) {
    std::vector<int32_t>& numbers = wanted[topic];
    if (partition >= 0) numbers.push_back(partition);
  }
  if (partitions.empty()) {
    for (const auto& [partition, offset] : before)
      wanted[partition.topic].push_back(partition.partition);
  }
  std::optional<absl::Time> time;
  if (const auto* at = std::get_if<absl::Time>(&target)) time = *at;
  std::vector<ResetView> views;
  for (const auto& [topic, numbers] : wanted) {
    absl::StatusOr<client::TopicOffsets> offsets = admin.ListOffsets(topic, numbers, time);
    if (!offsets.ok()) return offsets.status();
    for (const client::PartitionOffsets& partition : offsets->partitions) {
      const client::TopicPartition name{topic, partition.partition};
      const auto committed = before.find(name);
      ResetView view{.partition = name,
                     .before = committed == before.end() ? std::nullopt : committed->second,
                     .after = 0,
                     .done = false,
                     .problem = ""};
      view.after = PlaceFor(target, partition, view.before);
      if (view.after < partition.earliest_offset || view.after > partition.latest_offset) {
        view.problem = "OFFSET_OUT_OF_RANGE: it has offsets " +
                       std::to_string(partition.earliest_offset) + " to " +
                       std::to_string(partition.latest_offset);
      }
      views.push_back(std::move(view));
    }
  }
  return views;
}

std::vector<ResetView> ViewsOf(const std::vector<client::ResetResult>& results,
                               const Committed& before) {
  std::vector<ResetView> views;
  for (const client::ResetResult& result : results) {
    const auto committed = before.find(result.partition);
    ResetView& view = views.emplace_back(
        ResetView{.partition = result.partition,
                  .before = committed == before.end() ? std::nullopt : committed->second,
                  .after = result.committed_next_offset,
                  .done = result.status.ok(),
                  .problem = ""});
    if (!result.status.ok()) {
      view.problem = client::ReasonOf(result.status) + ": " + std::string(result.status.message());
    }
  }
  return views;
}

absl::Status Reset(Session& session, const ResetOptions& options) {
  absl::StatusOr<client::ResetTarget> target = TargetOf(options);
  if (!target.ok()) return target.status();
  absl::StatusOr<std::vector<client::TopicPartition>> partitions = PartitionsOf(options);
  if (!partitions.ok()) return partitions.status();
  absl::StatusOr<Committed> before = CommittedBefore(session.admin(), options.group);
  if (!before.ok()) return before.status();
  std::vector<ResetView> views;
  if (options.dry_run) {
    if (absl::Status known = session.admin().GetGroup(options.group).status(); !known.ok()) {
      return known;
    }
    auto foreseen = Foresee(session.admin(), *target, *partitions, *before);
    if (!foreseen.ok()) return foreseen.status();
    views = *std::move(foreseen);
  } else {
    auto results = session.admin().ResetOffsets(options.group, *target, *partitions);
    if (!results.ok()) return results.status();
    views = ViewsOf(*results, *before);
  }
  absl::Status written =
      session.out().Write(session.json() ? ResetLines(views) : ResetTable(views, session.colour()));
  if (!written.ok()) return written;
  const auto refused = std::count_if(views.begin(), views.end(),
                                     [](const ResetView& view) { return !view.problem.empty(); });
  if (refused == 0) return absl::OkStatus();
  return absl::OutOfRangeError(CountText(refused) + " of " +
                               CountText(static_cast<int64_t>(views.size())) +
                               " partitions were not reset");
}

absl::Status Delete(Session& session, const DeleteOptions& options) {
  std::string names;
  for (const std::string& group : options.groups) names += " " + group;
  if (absl::Status status = Confirm("Forget for good what was committed by:" + names + "?",
                                    options.yes, "nothing was deleted");
      !status.ok()) {
    return status;
  }
  for (const std::string& group : options.groups) {
    if (absl::Status status = session.admin().DeleteGroup(group); !status.ok()) return status;
    std::string line = "deleted group " + group + "\n";
    if (session.json()) {
      JsonLine json;
      line = json.Text("group", group).Bool("deleted", true).Take() + "\n";
    }
    if (absl::Status status = session.out().Write(line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// ---- Options

void AddGroupName(CLI::App& command, std::string& group) {
  command.add_option("GROUP", group, "The group's name")->required()->type_name("");
}

absl::StatusOr<int64_t> ParseShift(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" is no number of records; write -100 or +100");
  }
  return number;
}

void AddReset(CLI::App& group, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(group, "reset", "Set where a group goes on; its members are told and follow.",
                 "  millrace group reset billing --to-earliest\n"
                 "  millrace group reset billing --to-time 2h --topic orders --dry-run\n"
                 "  millrace group reset billing --shift -100 --topic orders --partition 3\n",
                 session);
  auto options = std::make_shared<ResetOptions>();
  AddGroupName(*command, options->group);
  command->add_flag("--to-earliest", options->to_earliest, "To the first record still kept");
  command->add_flag("--to-latest", options->to_latest, "Behind the last record");
  const auto parse_time = [](std::string_view text) {
    return ParseTime(text, absl::Now(), absl::LocalTimeZone());
  };
  AddParsed(*command, "--to-time", options->to_time, parse_time, "TIME",
            "To the first record stored since: 10m (so long ago), 2026-11-23, "
            "2026-11-23T15:04:05Z, @1795446245");
  AddParsed(*command, "--to-offset", options->to_offset, ParseCount, "N", "To this offset");
  AddParsed(*command, "--shift", options->shift, ParseShift, "N|-N",
            "Forward by so many records, or back; within what there is");
  command->add_option("-t,--topic", options->topics, "Only this topic; may be given several times")
      ->type_name("TOPIC")
      ->allow_extra_args(false);
  command
      ->add_option_function<std::vector<std::string>>(
          "-p,--partition",
          [options = options.get()](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::StatusOr<int32_t> partition = ParsePartition(text);
              if (!partition.ok()) {
                throw CLI::ValidationError("--partition",
                                           std::string(partition.status().message()));
              }
              options->partitions.push_back(*partition);
            }
          },
          "Only this partition of the --topic; may be given several times")
      ->type_name("P")
      ->allow_extra_args(false);
  command->add_flag("--dry-run", options->dry_run, "Only show what would be done");
  SetBody(*command, chosen, options, Reset);
}

void AddWatch(CLI::App& group, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(group, "watch", "Show a group again whenever something changes, until Ctrl-C.",
                 "  millrace group watch billing\n"
                 "  millrace group watch billing -o json | jq .lag\n",
                 session);
  auto options = std::make_shared<WatchOptions>();
  AddGroupName(*command, options->group);
  AddParsed(*command, "--interval", options->interval, ParseDuration, "DURATION",
            "Show it at most so often [default: 1s]");
  AddParsed(*command, "-n,--count", options->count, ParsePositiveCount, "N",
            "Exit after showing it so often");
  SetBody(*command, chosen, options, Watch);
}

}  // namespace

void AddGroupCommands(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* group = AddCommandGroup(
      root, "group", "Look at consumer groups and their lag, reset and delete them.", session);

  CLI::App* list = AddCommand(*group, "list", "List all groups.",
                              "  millrace group list\n"
                              "  millrace group list -o json | jq 'select(.lag > 1000)'\n",
                              session);
  SetBody(*list, chosen, std::make_shared<ListOptions>(), List);

  CLI::App* describe =
      AddCommand(*group, "describe", "Show who reads which partition, and how far behind.",
                 "  millrace group describe billing\n", session);
  auto describe_options = std::make_shared<DescribeOptions>();
  AddGroupName(*describe, describe_options->group);
  SetBody(*describe, chosen, describe_options, Describe);

  AddWatch(*group, chosen, session);
  AddReset(*group, chosen, session);

  CLI::App* remove = AddCommand(*group, "delete", "Delete groups that have no members.",
                                "  millrace group delete billing\n", session);
  auto delete_options = std::make_shared<DeleteOptions>();
  remove->add_option("GROUP", delete_options->groups, "The groups' names")
      ->required()
      ->type_name("");
  remove->add_flag("-y,--yes", delete_options->yes, "Do not ask");
  SetBody(*remove, chosen, delete_options, Delete);
}

}  // namespace millrace::cli
