#include "server/contract/admin_actions.h"

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

// What a duration says, whatever it is; nobody has judged it yet.
std::string Text(const google::protobuf::Duration& duration) {
  return absl::FormatDuration(absl::Seconds(duration.seconds()) +
                              absl::Nanoseconds(duration.nanos()));
}

std::string Text(const v1::StartPosition& start) {
  if (start.has_time()) {
    return absl::FormatTime(absl::FromUnixSeconds(start.time().seconds()), absl::UTCTimeZone());
  }
  return start.has_earliest() ? "earliest" : "latest";
}

// The first few of a list, so that a line stays one that can be read.
template <typename List, typename ToText>
std::string Listed(const List& list, ToText to_text) {
  constexpr int kMost = 20;
  std::string text;
  for (int i = 0; i < list.size() && i < kMost; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", to_text(list[i]));
  }
  if (list.size() > kMost) absl::StrAppend(&text, " and ", list.size() - kMost, " more");
  return text;
}

}  // namespace

std::optional<AdminFacts> AdminFactsOf(const v1::CreateTopicRequest& request) {
  AdminFacts facts = {
      {"topic", request.topic()},
      {"partition_count",
       absl::StrCat(request.has_partition_count() ? request.partition_count() : 1)}};
  if (request.has_retention()) {
    if (request.retention().has_max_age()) {
      facts.emplace_back("retention_max_age", Text(request.retention().max_age()));
    }
    facts.emplace_back("retention_max_partition_bytes",
                       absl::StrCat(request.retention().max_partition_bytes()));
  }
  return facts;
}

std::optional<AdminFacts> AdminFactsOf(const v1::UpdateTopicRequest& request) {
  AdminFacts facts = {{"topic", request.topic()}};
  if (request.has_partition_count()) {
    facts.emplace_back("partition_count", absl::StrCat(request.partition_count()));
  }
  if (request.has_retention_max_age()) {
    facts.emplace_back("retention_max_age", Text(request.retention_max_age()));
  }
  if (request.has_retention_max_partition_bytes()) {
    facts.emplace_back("retention_max_partition_bytes",
                       absl::StrCat(request.retention_max_partition_bytes()));
  }
  return facts;
}

std::optional<AdminFacts> AdminFactsOf(const v1::DeleteTopicRequest& request) {
  return AdminFacts{{"topic", request.topic()}};
}

std::optional<AdminFacts> AdminFactsOf(const v1::TruncateTopicRequest& request) {
  std::string cuts = Listed(request.partitions(), [](const v1::PartitionTruncation& cut) {
    return absl::StrCat(cut.partition(), ":", cut.before_offset());
  });
  return AdminFacts{{"topic", request.topic()},
                    {"before_offsets", cuts.empty() ? "end" : std::move(cuts)}};
}

std::optional<AdminFacts> AdminFactsOf(const v1::ResetOffsetsRequest& request) {
  AdminFacts facts = {{"group", request.group()}};
  std::string partitions = Listed(request.partitions(), [](const v1::TopicPartition& each) {
    return absl::StrCat(each.topic(), "/", each.partition());
  });
  facts.emplace_back("partitions", partitions.empty() ? "all" : std::move(partitions));
  if (request.has_start()) facts.emplace_back("to", Text(request.start()));
  if (request.has_offset()) facts.emplace_back("to", absl::StrCat(request.offset()));
  if (request.has_shift()) facts.emplace_back("by", absl::StrCat(request.shift()));
  return facts;
}

std::optional<AdminFacts> AdminFactsOf(const v1::DeleteGroupRequest& request) {
  return AdminFacts{{"group", request.group()}};
}

std::optional<AdminFacts> AdminFactsOf(const v1::CreateCheckpointRequest& request) {
  return AdminFacts{{"directory", request.directory()}};
}

}  // namespace millrace::server
