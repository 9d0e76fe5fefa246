// Consumer groups as tables and JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/admin.h"

namespace millrace::cli {

std::string GroupTable(const std::vector<client::GroupSummary>& groups, bool colour);
std::string GroupSummaryJson(const client::GroupSummary& group);

// The group, its partitions with who has them and their lag, and members without partitions.
std::string GroupText(const client::GroupDescription& group, bool colour);
std::string GroupJson(const client::GroupDescription& group);

// What a reset does: where each partition stood and where it goes on.
struct ResetView {
  client::TopicPartition partition;
  std::optional<int64_t> before;
  int64_t after = 0;
  bool done = false;    // False: it would be done (--dry-run), or was refused.
  std::string problem;  // Why it was refused.
};
std::string ResetTable(const std::vector<ResetView>& resets, bool colour);
std::string ResetLines(const std::vector<ResetView>& resets);

// A length of time to be read at a glance: "850ms", "12s", "3m20s", "5h02m", "8d".
std::string AgeText(absl::Duration age);

}  // namespace millrace::cli
