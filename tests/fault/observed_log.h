// A log as it is read back after a cut: all that a client can see of it.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "storage/catalogue.h"
#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::fault {

// Names a record that somebody wanted to write: of all writes ever, the append within it, and the
// record within that.
struct RecordId {
  int64_t write = 0;
  int32_t append = 0;
  int32_t index = 0;

  friend auto operator<=>(const RecordId&, const RecordId&) = default;
};
std::string ToText(const RecordId& id);

// The value of a record: its name, then bytes that follow from the name, about `size` in all.
std::string ValueOf(const RecordId& id, size_t size);
// The record that has exactly this value; absent: none has.
std::optional<RecordId> RecordWithValue(std::string_view value);

struct ObservedRecord {
  storage::Offset offset;
  std::optional<RecordId> id;  // Absent: these bytes are no record's.
  storage::LogEpoch log_epoch;
};

struct ObservedPartition {
  storage::Offset earliest;
  storage::Offset end;
  std::vector<ObservedRecord> records;  // As they were read, from `earliest` on.
  absl::Status read;                    // Why reading stopped.
};

// What a reader saw, and whether it may go on from there.
struct Position {
  storage::PartitionId partition;
  storage::Offset next_offset;
  storage::LogEpoch log_epoch;  // Of the last record it saw.
  RecordId last;                // That record: at next_offset - 1.
};

struct ObservedLog {
  using CommitKey = std::pair<std::string, storage::PartitionId>;  // The group.

  std::string hub_id;
  storage::LogEpoch log_epoch;
  std::vector<storage::TopicPtr> topics;
  std::map<storage::PartitionId, ObservedPartition> partitions;
  std::map<CommitKey, storage::CommittedOffset> commits;
  std::map<std::string, std::string> group_states;
  std::vector<std::pair<Position, absl::Status>> positions;  // With what ValidatePosition says.
};

ObservedPartition ReadPartition(storage::Engine& engine, storage::PartitionId partition);

// Reads all of a log: its topics, what these groups have, and whether these positions hold.
ObservedLog Observe(storage::Engine& engine, const std::vector<std::string>& groups,
                    const std::vector<Position>& positions);

}  // namespace millrace::fault
