// Topics as clients see them: names and limits are judged here, the log does the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/hub/delivery_counts.h"
#include "server/hub/hub_observer.h"
#include "server/hub/limits.h"
#include "server/hub/names.h"
#include "storage/engine.h"

namespace millrace::hub {

// A page of a list sorted by name.
struct TopicPage {
  std::vector<storage::TopicPtr> topics;
  std::string next_page_token;  // Empty: this was the last page.
};

// Where to cut one partition.
struct Truncation {
  int32_t partition = 0;
  storage::Offset before;
};

// A partition with its number.
struct NumberedStatus {
  int32_t partition = 0;
  storage::PartitionStatus status;
  int64_t delivered_records = 0;  // Since the hub started, over all readers.
};

// Told, after the change is durable, about a topic that is new, has grown or is gone.
using TopicObserver = std::function<void(std::string_view topic)>;

// Threads: any. Calls that change something block on the disk; the rest never blocks.
class Topics {
 public:
  struct Options {
    storage::RetentionPolicy default_retention;
    int32_t auto_create_partitions = 0;  // 0: topics are never created by producing.
  };

  // All outlive this object. `on_change` is called from the changing thread.
  Topics(storage::Engine& engine, const Limits& limits, Options options,
         const DeliveryCounts& delivery_counts, HubObserver& observer, TopicObserver on_change);

  const Options& options() const { return options_; }

  // TOPIC_NOT_FOUND; INVALID_NAME where no topic can have this name. Never blocks.
  absl::StatusOr<storage::TopicPtr> Find(std::string_view name) const;

  // Never blocks. PARTITION_OUT_OF_RANGE (topic, partition, partition_count).
  static absl::StatusOr<storage::PartitionId> PartitionOf(const storage::Topic& topic,
                                                          int32_t partition);

  // INVALID_NAME, INVALID_CONFIG, LIMIT_EXCEEDED, TOPIC_EXISTS. Absent retention: the default.
  absl::StatusOr<storage::TopicPtr> Create(std::string_view name, int32_t partition_count,
                                           std::optional<storage::RetentionPolicy> retention);

  // Creates the topic with auto_create_partitions if that is allowed, or finds it.
  absl::StatusOr<storage::TopicPtr> FindOrAutoCreate(std::string_view name);

  // TOPIC_NOT_FOUND, INVALID_CONFIG, LIMIT_EXCEEDED.
  absl::StatusOr<storage::TopicPtr> Update(std::string_view name,
                                           const storage::TopicChange& change);

  // TOPIC_NOT_FOUND.
  absl::Status Delete(std::string_view name);

  // Cuts the partitions named, or all at their ends where none is. All are checked before any is
  // cut. TOPIC_NOT_FOUND, PARTITION_OUT_OF_RANGE, OFFSET_OUT_OF_RANGE.
  absl::StatusOr<std::vector<NumberedStatus>> Truncate(std::string_view name,
                                                       const std::vector<Truncation>& cuts);

  // The status of every partition. Never blocks. TOPIC_NOT_FOUND.
  absl::StatusOr<std::vector<NumberedStatus>> Partitions(const storage::Topic& topic) const;

  // Topics after `page_token`, at most `page_size` (0: 1,000; more is taken as 1,000), of those
  // that `shown` says yes to. INVALID_PAGE.
  absl::StatusOr<TopicPage> List(int32_t page_size, std::string_view page_token,
                                 NameFilter shown = EveryName) const;

 private:
  absl::Status CheckPartitionCount(int32_t partition_count) const;
  absl::StatusOr<NumberedStatus> StatusOf(const storage::Topic& topic, int32_t partition) const;
  static absl::Status CheckRetention(const storage::RetentionPolicy& retention);

  storage::Engine& engine_;
  const Limits& limits_;
  const Options options_;
  const DeliveryCounts& delivery_counts_;
  HubObserver& observer_;
  const TopicObserver on_change_;
};

}  // namespace millrace::hub
