#include "client/cli/commands/consume_start.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "absl/status/status.h"
#include "client/cli/errors.h"

namespace millrace::cli {
namespace {

using client::StartPosition;

// The start that a hub knows by itself; absent for an offset.
std::optional<StartPosition> PlainStart(const StartChoice& choice) {
  if (choice.from_beginning) return client::Earliest{};
  if (choice.since) return *choice.since;
  if (!choice.offset) return std::nullopt;
  if (std::holds_alternative<client::Earliest>(*choice.offset)) return client::Earliest{};
  if (std::holds_alternative<client::Latest>(*choice.offset)) return client::Latest{};
  return std::nullopt;
}

bool NamesOffsets(const StartChoice& choice) {
  return choice.offset && (std::holds_alternative<int64_t>(*choice.offset) ||
                           std::holds_alternative<Last>(*choice.offset));
}

int64_t StartOffset(const StartChoice& choice, const client::PartitionOffsets& partition) {
  if (choice.from_beginning) return partition.earliest_offset;
  if (choice.since) return partition.offset_at_time.value_or(partition.latest_offset);
  if (!choice.offset || std::holds_alternative<client::Latest>(*choice.offset)) {
    return partition.latest_offset;
  }
  if (const auto* offset = std::get_if<int64_t>(&*choice.offset)) return *offset;
  if (const auto* last = std::get_if<Last>(&*choice.offset)) {
    return std::max(partition.earliest_offset, partition.latest_offset - last->records);
  }
  return partition.earliest_offset;
}

absl::Status CheckGroup(const StartChoice& choice) {
  if (choice.group.empty()) return absl::OkStatus();
  if (!choice.partitions.empty()) {
    return UsageError("a group reads all partitions of its topics: leave out --partition");
  }
  if (NamesOffsets(choice)) {
    return UsageError("a group reads from its committed offsets: leave out --offset");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OffsetChoice> ParseOffset(std::string_view text) {
  if (text == "earliest" || text == "beginning") return client::Earliest{};
  if (text == "latest" || text == "end") return client::Latest{};
  int64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc() || end != text.data() + text.size() ||
      offset == std::numeric_limits<int64_t>::min()) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" is no offset; write 1000, -10 (the last ten), earliest "
                                      "or latest");
  }
  if (text.starts_with('-')) return Last{-offset};
  return offset;
}

absl::Status ChooseStart(client::Admin& admin, const StartChoice& choice,
                         client::ConsumerOptions& consumer) {
  if (absl::Status status = CheckGroup(choice); !status.ok()) return status;
  consumer.group = choice.group;
  if (choice.partitions.empty() && !NamesOffsets(choice)) {
    consumer.start = PlainStart(choice);
    consumer.topics = choice.topics;
    return absl::OkStatus();
  }
  const bool exact = choice.offset && std::holds_alternative<int64_t>(*choice.offset);
  // Retention may move on between this question and the subscription.
  consumer.on_out_of_range = exact ? client::OutOfRange::kFail : client::OutOfRange::kEarliest;
  for (const std::string& topic : choice.topics) {
    absl::StatusOr<client::TopicOffsets> offsets =
        admin.ListOffsets(topic, choice.partitions, choice.since);
    if (!offsets.ok()) return offsets.status();
    if (exact && choice.partitions.empty() && offsets->partitions.size() > 1) {
      return UsageError("topic " + topic + " has " + std::to_string(offsets->partitions.size()) +
                        " partitions: say with --partition which one --offset is meant for");
    }
    for (const client::PartitionOffsets& partition : offsets->partitions) {
      consumer.positions.push_back(
          {topic, partition.partition, StartOffset(choice, partition), std::nullopt});
    }
  }
  return absl::OkStatus();
}

}  // namespace millrace::cli
