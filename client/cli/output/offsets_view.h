// Offsets of a topic's partitions as text and as JSON (documented in client/cli/README.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/admin.h"

namespace millrace::cli {

struct OffsetsView {
  std::string topic;
  std::vector<client::PartitionOffsets> partitions;
  // The next offset a group committed, by partition. Absent: no group was asked for.
  std::optional<std::map<int32_t, int64_t>> committed;
};

std::string OffsetTable(const OffsetsView& view, bool colour);

// One object a line, for each partition.
std::string OffsetLines(const OffsetsView& view);

}  // namespace millrace::cli
