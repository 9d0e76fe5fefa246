#include "storage/rocksdb/batch_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/batch/stored_batch.h"
#include "storage/commit/read_assembler.h"
#include "storage/error.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

constexpr Offset kBeyondAll{std::numeric_limits<int64_t>::max()};

// Goes through the batches of one partition below an offset.
class BatchCursor {
 public:
  BatchCursor(Database& database, PartitionId partition, Offset end)
      : partition_(partition),
        first_key_(rows::EncodeRecordKey(partition, Offset())),
        end_key_(rows::EncodeRecordKey(partition, end)),
        lower_(first_key_.data(), first_key_.size()),
        upper_(end_key_.data(), end_key_.size()) {
    rocksdb::ReadOptions read;
    read.iterate_lower_bound = &lower_;
    read.iterate_upper_bound = &upper_;
    read.verify_checksums = true;
    read.readahead_size = 256 << 10;  // Of small batches; large ones lie in blob files.
    it_.reset(database.db().NewIterator(read, database.records()));
  }

  // To the batch that holds `offset`, or else the first one after it.
  void SeekTo(Offset offset) {
    const rows::RecordKey key = rows::EncodeRecordKey(partition_, offset);
    it_->SeekForPrev({key.data(), key.size()});
    if (!it_->status().ok()) return;
    StoredBatchHeader header;
    if (it_->Valid()) {
      // A header that cannot be read may be that of the batch looked for.
      if (DecodeBatchHeader(value(), &header) != StoredBatchError::kNone) return;
      if (base() + header.record_count > offset) return;
    }
    Seek(offset);
  }
  // To the first batch with this base offset or a larger one.
  void Seek(Offset offset) {
    const rows::RecordKey key = rows::EncodeRecordKey(partition_, offset);
    it_->Seek({key.data(), key.size()});
  }
  void SeekToLast() { it_->SeekToLast(); }
  void Next() { it_->Next(); }

  bool valid() const { return it_->Valid(); }
  // What does not match its checksum, or lay in a file that is gone.
  bool damaged() const { return it_->status().IsCorruption() || it_->status().IsPathNotFound(); }
  absl::Status status() const { return ToStatus(it_->status(), "records cannot be read"); }
  rocksdb::Slice key() const { return it_->key(); }
  std::string_view value() const { return ToView(it_->value()); }
  Offset base() const {
    PartitionId partition;
    Offset base;
    rows::DecodeRecordKey(ToView(it_->key()), &partition, &base);
    return base;
  }

 private:
  const PartitionId partition_;
  const rows::RecordKey first_key_;
  const rows::RecordKey end_key_;
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> it_;
};

// A value where it lies in RocksDB's cache, which must not go before it.
struct PinnedValue {
  explicit PinnedValue(std::shared_ptr<rocksdb::Cache> holding) : cache(std::move(holding)) {}

  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::PinnableSlice value;
};

// Values of at least so many bytes are not copied out of the cache, but kept there.
constexpr size_t kPinnedFrom = 16 << 10;

// The stored batch that the cursor is at, for as long as anybody needs it.
SharedSlice Keep(Database& database, const BatchCursor& cursor) {
  const std::string_view value = cursor.value();
  if (value.size() >= kPinnedFrom) {
    auto pinned = std::make_shared<PinnedValue>(database.blob_cache());
    rocksdb::ReadOptions read;
    read.read_tier = rocksdb::kBlockCacheTier;  // The cursor has just brought it there.
    const auto status = database.db().Get(read, database.records(), cursor.key(), &pinned->value);
    if (status.ok()) {
      const std::string_view bytes = ToView(pinned->value);
      return {.owner = std::move(pinned), .bytes = bytes};
    }
  }
  SliceBuffer buffer(value.size());
  std::memcpy(buffer.data(), value.data(), value.size());
  return buffer.Share(0, buffer.size());
}

FetchedBatch Fetched(Offset base, const StoredBatchView& batch, SharedSlice stored) {
  return {.base_offset = base,
          .record_count = batch.header.record_count,
          .log_epoch = batch.header.log_epoch,
          .append_time = batch.header.append_time,
          .entries = {{.owner = std::move(stored.owner), .bytes = batch.entries}},
          .entries_bytes = static_cast<int64_t>(batch.entries.size())};
}

// The base offset of the first batch that can be read after damage at `from`; `end` if none can.
// Reading fails for as long as the first key at or after the place looked at is damaged: tries
// places ever further away, then goes back to the first one that works.
Offset EndOfDamage(Database& database, PartitionId partition, Offset from, Offset end) {
  const auto find = [&](int64_t distance) -> std::optional<Offset> {
    BatchCursor cursor(database, partition, end);
    cursor.Seek(std::min(from + distance, end));
    if (cursor.valid()) return cursor.base();
    return cursor.damaged() ? std::nullopt : std::optional(end);
  };
  int64_t fails = 0;
  int64_t works = 1;
  while (!find(works) && from + works < end) {
    fails = works;
    works *= 2;
  }
  while (works - fails > 1) {
    const int64_t middle = fails + (works - fails) / 2;
    (find(middle) ? works : fails) = middle;
  }
  return find(works).value_or(end);
}

