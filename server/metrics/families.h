// The metrics of one scrape, gathered by families of one name.
#pragma once

#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/latency_histogram.h"

namespace millrace::server {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// For one thread at a time. Names are without "millrace_", which goes in front of all.
class Families {
 public:
  // A value that goes up and down.
  void Gauge(std::string_view name, std::string_view help, double value,
             const MetricLabels& labels = {});
  // One that only rises. Its name ends with _total.
  void Counter(std::string_view name, std::string_view help, double value,
               const MetricLabels& labels = {});
  // Times. Its name ends with _seconds.
  void Histogram(std::string_view name, std::string_view help,
                 const storage::LatencyCounts& counts);

  // The same under a name that is not ours alone.
  void AddForeign(std::string_view full_name, std::string_view help, prometheus::MetricType type,
                  double value);

  // By name.
  std::vector<prometheus::MetricFamily> Take() &&;

 private:
  prometheus::ClientMetric& Add(const std::string& full_name, std::string_view help,
                                prometheus::MetricType type, const MetricLabels& labels);

  std::map<std::string, prometheus::MetricFamily> families_;
};

}  // namespace millrace::server
