#include "server/metrics/traffic.h"

namespace millrace::server {

Traffic& Traffic::operator+=(const Traffic& more) {
  produced_records += more.produced_records;
  produced_bytes += more.produced_bytes;
  delivered_records += more.delivered_records;
  delivered_bytes += more.delivered_bytes;
  return *this;
}

bool Traffic::Follows(const Traffic& earlier) const {
  return produced_records >= earlier.produced_records && produced_bytes >= earlier.produced_bytes &&
         delivered_records >= earlier.delivered_records &&
         delivered_bytes >= earlier.delivered_bytes;
}

std::map<std::string, Traffic, std::less<>> TrafficByLabel::Update(
    const std::map<std::string, Traffic>& now) {
  for (const auto& [topic, traffic] : last_) {
    const auto still = now.find(topic);
    const bool is_gone = still == now.end();
    // One that counts from the beginning again was deleted and made anew.
    if (!is_gone && still->second.Follows(traffic)) continue;
    if (labels_.LabelOf(topic) == kOtherLabel) gone_ += traffic;
    if (is_gone) labels_.Forget(topic);
  }
  std::map<std::string, Traffic, std::less<>> sums;
  for (const auto& [topic, traffic] : now) sums[std::string(labels_.LabelOf(topic))] += traffic;
  const bool some_are_gone = gone_.produced_records > 0 || gone_.delivered_records > 0;
  if (some_are_gone) sums[std::string(kOtherLabel)] += gone_;
  last_ = now;
  return sums;
}

}  // namespace millrace::server
