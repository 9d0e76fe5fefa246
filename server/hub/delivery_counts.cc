#include "server/hub/delivery_counts.h"

#include <algorithm>

namespace millrace::hub {

std::shared_ptr<DeliveryCount> DeliveryCounts::Of(std::string_view topic,
                                                  storage::PartitionId partition) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<DeliveryCount>& count = by_topic_[std::string(topic)][partition];
  if (count == nullptr) count = std::make_shared<DeliveryCount>();
  return count;
}

std::shared_ptr<const DeliveryCount> DeliveryCounts::Find(std::string_view topic,
                                                          storage::PartitionId partition) const {
  std::lock_guard lock(mutex_);
  const auto of_topic = by_topic_.find(topic);
  if (of_topic == by_topic_.end()) return nullptr;
  const auto count = of_topic->second.find(partition);
  return count == of_topic->second.end() ? nullptr : count->second;
}

void DeliveryCounts::OnTopicChanged(std::string_view topic, const storage::TopicPtr& now) {
  std::lock_guard lock(mutex_);
  const auto of_topic = by_topic_.find(topic);
  if (of_topic == by_topic_.end()) return;
  if (now == nullptr) {
    by_topic_.erase(of_topic);
    return;
  }
  absl::erase_if(of_topic->second, [&](const auto& entry) {
    return std::find(now->partitions.begin(), now->partitions.end(), entry.first) ==
           now->partitions.end();
  });
}

}  // namespace millrace::hub
