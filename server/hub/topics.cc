#include "server/hub/topics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/names.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Reason;

Topics::Topics(storage::Engine& engine, const Limits& limits, Options options,
               const DeliveryCounts& delivery_counts, HubObserver& observer,
               TopicObserver on_change)
    : engine_(engine),
      limits_(limits),
      options_(std::move(options)),
      delivery_counts_(delivery_counts),
      observer_(observer),
      on_change_(std::move(on_change)) {}

absl::StatusOr<storage::TopicPtr> Topics::Find(std::string_view name) const {
  if (storage::TopicPtr topic = engine_.FindTopic(name)) return topic;
  if (absl::Status status = ValidateName("topic", name); !status.ok()) return status;
  const std::string shown(name);
  return Error(Reason::kTopicNotFound, absl::StrCat("there is no topic \"", shown, "\""),
               {{"topic", shown}});
}

absl::StatusOr<storage::PartitionId> Topics::PartitionOf(const storage::Topic& topic,
                                                         int32_t partition) {
  if (partition >= 0 && static_cast<size_t>(partition) < topic.partitions.size()) {
    return topic.partitions[partition];
  }
  return Error(Reason::kPartitionOutOfRange,
               absl::StrCat("topic \"", topic.name, "\" has partitions 0 to ",
                            topic.partitions.size() - 1, ", not ", partition),
               {{"topic", topic.name},
                {"partition", absl::StrCat(partition)},
                {"partition_count", absl::StrCat(topic.partitions.size())}});
}

absl::Status Topics::CheckPartitionCount(int32_t partition_count) const {
  if (partition_count < 1) {
    return Error(Reason::kInvalidConfig,
                 absl::StrCat("a topic has at least 1 partition, not ", partition_count),
                 {{"field", "partition_count"}});
  }
  if (partition_count > limits_.max_topic_partitions) {
    return Error(
        Reason::kLimitExceeded,
        absl::StrCat("a topic may have ", limits_.max_topic_partitions, " partitions here, not ",
                     partition_count),
        {{"limit", "max_topic_partitions"}, {"value", absl::StrCat(limits_.max_topic_partitions)}});
  }
  return absl::OkStatus();
}

absl::Status Topics::CheckRetention(const storage::RetentionPolicy& retention) {
  if (retention.max_age && *retention.max_age <= absl::ZeroDuration()) {
    return Error(Reason::kInvalidConfig, "the retention age must be positive, or absent for none",
                 {{"field", "retention.max_age"}});
  }
  if (retention.max_partition_bytes && *retention.max_partition_bytes <= 0) {
    return Error(Reason::kInvalidConfig, "the retention size must be positive, or absent for none",
                 {{"field", "retention.max_partition_bytes"}});
  }
  return absl::OkStatus();
}

absl::StatusOr<storage::TopicPtr> Topics::Create(
    std::string_view name, int32_t partition_count,
    std::optional<storage::RetentionPolicy> retention) {
  if (absl::Status status = ValidateName("topic", name); !status.ok()) return status;
  if (absl::Status status = CheckPartitionCount(partition_count); !status.ok()) return status;
  storage::RetentionPolicy policy = retention.value_or(options_.default_retention);
  if (absl::Status status = CheckRetention(policy); !status.ok()) return status;
  if (engine_.FindTopic(name) == nullptr &&
      engine_.Topics().size() >= static_cast<size_t>(limits_.max_topics)) {
    return Error(Reason::kLimitExceeded,
                 absl::StrCat("this hub may have ", limits_.max_topics, " topics"),
                 {{"limit", "max_topics"}, {"value", absl::StrCat(limits_.max_topics)}});
  }
  auto topic = engine_.CreateTopic(name, partition_count, policy);
  if (topic.ok()) on_change_(name);
  return topic;
}

absl::StatusOr<storage::TopicPtr> Topics::FindOrAutoCreate(std::string_view name) {
  auto found = Find(name);
  if (found.ok() || options_.auto_create_partitions == 0) return found;
  if (storage::ReasonOf(found.status()) != Reason::kTopicNotFound) return found;
  auto created = Create(name, options_.auto_create_partitions, std::nullopt);
  if (storage::ReasonOf(created.status()) == Reason::kTopicExists) return Find(name);
  if (created.ok()) observer_.OnTopicAutoCreated(name, options_.auto_create_partitions);
  return created;
}

