// What the log knows of topics.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "storage/types.h"

namespace millrace::storage {

// How long records are kept. Absent: without limit.
struct RetentionPolicy {
  std::optional<absl::Duration> max_age;       // By append time; positive.
  std::optional<int64_t> max_partition_bytes;  // Of stored batches; positive.

  friend bool operator==(const RetentionPolicy&, const RetentionPolicy&) = default;
};

// A topic as it stood when it was asked for. Never changes; a changed topic is a new object.
struct Topic {
  std::string name;
  std::vector<PartitionId> partitions;  // By partition number.
  RetentionPolicy retention;
  absl::Time create_time;
};
using TopicPtr = std::shared_ptr<const Topic>;

// What to change in a topic; absent fields stay as they are.
struct TopicChange {
  std::optional<int32_t> partition_count;
  std::optional<RetentionPolicy> retention;
};

}  // namespace millrace::storage
