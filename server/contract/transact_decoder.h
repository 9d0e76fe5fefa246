// From the bytes of a TransactRequest to a hub::TransactCommand. The records of its appends are
// walked as those of a Produce are (produce_decoder), and their bytes are what the log stores.
#pragma once

#include "absl/status/statusor.h"
#include "server/hub/limits.h"
#include "server/hub/transacting.h"
#include "storage/batch/shared_slice.h"

namespace millrace::server {

// The TransactRequest that `buffer` holds; the records share the buffer. Limits count for the
// request as a whole.
// MALFORMED_REQUEST, INVALID_SEQUENCE, BATCH_TOO_LARGE; and what DecodeProduceRequest finds in an
// append, with append_index besides.
absl::StatusOr<hub::TransactCommand> DecodeTransactRequest(const storage::SliceBuffer& buffer,
                                                           const hub::Limits& limits);

}  // namespace millrace::server
