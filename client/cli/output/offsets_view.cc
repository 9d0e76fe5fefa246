#include "client/cli/output/offsets_view.h"

#include <algorithm>

#include "client/cli/output/json_line.h"
#include "client/cli/output/table.h"
#include "client/cli/parse/quantity.h"

namespace millrace::cli {
namespace {

bool HasTimes(const OffsetsView& view) {
  return std::any_of(view.partitions.begin(), view.partitions.end(),
                     [](const auto& partition) { return partition.offset_at_time.has_value(); });
}

std::optional<int64_t> CommittedAt(const OffsetsView& view, int32_t partition) {
  const auto found = view.committed->find(partition);
  if (found == view.committed->end()) return std::nullopt;
  return found->second;
}

// What the group has still to read: everything where it committed nothing.
int64_t Lag(const client::PartitionOffsets& partition, std::optional<int64_t> committed) {
  const int64_t next = std::max(committed.value_or(0), partition.earliest_offset);
  return std::max<int64_t>(partition.latest_offset - next, 0);
}

}  // namespace

std::string OffsetTable(const OffsetsView& view, bool colour) {
  std::vector<Column> columns = {{"PARTITION", Align::kRight},
                                 {"EARLIEST", Align::kRight},
                                 {"LATEST", Align::kRight},
                                 {"RECORDS", Align::kRight}};
  const bool times = HasTimes(view);
  if (times) columns.push_back({"AT TIME", Align::kRight});
  if (view.committed) {
    columns.push_back({"COMMITTED", Align::kRight});
    columns.push_back({"LAG", Align::kRight});
  }
  Table table(columns);
  for (const client::PartitionOffsets& partition : view.partitions) {
    std::vector<std::string> row = {std::to_string(partition.partition),
                                    std::to_string(partition.earliest_offset),
                                    std::to_string(partition.latest_offset),
                                    CountText(partition.latest_offset - partition.earliest_offset)};
    if (times) row.push_back(OrDash(partition.offset_at_time));
    if (view.committed) {
      const std::optional<int64_t> committed = CommittedAt(view, partition.partition);
      row.push_back(OrDash(committed));
      row.push_back(CountText(Lag(partition, committed)));
    }
    table.Add(std::move(row));
  }
  return table.Render(colour);
}

std::string OffsetLines(const OffsetsView& view) {
  const bool times = HasTimes(view);
  std::string out;
  for (const client::PartitionOffsets& partition : view.partitions) {
    JsonLine json;
    json.Text("topic", view.topic)
        .Number("partition", partition.partition)
        .Number("earliest_offset", partition.earliest_offset)
        .Number("latest_offset", partition.latest_offset);
    if (times) json.NumberOrNull("offset_at_time", partition.offset_at_time);
    if (view.committed) {
      const std::optional<int64_t> committed = CommittedAt(view, partition.partition);
      json.NumberOrNull("committed_offset", committed);
      json.Number("lag", Lag(partition, committed));
    }
    out += json.Take() + "\n";
  }
  return out;
}

}  // namespace millrace::cli
