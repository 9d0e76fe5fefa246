// Splits the records of one request among a topic's partitions, and keeps what was decided with the
// stored outcome, so that a repeated request gets the very same answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace millrace::hub {

// The records of a request that go to one partition.
struct PlacedRecords {
  int32_t partition = 0;
  storage::EncodedRecords records;
  std::vector<int32_t> record_indexes;  // Empty: all of the request's records, in order.
};
using Placement = absl::InlinedVector<PlacedRecords, 1>;

// By key, as PartitionForKey says; records without a key go to `keyless_partition`. Where all land
// in one partition the bytes are shared, else copied apart. `records` were walked before.
Placement PlaceByKey(const storage::EncodedRecords& records, int32_t partition_count,
                     int32_t keyless_partition);

// What a ProducerStamp keeps of a placement: partition numbers and record indexes, in order.
std::string EncodePlacement(const Placement& placement);

// The placement without its records. INTERNAL for bytes that EncodePlacement did not make.
absl::StatusOr<Placement> DecodePlacement(std::string_view bytes);

}  // namespace millrace::hub
