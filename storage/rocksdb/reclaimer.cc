#include "storage/rocksdb/reclaimer.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace millrace::storage {
namespace {

constexpr int64_t kWorthBytes = 64 << 20;
constexpr int64_t kNotWorthBytes = 4 << 20;

// Blob files whose garbage is at least this part of them are rewritten.
constexpr double kGarbageRatio = 0.3;

int64_t LiveBytes(Database& database) {
  uint64_t tables = 0;
  uint64_t blobs = 0;
  database.db().GetIntProperty(database.records(), rocksdb::DB::Properties::kLiveSstFilesSize,
                               &tables);
  database.db().GetIntProperty(database.records(), rocksdb::DB::Properties::kLiveBlobFileSize,
                               &blobs);
  return static_cast<int64_t>(tables + blobs);
}

}  // namespace

absl::Status Reclaimer::Load() {
  return database_.ScanLog(
      rows::kReclaimKind, [this](std::string_view key, std::string_view value) -> absl::Status {
        PartitionId id;
        Planned planned{.durable = true};
        if (!rows::DecodePartitionKey(key, &id) || !rows::DecodeReclaim(value, &planned.row)) {
          return absl::DataLossError("the log's own rows are damaged: space to be freed");
        }
        plans_[id] = planned;
        return absl::OkStatus();
      });
}

void Reclaimer::Plan(PartitionId partition, Offset before, int64_t bytes,
                     rocksdb::WriteBatch& batch) {
  const std::lock_guard lock(mutex_);
  Planned& planned = plans_[partition];
  planned.durable = false;
  planned.row.before = std::max(planned.row.before, before);
  planned.row.bytes += bytes;
  batch.Put(database_.log(), ToSlice(rows::ReclaimKey(partition)),
            ToSlice(rows::EncodeReclaim(planned.row)));
}

void Reclaimer::MayReclaim(PartitionId partition) {
  const std::lock_guard lock(mutex_);
  const auto planned = plans_.find(partition);
  if (planned != plans_.end()) planned->second.durable = true;
}

Reclaimer::Plans Reclaimer::DurablePlans() const {
  const std::lock_guard lock(mutex_);
  Plans durable;
  for (const auto& [id, planned] : plans_) {
    if (planned.durable) durable[id] = planned;
  }
  return durable;
}

bool Reclaimer::IsWorthIt(const Plans& plans) {
  int64_t bytes = 0;
  for (const auto& [id, planned] : plans) bytes += planned.row.bytes;
  return bytes >= kWorthBytes || (bytes >= kNotWorthBytes && bytes >= LiveBytes(database_) / 10);
}

absl::Status Reclaimer::Reclaim(Urgency urgency) {
  const std::lock_guard one_at_a_time(reclaiming_);
  const Plans plans = DurablePlans();
  if (plans.empty() || (urgency == Urgency::kWhenWorthIt && !IsWorthIt(plans))) {
    return absl::OkStatus();
  }
  // What is in memtables is in the write-ahead logs too, which take space themselves.
  if (auto status = database_.Flush(); !status.ok()) return status;
  if (auto status = CompactRecords(plans); !status.ok()) return status;
  if (auto status = CollectBlobs(); !status.ok()) return status;
  return Forget(plans);
}

absl::Status Reclaimer::CompactRecords(const Plans& plans) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (auto first = plans.begin(); first != plans.end();) {
    // Neighbours go together: there may be thousands.
    auto last = first;
    for (auto next = std::next(first); next != plans.end() && next->first == last->first + 1;
         ++next) {
      last = next;
    }
    const auto begin = rows::EncodeRecordKey(first->first, Offset());
    const auto end = rows::EncodeRecordKey(last->first, last->second.row.before);
    const rocksdb::Slice begin_key(begin.data(), begin.size());
    const rocksdb::Slice end_key(end.data(), end.size());
    const auto compacted =
        database_.db().CompactRange(options, database_.records(), &begin_key, &end_key);
    if (auto status = ToStatus(compacted, "disk space cannot be freed"); !status.ok()) {
      return status;
    }
    first = std::next(last);
  }
  return absl::OkStatus();
}

absl::Status Reclaimer::CollectBlobs() {
  rocksdb::ColumnFamilyMetaData meta;
  database_.db().GetColumnFamilyMetaData(database_.records(), &meta);
  std::sort(meta.blob_files.begin(), meta.blob_files.end(),
            [](const auto& a, const auto& b) { return a.blob_file_number < b.blob_file_number; });
  // RocksDB rewrites the oldest files, up to some part of all: as many as are worth it together.
  double total = 0;
  double garbage = 0;
  size_t worth = 0;
  for (size_t i = 0; i < meta.blob_files.size(); ++i) {
    total += static_cast<double>(meta.blob_files[i].total_blob_bytes);
    garbage += static_cast<double>(meta.blob_files[i].garbage_blob_bytes);
    if (garbage > 0 && garbage >= kGarbageRatio * total) worth = i + 1;
  }
  if (worth == 0) return absl::OkStatus();
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff =
      static_cast<double>(worth) / static_cast<double>(meta.blob_files.size());
  return ToStatus(database_.db().CompactRange(options, database_.records(), nullptr, nullptr),
                  "disk space cannot be freed");
}

absl::Status Reclaimer::Forget(const Plans& plans) {
  Change change;
  change.prepare = [this, &plans](rocksdb::WriteBatch& batch) -> absl::Status {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, planned] : plans) {
      const auto now = plans_.find(id);
      // More may have been planned meanwhile.
      if (now == plans_.end() || now->second.row.bytes != planned.row.bytes ||
          now->second.row.before != planned.row.before) {
        continue;
      }
      plans_.erase(now);
      batch.Delete(database_.log(), ToSlice(rows::ReclaimKey(id)));
    }
    return absl::OkStatus();
  };
  return queue_.Apply(std::move(change));
}

}  // namespace millrace::storage
