// From the bytes of a ProduceRequest to a hub::ProduceCommand, in one validating walk. The records
// are checked and counted, never parsed into objects: their bytes are what the log stores.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/statusor.h"
#include "server/hub/limits.h"
#include "server/hub/producing.h"

namespace millrace::server {

// Copies the request once, out of the transport's buffers. MALFORMED_REQUEST, EMPTY_REQUEST,
// MALFORMED_RECORD (record_index), RECORD_TOO_LARGE (record_index), BATCH_TOO_LARGE,
// EXPECTED_OFFSET_NEEDS_PARTITION, INVALID_SEQUENCE.
absl::StatusOr<hub::ProduceCommand> DecodeProduceRequest(const grpc::ByteBuffer& bytes,
                                                         const hub::Limits& limits);

// The same for a ProduceStreamRequest.
absl::StatusOr<hub::ProduceCommand> DecodeProduceStreamRequest(const grpc::ByteBuffer& bytes,
                                                               const hub::Limits& limits);

}  // namespace millrace::server
