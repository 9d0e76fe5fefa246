#include "server/metrics/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/metrics/process_figures.h"

namespace millrace::server {
namespace {

// A group's lag in time is that of so many of its partitions, those with most records to come: for
// each a record is read.
constexpr size_t kMostTimedPartitions = 64;

double Number(int64_t value) { return static_cast<double>(value); }

}  // namespace

Metrics::Metrics(hub::Hub& hub, const CallWatch& watch, MetricsOptions options)
    : hub_(hub),
      watch_(watch),
      options_(std::move(options)),
      traffic_(options_.max_labels),
      group_labels_(options_.max_labels) {}

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(Collect()); }

std::vector<prometheus::MetricFamily> Metrics::Collect() const {
  Families families;
  {
    std::lock_guard lock(mutex_);
    AddTopics(families);
    AddGroups(families);
  }
  AddHub(families);
  AddLog(families);
  AddWorkers(families);
  AddServing(families);
  AddProcess(families);
  return std::move(families).Take();
}

void Metrics::AddHub(Families& families) const {
  families.Gauge("build_info", "1, with what this hub is.", 1,
                 {{"version", options_.version}, {"engine", std::string(hub_.engine().name())}});
  families.Gauge("ready", "1 while the hub takes calls, 0 while it stops.",
                 hub_.Admit().ok() ? 1 : 0);
  families.Gauge("subscriptions", "Open subscriptions, over all transports.",
                 Number(hub_.subscriptions().count()));
  families.Counter("healed_partitions_total",
                   "Partitions of subscriptions that were read again because a wake-up was lost.",
                   Number(hub_.subscriptions().healed_count()));
  families.Gauge("frames_bytes", "Records on their way to readers.",
                 Number(hub_.frame_budget().outstanding_bytes()));
  families.Gauge("frames_limit_bytes", "How much may be; before that, frames get smaller.",
                 Number(hub_.options().frame_budget_bytes));
}

void Metrics::AddTopics(Families& families) const {
  std::map<std::string, Traffic> traffic;
  int64_t partitions = 0;
  int64_t bytes = 0;
  const auto topics = hub_.engine().Topics();
  for (const storage::TopicPtr& topic : topics) {
    Traffic& of_topic = traffic[topic->name];
    partitions += static_cast<int64_t>(topic->partitions.size());
    for (const storage::PartitionId id : topic->partitions) {
      const auto status = hub_.engine().Status(id);
      if (!status.ok()) continue;  // Deleted meanwhile.
      bytes += status->size_bytes;
      of_topic += {.produced_records = Number(status->appended_records),
                   .produced_bytes = Number(status->appended_bytes)};
      if (const auto delivered = hub_.delivery_counts().Find(topic->name, id)) {
        of_topic += {.delivered_records = Number(delivered->records()),
                     .delivered_bytes = Number(delivered->bytes())};
      }
    }
  }
  families.Gauge("topics", "Topics.", Number(static_cast<int64_t>(topics.size())));
  families.Gauge("partitions", "Partitions of all topics.", Number(partitions));
  families.Gauge("stored_bytes", "Batches that are kept, before compression.", Number(bytes));
  for (const auto& [label, sum] : traffic_.Update(traffic)) {
    const MetricLabels labels = {{"topic", label}};
    families.Counter("produced_records_total", "Records stored since the hub started.",
                     sum.produced_records, labels);
    families.Counter("produced_bytes_total", "Bytes of the records stored since the hub started.",
                     sum.produced_bytes, labels);
    families.Counter("delivered_records_total",
                     "Records sent to subscribers since the hub started, once for each of them.",
                     sum.delivered_records, labels);
    families.Counter("delivered_bytes_total",
                     "Bytes of the records sent to subscribers since the hub started.",
                     sum.delivered_bytes, labels);
  }
}

void Metrics::AddGroups(Families& families) const {
  const std::vector<std::string> names = hub_.groups().Names();
  for (const std::string& name : groups_) {
    if (!std::binary_search(names.begin(), names.end(), name)) group_labels_.Forget(name);
  }
  std::map<std::string, hub::GroupLag> by_label;
  for (const std::string& name : names) {
    const std::string_view label = group_labels_.LabelOf(name);
    const auto lag =
        hub_.group_inspection().LagOf(name, label == kOtherLabel ? 0 : kMostTimedPartitions);
    if (!lag.ok()) continue;
    hub::GroupLag& sum = by_label[std::string(label)];
    sum.members += lag->members;
    sum.records += lag->records;
    if (label != kOtherLabel) sum.lag_time = lag->lag_time.value_or(absl::ZeroDuration());
  }
  groups_ = names;
  families.Gauge("groups", "Consumer groups.", Number(static_cast<int64_t>(names.size())));
  for (const auto& [label, lag] : by_label) {
    const MetricLabels labels = {{"group", label}};
    families.Gauge("group_members", "Members with an open stream.", Number(lag.members), labels);
    families.Gauge("group_lag_records", "Records that are visible and not committed.",
                   Number(lag.records), labels);
    if (!lag.lag_time) continue;
    families.Gauge("group_lag_seconds",
                   "Since when the oldest record is stored that is not committed; 0: none is.",
                   absl::ToDoubleSeconds(*lag.lag_time), labels);
  }
}

