// Offsets of partitions: earliest, latest, by time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/topics.h"
#include "storage/engine.h"

namespace millrace::hub {

struct PartitionOffsets {
  int32_t partition = 0;
  storage::Offset earliest;
  storage::Offset latest;
  std::optional<storage::Offset> at_time;  // Present where a time was given.
};

// The offsets of the partitions named, or of all where none is. Blocks where a time is given.
// TOPIC_NOT_FOUND, INVALID_NAME, PARTITION_OUT_OF_RANGE, UNSUPPORTED_BY_ENGINE.
absl::StatusOr<std::vector<PartitionOffsets>> ListOffsets(storage::Engine& engine,
                                                          const Topics& topics,
                                                          std::string_view topic,
                                                          const std::vector<int32_t>& partitions,
                                                          std::optional<absl::Time> time);

}  // namespace millrace::hub
