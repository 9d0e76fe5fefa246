// Topics, their partitions and offsets as text and as JSON.
//
// The JSON forms are documented in client/cli/README.md and stay as they are: fields may be added.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/admin.h"

namespace millrace::cli {

// "kept without limit", "kept 7d", "kept 7d and up to 10 GiB a partition".
std::string RetentionText(const client::RetentionPolicy& retention);

std::string TopicTable(const std::vector<client::Topic>& topics, bool colour);
std::string TopicJson(const client::Topic& topic);

std::string DescriptionText(const client::TopicDescription& description, bool colour);
std::string DescriptionJson(const client::TopicDescription& description);

std::string DeletionJson(std::string_view topic);

std::string PartitionTable(const std::vector<client::PartitionStatus>& partitions, bool colour);
// One object a line.
std::string PartitionLines(std::string_view topic,
                           const std::vector<client::PartitionStatus>& partitions);

}  // namespace millrace::cli
