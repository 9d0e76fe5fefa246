#include "client/cli/output/topic_view.h"

#include <optional>

#include "client/cli/output/json_line.h"
#include "client/cli/output/table.h"
#include "client/cli/parse/quantity.h"
#include "client/cli/parse/time.h"

namespace millrace::cli {
namespace {

bool LimitsAge(const client::RetentionPolicy& retention) {
  return retention.max_age && *retention.max_age > absl::ZeroDuration();
}

void AddTime(JsonLine& json, std::string_view name, const std::optional<absl::Time>& time) {
  if (time) {
    json.Text(name, TimeText(*time));
  } else {
    json.Null(name);
  }
}

void AddTopic(JsonLine& json, const client::Topic& topic) {
  json.Text("topic", topic.name).Number("partition_count", topic.partition_count);
  if (LimitsAge(topic.retention)) {
    json.Number("retention_ms", absl::ToInt64Milliseconds(*topic.retention.max_age));
  } else {
    json.Null("retention_ms");
  }
  if (topic.retention.max_partition_bytes > 0) {
    json.Number("retention_bytes", topic.retention.max_partition_bytes);
  } else {
    json.Null("retention_bytes");
  }
  AddTime(json, "create_time", topic.create_time);
}

void AddPartition(JsonLine& json, const client::PartitionStatus& partition) {
  json.Number("partition", partition.partition)
      .Number("earliest_offset", partition.earliest_offset)
      .Number("latest_offset", partition.latest_offset)
      .Number("size_bytes", partition.size_bytes);
  AddTime(json, "last_append_time", partition.last_append_time);
}

std::string AgeText(const client::RetentionPolicy& retention) {
  return LimitsAge(retention) ? DurationText(*retention.max_age) : "-";
}

std::string BytesText(const client::RetentionPolicy& retention) {
  return retention.max_partition_bytes > 0 ? SizeText(retention.max_partition_bytes) : "-";
}

std::string TimeOrDash(const std::optional<absl::Time>& time) {
  return time ? TimeText(*time) : "-";
}

}  // namespace

std::string RetentionText(const client::RetentionPolicy& retention) {
  const bool bytes = retention.max_partition_bytes > 0;
  if (!LimitsAge(retention) && !bytes) return "kept without limit";
  std::string out = "kept ";
  if (LimitsAge(retention)) out += AgeText(retention) + (bytes ? " and " : "");
  if (bytes) out += "up to " + BytesText(retention) + " a partition";
  return out;
}

std::string TopicTable(const std::vector<client::Topic>& topics, bool colour) {
  Table table({{"TOPIC"},
               {"PARTITIONS", Align::kRight},
               {"RETENTION", Align::kRight},
               {"BYTES", Align::kRight},
               {"CREATED"}});
  for (const client::Topic& topic : topics) {
    table.Add({topic.name, CountText(topic.partition_count), AgeText(topic.retention),
               BytesText(topic.retention), TimeOrDash(topic.create_time)});
  }
  return table.Render(colour);
}

std::string TopicJson(const client::Topic& topic) {
  JsonLine json;
  AddTopic(json, topic);
  return json.Take();
}

std::string DescriptionText(const client::TopicDescription& description, bool colour) {
  int64_t records = 0;
  int64_t bytes = 0;
  for (const client::PartitionStatus& partition : description.partitions) {
    records += partition.latest_offset - partition.earliest_offset;
    bytes += partition.size_bytes;
  }
  return RenderFields({{"topic", description.topic.name},
                       {"records", CountText(records)},
                       {"size", SizeText(bytes)},
                       {"retention", RetentionText(description.topic.retention)},
                       {"created", TimeOrDash(description.topic.create_time)}},
                      colour) +
         "\n" + PartitionTable(description.partitions, colour);
}

std::string DescriptionJson(const client::TopicDescription& description) {
  JsonLine json;
  AddTopic(json, description.topic);
  JsonArray partitions;
  for (const client::PartitionStatus& partition : description.partitions) {
    JsonLine line;
    AddPartition(line, partition);
    partitions.Add(line.Take());
  }
  json.Json("partitions", partitions.Take());
  return json.Take();
}

std::string DeletionJson(std::string_view topic) {
  JsonLine json;
  json.Text("topic", topic).Bool("deleted", true);
  return json.Take();
}

std::string PartitionTable(const std::vector<client::PartitionStatus>& partitions, bool colour) {
  Table table({{"PARTITION", Align::kRight},
               {"EARLIEST", Align::kRight},
               {"LATEST", Align::kRight},
               {"RECORDS", Align::kRight},
               {"SIZE", Align::kRight},
               {"LAST APPEND"}});
  for (const client::PartitionStatus& partition : partitions) {
    table.Add({std::to_string(partition.partition), std::to_string(partition.earliest_offset),
               std::to_string(partition.latest_offset),
               CountText(partition.latest_offset - partition.earliest_offset),
               SizeText(partition.size_bytes), TimeOrDash(partition.last_append_time)});
  }
  return table.Render(colour);
}

std::string PartitionLines(std::string_view topic,
                           const std::vector<client::PartitionStatus>& partitions) {
  std::string out;
  for (const client::PartitionStatus& partition : partitions) {
    JsonLine json;
    json.Text("topic", topic);
    AddPartition(json, partition);
    out += json.Take() + "\n";
  }
  return out;
}

}  // namespace millrace::cli
