// Where `millrace consume` begins to read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/session.h"
#include "millrace/consumer.h"

namespace millrace::cli {

// The last `records` of every partition.
struct Last {
  int64_t records = 0;
};

// At an offset; the first record still kept; after the last one; the last few.
using OffsetChoice = std::variant<int64_t, client::Earliest, client::Latest, Last>;

// "1000", "earliest", "latest", "-10". InvalidArgument, with a sentence for whoever typed it.
absl::StatusOr<OffsetChoice> ParseOffset(std::string_view text);

// What the command line says about where to read. At most one of from_beginning, offset and since.
struct StartChoice {
  std::vector<std::string> topics;
  std::vector<int32_t> partitions;  // Empty: all.
  std::string group;
  bool from_beginning = false;
  std::optional<OffsetChoice> offset;
  std::optional<absl::Time> since;
};

// Fills in what the consumer needs of `choice`: topics, group, start and positions. Asks the hub
// for offsets where the choice needs them. Usage errors (errors.h): choices that do not go
// together. Else the hub's: TOPIC_NOT_FOUND, PARTITION_OUT_OF_RANGE.
absl::Status ChooseStart(client::Admin& admin, const StartChoice& choice,
                         client::ConsumerOptions& consumer);

}  // namespace millrace::cli
