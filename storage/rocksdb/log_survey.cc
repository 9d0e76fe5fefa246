#include "storage/rocksdb/log_survey.h"

#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "storage/batch/stored_batch.h"
#include "storage/rocksdb/batch_reader.h"
#include "storage/rocksdb/replay_order.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

// Looks at each write that the replay of the write-ahead log finds, and keeps it from being put
// into memory.
class ReplayedWrites final : public rocksdb::WalFilter, private rocksdb::WriteBatch::Handler {
 public:
  struct Batch {
    Offset base;
    Offset end;
  };

  // Of those that follow one another.
  uint64_t last_sequence() const { return last_sequence_; }
  // Of one partition, in the order of the writes.
  const std::vector<Batch>& BatchesOf(PartitionId partition) const {
    static const std::vector<Batch> kNone;
    const auto found = batches_.find(partition);
    return found == batches_.end() ? kNone : found->second;
  }
  const std::map<std::string, std::string>& topic_rows() const { return topic_rows_; }
  const absl::flat_hash_map<PartitionId, rows::HeadRow>& heads() const { return heads_; }

  void ColumnFamilyLogNumberMap(const std::map<uint32_t, uint64_t>& /*log_numbers*/,
                                const std::map<std::string, uint32_t>& ids) override {
    records_id_ = ids.at(kRecordsFamily);
  }
  WalProcessingOption LogRecordFound(unsigned long long /*log*/,  // NOLINT(google-runtime-int)
                                     const std::string& /*file*/, const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* /*instead*/, bool* /*changed*/) override {
    const SequenceRange sequences = SequencesOf(batch);
    if (order_.Follows(sequences)) last_sequence_ = sequences.end - 1;
    batch.Iterate(this).PermitUncheckedError();
    return WalProcessingOption::kIgnoreCurrentRecord;
  }
  const char* Name() const override { return "millrace.ReplayedWrites"; }

 private:
  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (family == records_id_) {
      AddBatch(ToView(key), ToView(value));
    } else if (family == 0 && key.starts_with({&rows::kTopicKind, 1})) {
      topic_rows_[key.ToString()] = value.ToString();
    } else if (family == 0 && key.starts_with({&rows::kHeadKind, 1})) {
      PartitionId partition;
      rows::HeadRow head;
      if (rows::DecodePartitionKey(ToView(key), &partition) &&
          rows::DecodeHead(ToView(value), &head)) {
        heads_[partition] = head;
      }
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice& key) override {
    if (family == 0) topic_rows_.erase(key.ToString());
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice& /*blob*/) override {}

  void AddBatch(std::string_view key, std::string_view value) {
    PartitionId partition;
    Batch batch;
    StoredBatchHeader header;
    if (!rows::DecodeRecordKey(key, &partition, &batch.base) ||
        DecodeBatchHeader(value, &header) != StoredBatchError::kNone) {
      return;
    }
    batch.end = batch.base + header.record_count;
    // Batches that follow one another are one range.
    std::vector<Batch>& batches = batches_[partition];
    if (!batches.empty() && batches.back().end == batch.base) {
      batches.back().end = batch.end;
    } else {
      batches.push_back(batch);
    }
  }

  ReplayOrder order_;
  uint32_t records_id_ = 1;
  uint64_t last_sequence_ = 0;
  absl::flat_hash_map<PartitionId, std::vector<Batch>> batches_;
  absl::flat_hash_map<PartitionId, rows::HeadRow> heads_;
  std::map<std::string, std::string> topic_rows_;
};

using PartitionNames = absl::flat_hash_map<PartitionId, std::string>;

void AddNames(std::string_view key, std::string_view value, PartitionNames& names) {
  rows::TopicRow row;
  if (!rows::DecodeTopic(value, &row)) return;
  for (size_t i = 0; i < row.topic.partitions.size(); ++i) {
    names[row.topic.partitions[i]] = std::string(key.substr(1)) + "/" + std::to_string(i);
  }
}

// Where the records of a partition end that are written out of memory.
Offset FlushedEnd(Database& flushed, PartitionId partition) {
  const auto end = BatchReader(flushed).EndAfter(partition, Offset());
  return end.ok() ? *end : Offset();
}

std::vector<LostRange> FindLost(Database& flushed, const ReplayedWrites& replayed,
                                const WitnessedLog& witnessed) {
  PartitionNames names;
  flushed
      .ScanLog(rows::kTopicKind,
               [&](std::string_view key, std::string_view value) {
                 AddNames(key, value, names);
                 return absl::OkStatus();
               })
      .IgnoreError();
  for (const auto& [key, value] : replayed.topic_rows()) AddNames(key, value, names);
  std::vector<LostRange> lost;
  const std::map<PartitionId, Offset> ends(witnessed.ends.begin(), witnessed.ends.end());
  for (const auto& [partition, end] : ends) {
    const auto name = names.find(partition);
    const auto add = [&, id = partition](Offset from, Offset to) {
      lost.push_back(
          {name != names.end() ? name->second : "partition id " + std::to_string(id.value()), from,
           to});
    };
    Offset next = FlushedEnd(flushed, partition);
    if (const auto head = replayed.heads().find(partition); head != replayed.heads().end()) {
      next = std::max(next, head->second.earliest);  // What lies before was deleted.
    }
    for (const ReplayedWrites::Batch& batch : replayed.BatchesOf(partition)) {
      if (batch.base > next) add(next, batch.base);
      next = std::max(next, batch.end);
    }
    if (next < end) add(next, end);
  }
  return lost;
}

// What the log would have lost if it were opened without what is damaged.
std::string DescribeLoss(const std::string& path, DatabaseOptions options,
                         const WitnessedLog& witnessed) {
  ReplayedWrites replayed;
  options.skip_damaged_log = true;
  const auto flushed = Database::OpenToSurvey(path, options, replayed);
  if (!flushed.ok())
    return "What is missing cannot be told: " + std::string(flushed.status().message());
  const std::vector<LostRange> lost = FindLost(**flushed, replayed, witnessed);
  if (lost.empty()) return "No records are missing, but committed offsets or settings may be.";
  return "Missing: " + ToText(lost) + ".";
}

absl::Status CheckWhole(const std::string& path, const DatabaseOptions& options,
                        const WitnessedLog& witnessed) {
  const auto manifest = ManifestOnDisk(path, options.file_system);
  if (!manifest.ok()) return manifest.status();
  if (*manifest < witnessed.manifest) {
    return absl::DataLossError("the log in " + path + " has lost the end of its list of files");
  }
  ReplayedWrites replayed;
  const auto flushed = Database::OpenToSurvey(path, options, replayed);
  if (!flushed.ok()) return flushed.status();
  const uint64_t found =
      std::max(replayed.last_sequence(), (*flushed)->db().GetLatestSequenceNumber());
  if (found >= witnessed.sequence) return absl::OkStatus();
  return absl::DataLossError("the log in " + path +
                             " does not hold everything that was acknowledged");
}

}  // namespace

absl::Status CheckAgainstWitness(const std::string& path, const DatabaseOptions& options,
                                 const WitnessedLog& witnessed) {
  absl::Status status = CheckWhole(path, options, witnessed);
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(std::string(status.message()) + ". " +
                             DescribeLoss(path, options, witnessed));
}

}  // namespace millrace::storage
