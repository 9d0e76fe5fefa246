#include "storage/rocksdb/log_repair.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/rocksdb/batch_reader.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

class Repair {
 public:
  Repair(Database& database, const std::optional<WitnessedLog>& witnessed)
      : database_(database), witnessed_(witnessed) {}

  absl::StatusOr<std::vector<LostRange>> Run() {
    for (const absl::Status& status : {ReadCatalogue(), RepairPartitions(), ClampCommits()}) {
      if (!status.ok()) return status;
    }
    ReportLostTopics();
    if (auto status = RepairFields(); !status.ok()) return status;
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto written = database_.db().Write(synced, &changes_);
    if (!written.ok()) return ToStatus(written, "the log cannot be repaired");
    return std::move(lost_);
  }

 private:
  absl::Status ReadCatalogue() {
    const auto add_topic = [this](std::string_view key, std::string_view value) -> absl::Status {
      rows::TopicRow row;
      if (!rows::DecodeTopic(value, &row)) return absl::DataLossError("a topic's row is damaged");
      for (size_t i = 0; i < row.topic.partitions.size(); ++i) {
        names_[row.topic.partitions[i]] = std::string(key.substr(1)) + "/" + std::to_string(i);
      }
      return absl::OkStatus();
    };
    const auto add_head = [this](std::string_view key, std::string_view value) {
      PartitionId id;
      rows::HeadRow head;
      if (rows::DecodePartitionKey(key, &id) && rows::DecodeHead(value, &head)) heads_[id] = head;
      return absl::OkStatus();
    };
    if (auto status = database_.ScanLog(rows::kTopicKind, add_topic); !status.ok()) return status;
    return database_.ScanLog(rows::kHeadKind, add_head);
  }

  absl::Status RepairPartitions() {
    for (const auto& [id, name] : names_) {
      rows::HeadRow& head = heads_[id];
      if (const Offset* end = WitnessedEnd(id)) head.end = std::max(head.end, *end);
      head.end = std::max(head.end, head.first_batch);
      auto audit = BatchReader(database_).Audit(id, head.first_batch, head.end);
      if (!audit.ok()) return audit.status();
      for (const auto& [from, to] : audit->damaged) lost_.push_back({name, from, to});
      head.end = audit->end;
      const auto row = rows::EncodeHead(head);
      changes_.Put(database_.log(), ToSlice(rows::HeadKey(id)), {row.data(), row.size()});
    }
    return absl::OkStatus();
  }

  absl::Status ClampCommits() {
    const std::unique_ptr<rocksdb::Iterator> it(
        database_.db().NewIterator(rocksdb::ReadOptions(), database_.offsets()));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      std::string_view group;
      CommittedOffset offset;
      if (!rows::DecodeOffsetKey(ToView(it->key()), &group, &offset.partition) ||
          !rows::DecodeOffset(ToView(it->value()), &offset)) {
        return absl::DataLossError("the row of a committed offset is damaged");
      }
      const auto head = heads_.find(offset.partition);
      if (head == heads_.end() || offset.next_offset <= head->second.end) continue;
      offset.next_offset = head->second.end;
      changes_.Put(database_.offsets(), it->key(), ToSlice(rows::EncodeOffset(offset)));
    }
    return ToStatus(it->status(), "cannot read committed offsets");
  }

  // What the witness knows and no topic has.
  void ReportLostTopics() {
    if (!witnessed_) return;
    for (const auto& [id, end] : std::map(witnessed_->ends.begin(), witnessed_->ends.end())) {
      if (names_.contains(id)) continue;
      lost_.push_back({"partition id " + std::to_string(id.value()), Offset(), end});
    }
  }

  // A number that was given out is not given out again, and the end counts as unclean.
  absl::Status RepairFields() {
    auto epoch = database_.ReadField(rows::kLogEpochField, 0);
    auto next_partition = database_.ReadField(rows::kNextPartitionField, 1);
    if (!epoch.ok()) return epoch.status();
    if (!next_partition.ok()) return next_partition.status();
    if (witnessed_) {
      *epoch = std::max(*epoch, witnessed_->log_epoch.value());
      for (const auto& [id, end] : witnessed_->ends) {
        *next_partition = std::max(*next_partition, int64_t{id.value()} + 1);
      }
    }
    for (const auto& [id, head] : heads_) {
      *next_partition = std::max(*next_partition, int64_t{id.value()} + 1);
    }
    for (const auto& [field, number] : {std::pair{rows::kLogEpochField, *epoch},
                                        std::pair{rows::kNextPartitionField, *next_partition},
                                        std::pair{rows::kCleanField, int64_t{0}}}) {
      changes_.Put(database_.log(), ToSlice(rows::FieldKey(field)),
                   ToSlice(rows::EncodeNumber(number)));
    }
    return absl::OkStatus();
  }

  const Offset* WitnessedEnd(PartitionId id) const {
    if (!witnessed_) return nullptr;
    const auto found = witnessed_->ends.find(id);
    return found == witnessed_->ends.end() ? nullptr : &found->second;
  }

  Database& database_;
  const std::optional<WitnessedLog>& witnessed_;
  std::map<PartitionId, std::string> names_;
  std::map<PartitionId, rows::HeadRow> heads_;
  std::vector<LostRange> lost_;
  rocksdb::WriteBatch changes_;
};

}  // namespace

absl::StatusOr<std::vector<LostRange>> RepairLog(Database& database,
                                                 const std::optional<WitnessedLog>& witnessed) {
  return Repair(database, witnessed).Run();
}

}  // namespace millrace::storage