int64_t EntriesBytesOf(std::string_view stored) {
  return static_cast<int64_t>(stored.size()) - static_cast<int64_t>(kStoredBatchHeaderBytes);
}

absl::Status DataLoss(Offset from, Offset to) {
  return Error(Reason::kDataLoss,
               "the records from offset " + std::to_string(from.value()) + " to " +
                   std::to_string(to.value()) + " are damaged on the disk",
               {{"from", std::to_string(from.value())}, {"to", std::to_string(to.value())}});
}

}  // namespace

absl::StatusOr<ReadResult> BatchReader::Read(const Partition& partition, Offset from,
                                             ReadLimits limits) const {
  auto plan = partition.PlanRead(from, limits);
  if (!plan.ok()) return plan.status();
  const Offset end = plan->visible_end;
  ReadAssembler assembler(from, limits);
  BatchCursor cursor(database_, partition.id(), end);
  Offset next = from;
  bool damaged = false;
  // Each step loads a batch from the disk: none more once the answer is full.
  for (cursor.SeekTo(from); cursor.valid(); cursor.Next()) {
    const Offset base = cursor.base();
    // What lies between was deleted meanwhile, or damaged so that not even its key is left.
    if (base > next) break;
    if (!assembler.HasRoomFor(EntriesBytesOf(cursor.value()))) break;
    SharedSlice stored = Keep(database_, cursor);
    StoredBatchView batch;
    damaged = DecodeStoredBatch(stored.bytes, &batch) != StoredBatchError::kNone;
    if (damaged) break;
    auto status = assembler.Add(Fetched(base, batch, std::move(stored)));
    if (!status.ok()) return status;
    next = base + batch.header.record_count;
    if (assembler.full()) break;
  }
  damaged = damaged || cursor.damaged();
  if (!damaged && !cursor.status().ok()) return cursor.status();
  if (next > from || from == end) {
    return std::move(assembler).Finish(plan->earliest, end);
  }
  // Nothing could be read at `from`. Was it deleted meanwhile?
  plan = partition.PlanRead(from, limits);
  if (!plan.ok()) return plan.status();
  return DataLoss(from, EndOfDamage(database_, partition.id(), from, end));
}

absl::StatusOr<Offset> BatchReader::FirstSince(PartitionId partition, Partition::SearchRange range,
                                               UnixMillis time) const {
  BatchCursor cursor(database_, partition, range.end);
  Offset next = range.begin;
  for (cursor.SeekTo(range.begin); cursor.valid(); cursor.Next()) {
    StoredBatchHeader header;
    next = std::max(range.begin, cursor.base());
    if (DecodeBatchHeader(cursor.value(), &header) != StoredBatchError::kNone) return next;
    if (header.append_time >= time) return next;
    next = std::max(range.begin, cursor.base() + header.record_count);
  }
  if (cursor.damaged()) return next;
  if (auto status = cursor.status(); !status.ok()) return status;
  return range.end;
}

absl::StatusOr<Offset> BatchReader::BaseOf(PartitionId partition, Offset offset) const {
  BatchCursor cursor(database_, partition, kBeyondAll);
  cursor.SeekTo(offset);
  if (cursor.damaged()) return Offset();  // Whatever lies before may be needed.
  if (auto status = cursor.status(); !status.ok()) return status;
  return cursor.valid() ? std::min(cursor.base(), offset) : offset;
}

absl::StatusOr<BatchReader::AuditResult> BatchReader::Audit(PartitionId partition, Offset begin,
                                                            Offset end) const {
  AuditResult audit{.damaged = {}, .end = begin};
  bool more = true;
  while (more) {
    BatchCursor cursor(database_, partition, kBeyondAll);
    for (cursor.Seek(audit.end); cursor.valid(); cursor.Next()) {
      // A damaged batch has no end that could be believed: the next batch tells it.
      if (cursor.base() > audit.end) audit.damaged.emplace_back(audit.end, cursor.base());
      audit.end = cursor.base();
      StoredBatchView batch;
      if (DecodeStoredBatch(cursor.value(), &batch) == StoredBatchError::kNone) {
        audit.end = audit.end + batch.header.record_count;
      }
    }
    more = cursor.damaged() && audit.end < end;
    if (!more && !cursor.damaged() && !cursor.status().ok()) return cursor.status();
    if (!more) break;
    const Offset readable = EndOfDamage(database_, partition, audit.end, end);
    audit.damaged.emplace_back(audit.end, readable);
    audit.end = readable;
  }
  if (audit.end < end) audit.damaged.emplace_back(audit.end, end);
  audit.end = std::max(audit.end, end);
  return audit;
}

absl::StatusOr<Offset> BatchReader::EndAfter(PartitionId partition, Offset from) const {
  BatchCursor cursor(database_, partition, kBeyondAll);
  cursor.Seek(from);
  if (!cursor.valid()) {
    if (auto status = cursor.status(); !status.ok()) return status;
    return from;
  }
  cursor.SeekToLast();
  if (auto status = cursor.status(); !status.ok()) return status;
  StoredBatchHeader header;
  if (DecodeBatchHeader(cursor.value(), &header) != StoredBatchError::kNone) {
    return absl::DataLossError("the last batch of a partition is damaged");
  }
  return cursor.base() + header.record_count;
}

}  // namespace millrace::storage
