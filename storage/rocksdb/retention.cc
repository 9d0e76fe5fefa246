#include "storage/rocksdb/retention.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "storage/rocksdb/batch_reader.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {

absl::Status Retention::Truncate(PartitionId id, Offset before) {
  auto partition = parts_.partitions.Get(id);
  if (!partition.ok()) return partition.status();
  if (auto status = (*partition)->CheckOffset(before); !status.ok()) return status;
  if (before <= (*partition)->Status().earliest) return absl::OkStatus();
  const auto first_batch = BatchReader(parts_.database).BaseOf(id, before);
  if (!first_batch.ok()) return first_batch.status();
  std::vector<NewStart> starts;
  const int64_t bytes = (*partition)->BytesBefore(before);
  starts.push_back({*std::move(partition), before, *first_batch, bytes});
  return Raise(std::move(starts));
}

absl::Status Retention::Enforce(Reclaimer::Urgency urgency) {
  const UnixMillis now = absl::ToUnixMillis(parts_.clock.Now());
  std::vector<NewStart> starts;
  for (const TopicPtr& topic : parts_.topics.All()) {
    if (topic->retention == RetentionPolicy()) continue;
    for (const PartitionId id : topic->partitions) {
      PartitionPtr partition = parts_.partitions.Find(id);
      if (partition == nullptr) continue;
      const auto bound = partition->BoundUnder(topic->retention, now);
      if (bound.earliest <= partition->Status().earliest) continue;
      starts.push_back({std::move(partition), bound.earliest, bound.earliest, bound.bytes});
    }
  }
  if (!starts.empty()) {
    if (auto status = Raise(std::move(starts)); !status.ok()) return status;
  }
  return parts_.reclaimer.Reclaim(urgency);
}

absl::Status Retention::Raise(std::vector<NewStart> starts) {
  std::vector<std::pair<PartitionId, Partition::Forgotten>> forgotten;
  Change change;
  change.prepare = [&](rocksdb::WriteBatch& batch) -> absl::Status {
    std::erase_if(starts, [this](const NewStart& start) {
      return parts_.partitions.Find(start.partition->id()) == nullptr ||
             start.earliest <= start.partition->written().head.earliest;
    });
    for (NewStart& start : starts) {
      const PartitionId id = start.partition->id();
      rows::HeadRow head = start.partition->written().head;
      head.earliest = start.earliest;
      head.first_batch = start.first_batch = std::max(head.first_batch, start.first_batch);
      const auto row = rows::EncodeHead(head);
      batch.Put(parts_.database.log(), ToSlice(rows::HeadKey(id)), {row.data(), row.size()});
      parts_.reclaimer.Plan(id, start.first_batch, start.bytes, batch);
    }
    return absl::OkStatus();
  };
  change.when_written = [&] {
    for (const NewStart& start : starts) {
      rows::HeadRow& head = start.partition->written().head;
      head.earliest = start.earliest;
      head.first_batch = start.first_batch;
    }
  };
  change.when_durable = [&] {
    for (const NewStart& start : starts) {
      const PartitionId id = start.partition->id();
      forgotten.emplace_back(id, start.partition->RaiseEarliest(start.earliest));
      parts_.bounds.Raise(id, start.first_batch);
      parts_.reclaimer.MayReclaim(id);
    }
  };
  if (auto status = parts_.queue.Apply(std::move(change)); !status.ok()) return status;
  return DeleteForgotten(forgotten);
}

absl::Status Retention::DeleteForgotten(
    const std::vector<std::pair<PartitionId, Partition::Forgotten>>& forgotten) {
  rocksdb::ColumnFamilyHandle* log = parts_.database.log();
  Change change;
  change.prepare = [&](rocksdb::WriteBatch& batch) -> absl::Status {
    for (const auto& [id, gone] : forgotten) {
      for (const Offset offset : gone.marks) batch.Delete(log, ToSlice(rows::MarkKey(id, offset)));
      for (const Offset offset : gone.epochs) {
        batch.Delete(log, ToSlice(rows::EpochKey(id, offset)));
      }
    }
    return absl::OkStatus();
  };
  return parts_.queue.Apply(std::move(change));
}

}  // namespace millrace::storage
