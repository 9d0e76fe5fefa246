// The part of TopicStore that reads the catalogue when the log is opened.
#include <algorithm>
#include <random>
#include <utility>

#include "storage/error.h"
#include "storage/rocksdb/rows.h"
#include "storage/rocksdb/topic_store.h"

namespace millrace::storage {
namespace {

// A topic's creation takes an epoch that readers may see before it is on stable storage. A crash
// may lose so many, more than there can be calls that wait for one.
constexpr int64_t kEpochsInDoubt = 1024;

std::string RandomId() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += kDigits[random() % 16];
  return id;
}

absl::Status BadRow(const char* what) {
  return absl::DataLossError(std::string("the log's own rows are damaged: ") + what);
}

}  // namespace

absl::Status TopicStore::Load(LogEpoch floor) {
  if (auto status = LoadFields(floor); !status.ok()) return status;
  if (auto status = LoadPartitions(); !status.ok()) return status;
  const auto add_topic = [this](std::string_view key, std::string_view value) -> absl::Status {
    rows::TopicRow row;
    row.topic.name = key.substr(1);
    if (!rows::DecodeTopic(value, &row)) return BadRow("a topic");
    for (size_t i = 0; i < row.topic.partitions.size(); ++i) {
      if (auto status = RestorePartition(row.topic.partitions[i], row.first_epochs[i]);
          !status.ok()) {
        return status;
      }
    }
    const std::lock_guard lock(mutex_);
    topics_[row.topic.name] = {std::make_shared<Topic>(row.topic), row.first_epochs};
    return absl::OkStatus();
  };
  if (auto status = parts_.database.ScanLog(rows::kTopicKind, add_topic); !status.ok()) {
    return status;
  }
  found_.clear();
  return absl::OkStatus();
}

absl::Status TopicStore::LoadFields(LogEpoch floor) {
  Database& database = parts_.database;
  const auto hub_id = database.db().Get(rocksdb::ReadOptions(), database.log(),
                                        ToSlice(rows::FieldKey(rows::kHubIdField)), &hub_id_);
  if (!hub_id.ok() && !hub_id.IsNotFound()) return ToStatus(hub_id, "cannot read the log's rows");
  const auto clean = database.ReadField(rows::kCleanField, 0);
  const auto epoch = database.ReadField(rows::kLogEpochField, 0);
  const auto next_partition = database.ReadField(rows::kNextPartitionField, 1);
  for (const auto& field : {clean, epoch, next_partition}) {
    if (!field.ok()) return field.status();
  }
  was_clean_ = *clean != 0;
  next_partition_ = *next_partition;
  log_epoch_ = std::max(was_clean_ ? *epoch : *epoch + kEpochsInDoubt, floor.value());
  rocksdb::WriteBatch batch;
  if (hub_id.IsNotFound()) {
    hub_id_ = RandomId();
    batch.Put(database.log(), ToSlice(rows::FieldKey(rows::kHubIdField)), ToSlice(hub_id_));
  }
  AddField(rows::kCleanField, 0, batch);
  AddField(rows::kLogEpochField, log_epoch_, batch);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return ToStatus(database.db().Write(synced, &batch), "cannot raise the log epoch");
}

absl::Status TopicStore::LoadPartitions() {
  const auto add_head = [this](std::string_view key, std::string_view value) {
    PartitionId id;
    rows::HeadRow head;
    if (!rows::DecodePartitionKey(key, &id) || !rows::DecodeHead(value, &head)) {
      return BadRow("a partition");
    }
    found_[id].head = head;
    return absl::OkStatus();
  };
  const auto add_epoch = [this](std::string_view key, std::string_view value) {
    PartitionId id;
    LogEpochHistory::Entry entry;
    int64_t epoch = 0;
    if (!rows::DecodePlaceKey(key, &id, &entry.first_offset) ||
        !rows::DecodeNumber(value, &epoch)) {
      return BadRow("a log epoch");
    }
    entry.epoch = LogEpoch(epoch);
    found_[id].epochs.push_back(entry);
    return absl::OkStatus();
  };
  const auto add_mark = [this](std::string_view key, std::string_view value) {
    PartitionId id;
    PartitionMark mark;
    if (!rows::DecodePlaceKey(key, &id, &mark.offset) || !rows::DecodeMark(value, &mark)) {
      return BadRow("a mark");
    }
    found_[id].marks.push_back(mark);
    return absl::OkStatus();
  };
  for (const auto& status : {parts_.database.ScanLog(rows::kHeadKind, add_head),
                             parts_.database.ScanLog(rows::kEpochKind, add_epoch),
                             parts_.database.ScanLog(rows::kMarkKind, add_mark)}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TopicStore::RestorePartition(PartitionId id, LogEpoch first_epoch) {
  const auto found = found_.find(id);
  if (found == found_.end()) return BadRow("a partition is missing");
  rows::HeadRow& head = found->second.head;
  if (!was_clean_) {
    // The head is written with its batches; this is to be sure.
    const auto end = BatchReader(parts_.database).EndAfter(id, head.end);
    if (end.ok()) {
      head.end = std::max(*end, head.end);
    } else if (!absl::IsDataLoss(end.status())) {
      return end.status();
    }
    head.end = std::max(head.end, head.earliest);
  }
  auto partition = std::make_shared<Partition>(id, first_epoch);
  partition->Restore(head, found->second.epochs, found->second.marks);
  parts_.bounds.Set(id, head.first_batch);
  parts_.partitions.Add(std::move(partition));
  return absl::OkStatus();
}

absl::Status TopicStore::MarkClean() {
  rocksdb::WriteBatch batch;
  AddField(rows::kCleanField, 1, batch);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return ToStatus(parts_.database.db().Write(synced, &batch), "cannot close the log");
}

}  // namespace millrace::storage
