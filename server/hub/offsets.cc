#include "server/hub/offsets.h"

namespace millrace::hub {

absl::StatusOr<std::vector<PartitionOffsets>> ListOffsets(storage::Engine& engine,
                                                          const Topics& topics,
                                                          std::string_view topic_name,
                                                          const std::vector<int32_t>& partitions,
                                                          std::optional<absl::Time> time) {
  auto topic = topics.Find(topic_name);
  if (!topic.ok()) return topic.status();
  std::vector<int32_t> wanted = partitions;
  if (wanted.empty()) {
    for (size_t i = 0; i < (*topic)->partitions.size(); ++i) {
      wanted.push_back(static_cast<int32_t>(i));
    }
  }
  std::vector<PartitionOffsets> result;
  result.reserve(wanted.size());
  for (int32_t partition : wanted) {
    auto id = Topics::PartitionOf(**topic, partition);
    if (!id.ok()) return id.status();
    PartitionOffsets offsets{.partition = partition};
    if (time) {
      auto at_time = engine.OffsetAtTime(*id, *time);
      if (!at_time.ok()) return at_time.status();
      offsets.at_time = *at_time;
    }
    auto status = engine.Status(*id);
    if (!status.ok()) return status.status();
    offsets.earliest = status->earliest;
    offsets.latest = status->high_watermark;
    result.push_back(offsets);
  }
  return result;
}

}  // namespace millrace::hub
