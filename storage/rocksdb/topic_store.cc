#include "storage/rocksdb/topic_store.h"

#include <mutex>
#include <utility>

#include "storage/error.h"
#include "storage/rocksdb/committed_group.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

absl::Status NoTopic(const std::string& name) {
  return Error(Reason::kTopicNotFound, "there is no topic " + name, {{"topic", name}});
}

}  // namespace

TopicPtr TopicStore::Find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.topic;
}

std::vector<TopicPtr> TopicStore::All() const {
  const std::shared_lock lock(mutex_);
  std::vector<TopicPtr> topics;
  for (const auto& [name, entry] : topics_) topics.push_back(entry.topic);
  return topics;
}

const TopicStore::Entry* TopicStore::FindEntry(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

// ---- Changes. What `prepare` finds out is kept in a draft for `when_written`.

Change TopicStore::MakeCreation(std::string name, int32_t partition_count,
                                RetentionPolicy retention, TopicPtr* made) {
  auto draft = std::make_shared<rows::TopicRow>();
  draft->topic.name = std::move(name);
  draft->topic.retention = retention;
  Change change;
  change.prepare = [this, draft, partition_count](rocksdb::WriteBatch& batch) -> absl::Status {
    const std::string& topic = draft->topic.name;
    if (FindEntry(topic) != nullptr) {
      return Error(Reason::kTopicExists, "topic " + topic + " exists already", {{"topic", topic}});
    }
    draft->topic.create_time = parts_.clock.Now();
    const LogEpoch epoch(log_epoch_.load() + 1);
    AddField(rows::kLogEpochField, epoch.value(), batch);
    GrowTo(*draft, partition_count, epoch, batch);
    AddTopicRow(*draft, batch);
    return absl::OkStatus();
  };
  change.when_written = [this, draft, made] {
    log_epoch_.fetch_add(1);
    Install(*draft, made);
  };
  return change;
}

Change TopicStore::MakeUpdate(std::string name, TopicChange wanted, TopicPtr* made) {
  auto draft = std::make_shared<rows::TopicRow>();
  Change change;
  change.prepare = [this, draft, name = std::move(name),
                    wanted](rocksdb::WriteBatch& batch) -> absl::Status {
    const Entry* entry = FindEntry(name);
    if (entry == nullptr) return NoTopic(name);
    draft->topic = *entry->topic;
    draft->first_epochs = entry->first_epochs;
    if (wanted.partition_count) {
      const auto present = static_cast<int32_t>(draft->topic.partitions.size());
      if (*wanted.partition_count < present) {
        return Error(Reason::kInvalidConfig,
                     "topic " + name + " has " + std::to_string(present) +
                         " partitions, and their number cannot shrink",
                     {{"topic", name}, {"partition_count", std::to_string(present)}});
      }
      GrowTo(*draft, *wanted.partition_count, LogEpoch(log_epoch_.load()), batch);
    }
    if (wanted.retention) draft->topic.retention = *wanted.retention;
    AddTopicRow(*draft, batch);
    return absl::OkStatus();
  };
  change.when_written = [this, draft, made] { Install(*draft, made); };
  return change;
}

Change TopicStore::MakeDeletion(std::string name) {
  auto deleted = std::make_shared<TopicPtr>();
  Change change;
  change.prepare = [this, deleted, name](rocksdb::WriteBatch& batch) -> absl::Status {
    const Entry* entry = FindEntry(name);
    if (entry == nullptr) return NoTopic(name);
    *deleted = entry->topic;
    AddDeletionRows(**deleted, batch);
    return absl::OkStatus();
  };
  change.when_written = [this, deleted, name = std::move(name)] {
    {
      const std::lock_guard lock(mutex_);
      topics_.erase(name);
    }
    for (const PartitionId id : (*deleted)->partitions) {
      const PartitionPtr partition = parts_.partitions.Find(id);
      parts_.partitions.Remove(id);
      parts_.offsets.DropPartition(id);
      Tell(partition->MarkDeleted(), id);
    }
  };
  change.when_durable = [this, deleted] {
    for (const PartitionId id : (*deleted)->partitions) {
      parts_.bounds.Remove(id);
      parts_.reclaimer.MayReclaim(id);
    }
  };
  return change;
}

void TopicStore::GrowTo(rows::TopicRow& row, int32_t partition_count, LogEpoch epoch,
                        rocksdb::WriteBatch& batch) {
  const auto head = rows::EncodeHead({});
  int64_t next = next_partition_;
  while (static_cast<int32_t>(row.topic.partitions.size()) < partition_count) {
    const PartitionId id(static_cast<uint32_t>(next++));
    row.topic.partitions.push_back(id);
    row.first_epochs.push_back(epoch);
    batch.Put(parts_.database.log(), ToSlice(rows::HeadKey(id)), {head.data(), head.size()});
  }
  AddField(rows::kNextPartitionField, next, batch);
}

void TopicStore::AddTopicRow(const rows::TopicRow& row, rocksdb::WriteBatch& batch) {
  batch.Put(parts_.database.log(), ToSlice(rows::TopicKey(row.topic.name)),
            ToSlice(rows::EncodeTopic(row)));
}

void TopicStore::Install(const rows::TopicRow& row, TopicPtr* made) {
  for (size_t i = 0; i < row.topic.partitions.size(); ++i) {
    const PartitionId id = row.topic.partitions[i];
    if (parts_.partitions.Find(id) != nullptr) continue;
    next_partition_ = int64_t{id.value()} + 1;
    parts_.bounds.Set(id, Offset());
    parts_.partitions.Add(std::make_shared<Partition>(id, row.first_epochs[i]));
  }
  *made = std::make_shared<Topic>(row.topic);
  const std::lock_guard lock(mutex_);
  topics_[row.topic.name] = {*made, row.first_epochs};
}

void TopicStore::AddDeletionRows(const Topic& topic, rocksdb::WriteBatch& batch) {
  rocksdb::ColumnFamilyHandle* log = parts_.database.log();
  batch.Delete(log, ToSlice(rows::TopicKey(topic.name)));
  for (const PartitionId id : topic.partitions) {
    batch.Delete(log, ToSlice(rows::HeadKey(id)));
    const PartitionId next = id + 1;
    batch.DeleteRange(log, ToSlice(rows::EpochKey(id, Offset())),
                      ToSlice(rows::EpochKey(next, Offset())));
    batch.DeleteRange(log, ToSlice(rows::MarkKey(id, Offset())),
                      ToSlice(rows::MarkKey(next, Offset())));
    for (const std::string& key : parts_.offsets.KeysOf(id)) {
      batch.Delete(parts_.database.offsets(), ToSlice(key));
    }
    const PartitionPtr partition = parts_.partitions.Find(id);
    parts_.reclaimer.Plan(id, kAllBatches, partition->Status().size_bytes, batch);
  }
}

void TopicStore::AddField(std::string_view field, int64_t number, rocksdb::WriteBatch& batch) {
  batch.Put(parts_.database.log(), ToSlice(rows::FieldKey(field)),
            ToSlice(rows::EncodeNumber(number)));
}

}  // namespace millrace::storage
