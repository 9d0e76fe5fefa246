#include "storage/rocksdb/group_draft.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "storage/batch/stored_batch.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

// A stored batch that has reached this size gets no further records. Its checksum covers it as a
// whole, so that a reader of one record reads all of it.
constexpr int64_t kFullBatchBytes = 512 << 10;

// A slice this large stays as it came; smaller ones are copied, for they would keep a whole network
// buffer each.
constexpr size_t kSharedSliceBytes = 16 << 10;

void AddBatchRow(Database& database, PartitionId partition, const PartitionDraft::Batch& records,
                 const StoredBatchHeader& header, rocksdb::WriteBatch& batch) {
  absl::InlinedVector<std::string_view, 8> entries;
  for (const SharedSlice& slice : records.entries) entries.push_back(slice.bytes);
  const EncodedBatchHeader encoded = EncodeBatchHeader(header, entries);
  absl::InlinedVector<rocksdb::Slice, 8> parts{{encoded.data(), encoded.size()}};
  for (const std::string_view bytes : entries) parts.push_back(ToSlice(bytes));
  const rows::RecordKey key = rows::EncodeRecordKey(partition, records.base);
  const rocksdb::Slice key_part(key.data(), key.size());
  batch.Put(database.records(), rocksdb::SliceParts(&key_part, 1),
            rocksdb::SliceParts(parts.data(), static_cast<int>(parts.size())));
}

bool CanBeShared(const PartitionDraft::Batch& records) {
  return std::all_of(records.entries.begin(), records.entries.end(), [](const SharedSlice& slice) {
    return slice.owner != nullptr && slice.bytes.size() >= kSharedSliceBytes;
  });
}

FetchedBatch ToFetched(PartitionDraft::Batch& records, LogEpoch epoch, UnixMillis append_time) {
  FetchedBatch fetched{.base_offset = records.base,
                       .record_count = records.count,
                       .log_epoch = epoch,
                       .append_time = append_time,
                       .entries = {},
                       .entries_bytes = records.bytes};
  if (CanBeShared(records)) {
    for (SharedSlice& slice : records.entries) fetched.entries.push_back(std::move(slice));
    return fetched;
  }
  SliceBuffer buffer(static_cast<size_t>(records.bytes));
  char* out = buffer.data();
  for (const SharedSlice& slice : records.entries) {
    std::memcpy(out, slice.bytes.data(), slice.bytes.size());
    out += slice.bytes.size();
  }
  fetched.entries.push_back(buffer.Share(0, buffer.size()));
  return fetched;
}

}  // namespace

PartitionDraft& GroupDraft::DraftOf(PartitionPtr partition) {
  if (PartitionDraft* draft = FindDraft(*partition)) return *draft;
  Partition::Written& written = partition->written();
  written.draft = static_cast<int>(partitions_.size());
  partitions_.push_back(
      {.partition = std::move(partition), .base = written.head.end, .end = written.head.end});
  return partitions_.back();
}

PartitionDraft* GroupDraft::FindDraft(Partition& partition) {
  const int draft = partition.written().draft;
  return draft < 0 ? nullptr : &partitions_[static_cast<size_t>(draft)];
}

void GroupDraft::Append(PartitionDraft& draft, const EncodedRecords& records) {
  if (draft.batches.empty() || draft.batches.back().bytes >= kFullBatchBytes) {
    draft.batches.push_back({.base = draft.end});
  }
  PartitionDraft::Batch& batch = draft.batches.back();
  batch.count += records.count;
  batch.bytes += static_cast<int64_t>(records.entries.bytes.size());
  batch.entries.push_back(records.entries);
  draft.end += records.count;
}

void GroupDraft::AddRows(Database& database, LogEpoch epoch, UnixMillis now,
                         rocksdb::WriteBatch& batch) {
  for (PartitionDraft& draft : partitions_) {
    const PartitionId id = draft.partition->id();
    draft.head = draft.partition->written().head;
    draft.append_time = std::max(now, draft.head.last_append_time);
    draft.due = draft.partition->RowsDueAt(draft.base, epoch, draft.append_time);
    for (const PartitionDraft::Batch& records : draft.batches) {
      const StoredBatchHeader header{
          .record_count = records.count, .append_time = draft.append_time, .log_epoch = epoch};
      AddBatchRow(database, id, records, header, batch);
      draft.head.bytes += records.bytes + static_cast<int64_t>(kStoredBatchHeaderBytes);
    }
    draft.head.end = draft.end;
    draft.head.last_append_time = draft.append_time;
    const auto head = rows::EncodeHead(draft.head);
    batch.Put(database.log(), ToSlice(rows::HeadKey(id)), {head.data(), head.size()});
    if (draft.due.epoch) {
      batch.Put(database.log(), ToSlice(rows::EpochKey(id, draft.due.epoch->first_offset)),
                ToSlice(rows::EncodeNumber(draft.due.epoch->epoch.value())));
    }
    if (draft.due.mark) {
      batch.Put(database.log(), ToSlice(rows::MarkKey(id, draft.due.mark->offset)),
                ToSlice(rows::EncodeMark(*draft.due.mark)));
    }
  }
}

void GroupDraft::Publish(LogEpoch epoch, TailCache& tail) {
  for (PartitionDraft& draft : partitions_) {
    std::vector<FetchedBatch> batches;
    batches.reserve(draft.batches.size());
    for (PartitionDraft::Batch& records : draft.batches) {
      batches.push_back(ToFetched(records, epoch, draft.append_time));
    }
    draft.partition->written().head = draft.head;
    draft.partition->AddWritten(draft.due, std::move(batches));
    for (const PartitionDraft::Batch& records : draft.batches) {
      tail.Added(draft.partition, records.bytes);
    }
  }
}

void GroupDraft::Clear() {
  for (PartitionDraft& draft : partitions_) draft.partition->written().draft = -1;
  partitions_.clear();
}

}  // namespace millrace::storage
