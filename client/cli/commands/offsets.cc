#include "client/cli/commands/offsets.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/output/offsets_view.h"
#include "client/cli/parse/time.h"
#include "millrace/admin.h"

namespace millrace::cli {
namespace {

struct OffsetsOptions {
  std::string topic;
  std::optional<absl::Time> time;
  std::string group;
};

absl::StatusOr<std::map<int32_t, int64_t>> CommittedIn(client::Admin& admin,
                                                       const std::string& group,
                                                       const std::string& topic) {
  absl::StatusOr<std::vector<client::CommittedOffset>> committed = admin.GetCommittedOffsets(group);
  if (!committed.ok()) return committed.status();
  std::map<int32_t, int64_t> offsets;
  for (const client::CommittedOffset& entry : *committed) {
    if (entry.partition.topic == topic && entry.next_offset) {
      offsets[entry.partition.partition] = *entry.next_offset;
    }
  }
  return offsets;
}

absl::Status Offsets(Session& session, const OffsetsOptions& options) {
  absl::StatusOr<client::TopicOffsets> offsets =
      session.admin().ListOffsets(options.topic, {}, options.time);
  if (!offsets.ok()) return offsets.status();

  OffsetsView view{options.topic, offsets->partitions, std::nullopt};
  if (!options.group.empty()) {
    absl::StatusOr<std::map<int32_t, int64_t>> committed =
        CommittedIn(session.admin(), options.group, options.topic);
    if (!committed.ok()) return committed.status();
    view.committed = *std::move(committed);
  }
  return session.out().Write(session.json() ? OffsetLines(view)
                                            : OffsetTable(view, session.colour()));
}

}  // namespace

void AddOffsetsCommand(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(root, "offsets", "Show the offsets of a topic's partitions.",
                 "  millrace offsets orders\n"
                 "  millrace offsets orders --group billing      committed offsets and lag\n"
                 "  millrace offsets orders --time 10m           the first offset since then\n",
                 session);
  auto options = std::make_shared<OffsetsOptions>();
  command->add_option("TOPIC", options->topic, "The topic")->required()->type_name("");
  const auto parse_time = [](std::string_view text) {
    return ParseTime(text, absl::Now(), absl::LocalTimeZone());
  };
  AddParsed(*command, "--time", options->time, parse_time, "TIME",
            "Also the first offset stored since: 10m (so long ago), 2026-11-23, "
            "2026-11-23T15:04:05Z, @1795446245");
  command->add_option("-g,--group", options->group, "Also what this group committed, and its lag")
      ->type_name("NAME");
  SetBody(*command, chosen, options, Offsets);
}

}  // namespace millrace::cli
