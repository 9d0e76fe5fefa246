// What a benchmark sends, and how fast it went.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/interrupts.h"
#include "client/cli/session.h"
#include "millrace/producer.h"

namespace millrace::cli {

// The records of a benchmark, as they are sent.
struct Load {
  int32_t streams = 4;  // Producers, each with a stream of its own.
  int64_t record_size = 100;
  int32_t batch = 1000;  // Records a request.
  int32_t in_flight = 16;
  client::Durability durability = client::Durability::kHubDefault;
};

// When a stream stops sending.
struct SendLimit {
  absl::Duration duration = absl::InfiniteDuration();
  int64_t records = std::numeric_limits<int64_t>::max();  // Of each stream.
};

struct Throughput {
  int64_t records = 0;
  int64_t bytes = 0;
  absl::Duration elapsed;

  double RecordsPerSecond() const;
  double MegabytesPerSecond() const;  // Of 1,000,000 bytes.
};

// Bytes that do not compress, the same for the same seed.
std::string RandomBytes(int64_t size, uint32_t seed);

std::string DurabilityText(client::Durability durability);

// Sends records to `topic` on load.streams producers, stream i to partition i modulo `partitions`,
// until the limit or an interrupt, and waits until all are stored. The first error of any stream.
absl::StatusOr<Throughput> SendLoad(Session& session, const Interrupts& interrupts,
                                    const std::string& topic, int32_t partitions, const Load& load,
                                    const SendLimit& limit);

}  // namespace millrace::cli
