// Splits the records of a request among a topic's partitions on their way into the log, names the
// places they got on the way back, and keeps what was decided with the stored outcome, so that a
// repeated request gets the very same answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "storage/engine.h"

namespace millrace::hub {

// The records of a request that go to one partition.
struct PlacedRecords {
  int32_t partition = 0;
  storage::EncodedRecords records;
  std::vector<int32_t> record_indexes;  // Empty: all of the request's records, in order.
};
using Placement = absl::InlinedVector<PlacedRecords, 1>;

// Records of one request that got offsets of one partition.
struct PlacedRange {
  int32_t partition = 0;
  storage::Offset base_offset;
  int32_t record_count = 0;
  std::vector<int32_t> record_indexes;  // Empty: all of the request's records, in order.
};
using PlacedRanges = absl::InlinedVector<PlacedRange, 1>;

// Chooses the partitions of request after request. Threads: any.
class RecordPlacer {
 public:
  // All to `partition`; where it is absent by key, and the records without a key together, those of
  // each request to the next partition. PARTITION_OUT_OF_RANGE.
  absl::StatusOr<Placement> Place(const storage::Topic& topic, std::optional<int32_t> partition,
                                  storage::EncodedRecords records);

 private:
  std::atomic<uint32_t> next_keyless_{0};
};

// By key, as PartitionForKey says; records without a key go to `keyless_partition`. Where all land
// in one partition the bytes are shared, else copied apart. `records` were walked before.
Placement PlaceByKey(const storage::EncodedRecords& records, int32_t partition_count,
                     int32_t keyless_partition);

// Adds an append to the set for each partition of the placement, whose records move into it.
void AddAppends(const storage::Topic& topic, Placement& placement,
                std::optional<storage::Offset> expected_next_offset, storage::WriteSet& set);

// What the log answered to the appends of a placement, by the names and indexes of the request.
PlacedRanges NameRanges(absl::Span<const storage::AppendedRange> ranges, Placement placement);

// What a ProducerStamp keeps of a placement: partition numbers and record indexes, in order.
std::string EncodePlacement(const Placement& placement);

// The placement without its records. INVALID_SEQUENCE for what a Transact stored; INTERNAL for
// other bytes that EncodePlacement did not make.
absl::StatusOr<Placement> DecodePlacement(std::string_view bytes);

// The same for the appends of a transaction, in order. INVALID_SEQUENCE for what a Produce stored.
std::string EncodePlacements(absl::Span<const Placement> placements);
absl::StatusOr<std::vector<Placement>> DecodePlacements(std::string_view bytes);

}  // namespace millrace::hub
