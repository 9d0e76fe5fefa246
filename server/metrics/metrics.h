// The hub's figures for Prometheus. START HERE. Everything is read when somebody asks: the hub, the
// engine and the transports count for themselves, in plain numbers, and know nothing of this.
#pragma once

#include <prometheus/collectable.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/contract/call_watch.h"
#include "server/hub/hub.h"
#include "server/metrics/bounded_labels.h"
#include "server/metrics/families.h"
#include "server/metrics/traffic.h"

namespace millrace::server {

struct MetricsOptions {
  std::string version;      // Of the hub program.
  size_t max_labels = 100;  // So many topics, and groups, have series of their own.
};

// Threads: any; one scrape at a time is worked on.
class Metrics final : public prometheus::Collectable {
 public:
  // All outlive this object.
  Metrics(hub::Hub& hub, const CallWatch& watch, MetricsOptions options);

  // May block: reads directories and records.
  std::vector<prometheus::MetricFamily> Collect() const override;

  // The same in Prometheus's text format 0.0.4.
  std::string Text() const;

 private:
  void AddHub(Families& families) const;
  void AddTopics(Families& families) const;  // Under mutex_.
  void AddGroups(Families& families) const;  // Under mutex_.
  void AddLog(Families& families) const;
  void AddWorkers(Families& families) const;
  void AddServing(Families& families) const;

  hub::Hub& hub_;
  const CallWatch& watch_;
  const MetricsOptions options_;

  mutable std::mutex mutex_;
  mutable TrafficByLabel traffic_;           // Guarded by mutex_.
  mutable BoundedLabels group_labels_;       // Guarded by mutex_.
  mutable std::vector<std::string> groups_;  // Guarded by mutex_. As of the last scrape, sorted.
};

}  // namespace millrace::server
