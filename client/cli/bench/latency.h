// How long a record takes from the moment it is due to its acknowledgement and to its reader.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/bench/percentiles.h"
#include "client/cli/interrupts.h"
#include "client/cli/session.h"
#include "millrace/producer.h"

namespace millrace::cli {

struct LatencyLoad {
  double rate = 1000;  // Records a second.
  int64_t record_size = 100;
  absl::Duration duration = absl::Seconds(10);
  client::Durability durability = client::Durability::kHubDefault;
};

struct LatencyResult {
  int64_t records = 0;
  Percentiles acknowledged;
  Percentiles received;
};

// Sends one record after another at the times that the rate sets, whether or not earlier ones are
// answered, and reads them back. Every time counts from when the record was due, not from when it
// was sent: a hub that stalls is seen to stall.
absl::StatusOr<LatencyResult> MeasureLatency(Session& session, const Interrupts& interrupts,
                                             const std::string& topic, int32_t partitions,
                                             const LatencyLoad& load);

}  // namespace millrace::cli