absl::StatusOr<storage::TopicPtr> Topics::Update(std::string_view name,
                                                 const storage::TopicChange& change) {
  auto found = Find(name);
  if (!found.ok()) return found;
  if (change.partition_count) {
    if (absl::Status status = CheckPartitionCount(*change.partition_count); !status.ok()) {
      return status;
    }
  }
  if (change.retention) {
    if (absl::Status status = CheckRetention(*change.retention); !status.ok()) return status;
  }
  auto topic = engine_.UpdateTopic(name, change);
  if (topic.ok() && (*topic)->partitions.size() != (*found)->partitions.size()) on_change_(name);
  return topic;
}

absl::Status Topics::Delete(std::string_view name) {
  auto found = Find(name);
  if (!found.ok()) return found.status();
  absl::Status status = engine_.DeleteTopic(name);
  if (status.ok()) on_change_(name);
  return status;
}

absl::StatusOr<std::vector<NumberedStatus>> Topics::Truncate(std::string_view name,
                                                             const std::vector<Truncation>& cuts) {
  auto topic = Find(name);
  if (!topic.ok()) return topic.status();
  std::vector<Truncation> wanted = cuts;
  if (wanted.empty()) {
    auto all = Partitions(**topic);
    if (!all.ok()) return all.status();
    for (const NumberedStatus& each : *all) {
      wanted.push_back({each.partition, each.status.high_watermark});
    }
  }
  std::vector<storage::PartitionId> ids;
  for (const Truncation& cut : wanted) {
    auto id = PartitionOf(**topic, cut.partition);
    if (!id.ok()) return id.status();
    auto status = engine_.Status(*id);
    if (!status.ok()) return status.status();
    if (cut.before < storage::Offset(0) || cut.before > status->high_watermark) {
      return Error(
          Reason::kOffsetOutOfRange,
          absl::StrCat("partition ", cut.partition, " of \"", (*topic)->name, "\" ends at offset ",
                       status->high_watermark.value(), ", not at ", cut.before.value()),
          {{"topic", (*topic)->name},
           {"partition", absl::StrCat(cut.partition)},
           {"earliest", absl::StrCat(status->earliest.value())},
           {"latest", absl::StrCat(status->high_watermark.value())}});
    }
    ids.push_back(*id);
  }
  std::vector<NumberedStatus> result;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (absl::Status status = engine_.Truncate(ids[i], wanted[i].before); !status.ok()) {
      return status;
    }
    auto status = StatusOf(**topic, wanted[i].partition);
    if (!status.ok()) return status.status();
    result.push_back(*std::move(status));
  }
  return result;
}

absl::StatusOr<NumberedStatus> Topics::StatusOf(const storage::Topic& topic,
                                                int32_t partition) const {
  const storage::PartitionId id = topic.partitions[static_cast<size_t>(partition)];
  auto status = engine_.Status(id);
  if (!status.ok()) return status.status();
  const auto delivered = delivery_counts_.Find(topic.name, id);
  return NumberedStatus{.partition = partition,
                        .status = *std::move(status),
                        .delivered_records = delivered == nullptr ? 0 : delivered->records()};
}

absl::StatusOr<std::vector<NumberedStatus>> Topics::Partitions(const storage::Topic& topic) const {
  std::vector<NumberedStatus> result;
  result.reserve(topic.partitions.size());
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    auto status = StatusOf(topic, static_cast<int32_t>(i));
    if (!status.ok()) return status.status();
    result.push_back(*std::move(status));
  }
  return result;
}

absl::StatusOr<TopicPage> Topics::List(int32_t page_size, std::string_view page_token,
                                       NameFilter shown) const {
  constexpr int32_t kMaxPage = 1000;
  if (page_size < 0) {
    return Error(Reason::kInvalidPage, "page_size must not be negative", {{"field", "page_size"}});
  }
  if (!page_token.empty() && !ValidateName("token", page_token).ok()) {
    return Error(Reason::kInvalidPage, "page_token is not one that ListTopics gave",
                 {{"field", "page_token"}});
  }
  const size_t limit = page_size == 0 ? kMaxPage : std::min(page_size, kMaxPage);
  const std::vector<storage::TopicPtr> all = engine_.Topics();
  // A token is the name of the last topic of its page.
  auto it = std::upper_bound(
      all.begin(), all.end(), page_token,
      [](std::string_view token, const storage::TopicPtr& topic) { return token < topic->name; });
  if (page_token.empty()) it = all.begin();
  TopicPage page;
  for (; it != all.end(); ++it) {
    if (!shown((*it)->name)) continue;
    if (page.topics.size() == limit) {
      page.next_page_token = page.topics.back()->name;
      break;
    }
    page.topics.push_back(*it);
  }
  return page;
}

}  // namespace millrace::hub
