// From the bytes of a ProduceRequest to a hub::ProduceCommand, in one validating walk. The records
// are checked and counted, never parsed into objects: their bytes are what the log stores.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/hub/limits.h"
#include "server/hub/producing.h"
#include "storage/batch/shared_slice.h"

namespace millrace::server {

// The ProduceRequest that `buffer` holds; the records share the buffer. MALFORMED_REQUEST,
// EMPTY_REQUEST, MALFORMED_RECORD (record_index), RECORD_TOO_LARGE (record_index), BATCH_TOO_LARGE,
// EXPECTED_OFFSET_NEEDS_PARTITION, INVALID_SEQUENCE.
absl::StatusOr<hub::ProduceCommand> DecodeProduceRequest(const storage::SliceBuffer& buffer,
                                                         const hub::Limits& limits);

// The same for a ProduceRequest that lies in `buffer`, as one of several in a larger request; so
// many records stand before it there.
absl::StatusOr<hub::ProduceCommand> DecodeProduceRequest(const storage::SliceBuffer& buffer,
                                                         std::string_view request,
                                                         int32_t records_before,
                                                         const hub::Limits& limits);

// The same for a ProduceStreamRequest.
absl::StatusOr<hub::ProduceCommand> DecodeProduceStreamRequest(const storage::SliceBuffer& buffer,
                                                               const hub::Limits& limits);

// BATCH_TOO_LARGE (limit, unit): a request has more bytes or records than it may.
absl::Status BatchTooLarge(std::string_view unit, int64_t limit, int64_t found);

}  // namespace millrace::server