void Metrics::AddLog(Families& families) const {
  const storage::EngineStats stats = hub_.engine().Stats();
  families.Histogram("log_append_duration_seconds",
                     "From taking up a group of writes until it is in the log.", stats.append);
  families.Histogram("log_sync_duration_seconds", "Of a sync of the log to stable storage.",
                     stats.sync);
  families.Gauge("log_queued_writes", "Writes that wait to be taken up.",
                 Number(stats.queued_writes));
  families.Gauge("log_queued_bytes", "Bytes of the writes that wait or are being written.",
                 Number(stats.queued_bytes));
  families.Gauge("log_queue_limit_bytes", "Beyond it producers are held back.",
                 Number(stats.queue_limit_bytes));
  families.Gauge("log_unsynced_groups", "Groups of writes that wait for a sync.",
                 Number(stats.waiting_for_sync));
  if (stats.disk) {
    families.Gauge("log_disk_bytes", "Disk space that the log takes.",
                   Number(stats.disk->log_bytes));
    families.Gauge("disk_free_bytes", "What is free on the log's disk.",
                   Number(stats.disk->free_bytes));
    families.Gauge("disk_size_bytes", "How large the log's disk is.",
                   Number(stats.disk->size_bytes));
  }
  for (const storage::EngineFigure& figure : stats.figures) {
    const std::string name = absl::StrCat(std::string(hub_.engine().name()), "_", figure.name);
    if (figure.kind == storage::EngineFigure::Kind::kTotal) {
      families.Counter(name, figure.help, figure.value, figure.labels);
    } else {
      families.Gauge(name, figure.help, figure.value, figure.labels);
    }
  }
}

void Metrics::AddWorkers(Families& families) const {
  for (const storage::WorkStatus& work : hub_.Work()) {
    const MetricLabels labels = {{"worker", work.worker}};
    families.Gauge("worker_waiting_tasks", "Tasks that are queued or under way, by thread.",
                   Number(work.waiting), labels);
    families.Counter("worker_finished_tasks_total", "Tasks that are done.",
                     static_cast<double>(work.done), labels);
  }
  for (const hub::Progress& progress : hub_.stall_watch().Look()) {
    const MetricLabels labels = {{"worker", progress.worker}};
    families.Gauge("worker_stuck_seconds",
                   "Since when something waits and nothing was finished; 0 while it gets on.",
                   absl::ToDoubleSeconds(progress.stuck_for), labels);
    families.Counter("worker_stalls_total", "How often a thread was stuck for long.",
                     Number(progress.stalls), labels);
  }
}

void Metrics::AddServing(Families& families) const {
  for (const auto& [kind, open] :
       {std::pair<const char*, const OpenCount*>{"produce_stream", &watch_.produce_streams},
        {"websocket", &watch_.websockets},
        {"event_stream", &watch_.event_streams}}) {
    families.Gauge("open_streams", "Streams that are open, by kind.", Number(open->value()),
                   {{"kind", kind}});
  }
  families.Gauge("web_connections", "Connections of the web port.",
                 Number(watch_.web_connections.value()));
  for (const auto* refused : {watch_.refused_by_grpc.get(), watch_.refused_by_web.get()}) {
    for (const auto reason : {ConnectionRefusal::kLimit, ConnectionRefusal::kAddressLimit,
                              ConnectionRefusal::kStreamLimit, ConnectionRefusal::kAttack}) {
      families.Counter(
          "refused_connections_total",
          "Connections that were not taken, or were broken off, by the reason.",
          static_cast<double>(refused->count(reason)),
          {{"listener", refused->listener()}, {"reason", std::string(NameOf(reason))}});
    }
  }
  for (const ServedMethod* method : watch_.Methods()) {
    for (size_t code = 0; code < kStatusCodes; ++code) {
      const uint64_t ended = method->ended_with(code);
      if (ended == 0) continue;
      families.Counter("requests_total",
                       "Requests that were answered, by method and gRPC status code.",
                       static_cast<double>(ended),
                       {{"transport", std::string(NameOf(method->transport()))},
                        {"method", method->name()},
                        {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
    }
  }
}

}  // namespace millrace::server
