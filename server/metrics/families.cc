#include "server/metrics/families.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

std::string FullName(std::string_view name) { return absl::StrCat("millrace_", std::string(name)); }

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

ClientMetric& Families::Add(const std::string& full_name, std::string_view help, MetricType type,
                            const MetricLabels& labels) {
  auto [family, is_new] = families_.try_emplace(full_name);
  if (is_new) {
    family->second = {.name = full_name, .help = std::string(help), .type = type, .metric = {}};
  }
  ClientMetric& metric = family->second.metric.emplace_back();
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

void Families::Gauge(std::string_view name, std::string_view help, double value,
                     const MetricLabels& labels) {
  Add(FullName(name), help, MetricType::Gauge, labels).gauge.value = value;
}

void Families::Counter(std::string_view name, std::string_view help, double value,
                       const MetricLabels& labels) {
  Add(FullName(name), help, MetricType::Counter, labels).counter.value = value;
}

void Families::Histogram(std::string_view name, std::string_view help,
                         const storage::LatencyCounts& counts) {
  ClientMetric::Histogram& histogram =
      Add(FullName(name), help, MetricType::Histogram, {}).histogram;
  uint64_t so_far = 0;
  for (size_t i = 0; i < counts.in_class.size(); ++i) {
    so_far += counts.in_class[i];
    const double bound = i < storage::kLatencyBounds.size()
                             ? Seconds(storage::kLatencyBounds[i])
                             : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({.cumulative_count = so_far, .upper_bound = bound});
  }
  histogram.sample_count = so_far;
  histogram.sample_sum = Seconds(counts.sum);
}

void Families::AddForeign(std::string_view full_name, std::string_view help, MetricType type,
                          double value) {
  ClientMetric& metric = Add(std::string(full_name), help, type, {});
  metric.gauge.value = value;
  metric.counter.value = value;
}

std::vector<prometheus::MetricFamily> Families::Take() && {
  std::vector<prometheus::MetricFamily> all;
  all.reserve(families_.size());
  for (auto& [name, family] : families_) all.push_back(std::move(family));
  return all;
}

}  // namespace millrace::server
