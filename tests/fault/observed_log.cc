#include "tests/fault/observed_log.h"

#include <cstdio>
#include <future>

#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "tests/fault/random.h"

namespace millrace::fault {
namespace {

// The records from an offset on: a batch may begin earlier.
void AddRecords(const storage::ReadResult& result, storage::Offset from,
                ObservedPartition& partition) {
  for (const storage::FetchedBatch& batch : result.batches) {
    storage::Offset offset = batch.base_offset;
    for (const storage::SharedSlice& slice : batch.entries) {
      storage::EntryReader entries(slice.bytes);
      for (std::string_view bytes; entries.Next(&bytes); ++offset) {
        if (offset < from) continue;
        std::optional<RecordId> id;
        if (const auto record = storage::ParseRecord(bytes); record && record->value) {
          id = RecordWithValue(*record->value);
        }
        partition.records.push_back({offset, id, batch.log_epoch});
      }
    }
  }
}

ObservedPartition ReadOnce(storage::Engine& engine, storage::PartitionId id) {
  ObservedPartition partition;
  const auto status = engine.Status(id);
  if (!status.ok()) {
    partition.read = status.status();
    return partition;
  }
  partition.earliest = status->earliest;
  partition.end = status->high_watermark;
  storage::Offset next = partition.earliest;
  while (next < partition.end) {
    std::promise<absl::StatusOr<storage::ReadResult>> done;
    engine.Read(id, next, {}, [&](absl::StatusOr<storage::ReadResult> result) {
      done.set_value(std::move(result));
    });
    const auto result = done.get_future().get();
    if (!result.ok() || result->next_offset <= next) {
      partition.read = result.ok() ? absl::InternalError("a read gave nothing") : result.status();
      return partition;
    }
    AddRecords(*result, next, partition);
    next = result->next_offset;
  }
  return partition;
}

}  // namespace

std::string ToText(const RecordId& id) {
  return "write " + std::to_string(id.write) + "." + std::to_string(id.append) + "." +
         std::to_string(id.index);
}

std::string ValueOf(const RecordId& id, size_t size) {
  std::string value = std::to_string(id.write) + '.' + std::to_string(id.append) + '.' +
                      std::to_string(id.index) + '.' + std::to_string(size) + '|';
  Random random(static_cast<uint64_t>(id.write) * 1000003 +
                static_cast<uint64_t>(id.append) * 1009 + static_cast<uint64_t>(id.index));
  while (value.size() < size) {
    const uint64_t bytes = random.Next();
    value.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  }
  return value;
}

std::optional<RecordId> RecordWithValue(std::string_view value) {
  RecordId id;
  size_t size = 0;
  const std::string head(value.substr(0, 80));
  if (std::sscanf(head.c_str(), "%ld.%d.%d.%zu|", &id.write, &id.append, &id.index, &size) != 4) {
    return std::nullopt;
  }
  if (size > value.size() || ValueOf(id, size) != value) return std::nullopt;
  return id;
}

ObservedPartition ReadPartition(storage::Engine& engine, storage::PartitionId id) {
  for (;;) {
    ObservedPartition partition = ReadOnce(engine, id);
    const auto status = engine.Status(id);
    if (!status.ok() || status->earliest == partition.earliest) return partition;
    // Retention was faster.
  }
}

ObservedLog Observe(storage::Engine& engine, const std::vector<std::string>& groups,
                    const std::vector<Position>& positions) {
  ObservedLog log;
  log.hub_id = engine.hub_id();
  log.log_epoch = engine.log_epoch();
  log.topics = engine.Topics();
  for (const storage::TopicPtr& topic : log.topics) {
    for (const storage::PartitionId id : topic->partitions) {
      log.partitions[id] = ReadPartition(engine, id);
    }
  }
  for (const std::string& group : groups) {
    const auto commits = engine.CommittedOffsets(group);
    if (commits.ok()) {
      for (const storage::CommittedOffset& commit : *commits) {
        log.commits[{group, commit.partition}] = commit;
      }
    }
    const auto state = engine.GroupState(group);
    log.group_states[group] = state.ok() ? *state : state.status().ToString();
  }
  for (const Position& position : positions) {
    log.positions.emplace_back(
        position,
        engine.ValidatePosition(position.partition, position.next_offset, position.log_epoch));
  }
  return log;
}

}  // namespace millrace::fault
