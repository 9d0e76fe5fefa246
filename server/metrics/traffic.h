// What goes through the topics, under a bounded number of labels.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "server/metrics/bounded_labels.h"

namespace millrace::server {

// Of a topic since the hub started; of records' stored entries the bytes.
struct Traffic {
  double produced_records = 0;
  double produced_bytes = 0;
  double delivered_records = 0;
  double delivered_bytes = 0;

  Traffic& operator+=(const Traffic& more);
  // Whether it is that of a later moment of the same topic.
  bool Follows(const Traffic& earlier) const;
};

// For one thread at a time.
class TrafficByLabel {
 public:
  explicit TrafficByLabel(size_t max_topics) : labels_(max_topics) {}

  // Takes in how the topics stand, by name; gives the sums by label. The sum of those without a
  // label of their own never falls: what topics had that are gone stays in it.
  std::map<std::string, Traffic, std::less<>> Update(const std::map<std::string, Traffic>& now);

 private:
  BoundedLabels labels_;
  std::map<std::string, Traffic> last_;
  Traffic gone_;  // Of topics without a label of their own.
};

}  // namespace millrace::server
