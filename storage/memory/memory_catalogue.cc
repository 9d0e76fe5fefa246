// The part of MemoryEngine that is about topics.
#include <string>
#include <utility>

#include "storage/error.h"
#include "storage/memory/memory_engine.h"

namespace millrace::storage {

TopicPtr MemoryEngine::FindTopic(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

std::vector<TopicPtr> MemoryEngine::Topics() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicPtr> topics;
  for (const auto& [name, topic] : topics_) topics.push_back(topic);
  return topics;
}

absl::StatusOr<TopicPtr> MemoryEngine::CreateTopic(std::string_view name, int32_t partition_count,
                                                   RetentionPolicy retention) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  if (topics_.contains(name)) {
    return Error(Reason::kTopicExists, "topic " + std::string(name) + " exists already",
                 {{"topic", std::string(name)}});
  }
  ++log_epoch_;
  auto topic = std::make_shared<Topic>(Topic{.name = std::string(name),
                                             .partitions = {},
                                             .retention = retention,
                                             .create_time = options_.clock->Now()});
  AddPartitions(*topic, partition_count);
  topics_[topic->name] = topic;
  return topic;
}

absl::StatusOr<TopicPtr> MemoryEngine::UpdateTopic(std::string_view name,
                                                   const TopicChange& change) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  const auto found = FindTopicOrError(name);
  if (!found.ok()) return found.status();
  auto topic = std::make_shared<Topic>(**found);
  if (change.partition_count) {
    const auto present = static_cast<int32_t>(topic->partitions.size());
    if (*change.partition_count < present) {
      return Error(Reason::kInvalidConfig,
                   "topic " + topic->name + " has " + std::to_string(present) +
                       " partitions, and their number cannot shrink",
                   {{"topic", topic->name}, {"partition_count", std::to_string(present)}});
    }
    AddPartitions(*topic, *change.partition_count - present);
  }
  if (change.retention) topic->retention = *change.retention;
  topics_[topic->name] = topic;
  return topic;
}

absl::Status MemoryEngine::DeleteTopic(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  const auto found = FindTopicOrError(name);
  if (!found.ok()) return found.status();
  const TopicPtr& topic = *found;
  topics_.erase(topic->name);
  for (const PartitionId id : topic->partitions) {
    auto partition = partitions_.extract(id);
    PostWaiters(id, *partition.mapped());
  }
  DropOffsets(*topic);
  return absl::OkStatus();
}

absl::Status MemoryEngine::Truncate(PartitionId partition, Offset before) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  const auto found = Find(partition);
  if (!found.ok()) return found.status();
  return (*found)->Truncate(before);
}

absl::Status MemoryEngine::EnforceRetention() {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  const absl::Time now = options_.clock->Now();
  for (const auto& [name, topic] : topics_) {
    for (const PartitionId id : topic->partitions)
      partitions_.at(id)->Retain(topic->retention, now);
  }
  return absl::OkStatus();
}

absl::StatusOr<TopicPtr> MemoryEngine::FindTopicOrError(std::string_view name) const {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second;
  return Error(Reason::kTopicNotFound, "there is no topic " + std::string(name),
               {{"topic", std::string(name)}});
}

void MemoryEngine::AddPartitions(Topic& topic, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    const PartitionId id = next_partition_;
    ++next_partition_;
    partitions_[id] = std::make_unique<MemoryPartition>(log_epoch_);
    topic.partitions.push_back(id);
  }
}

void MemoryEngine::DropOffsets(const Topic& topic) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    for (const PartitionId id : topic.partitions) group->second.erase(id);
    group = group->second.empty() ? groups_.erase(group) : std::next(group);
  }
}

}  // namespace millrace::storage
