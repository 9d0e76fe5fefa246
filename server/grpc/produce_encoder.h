// Answers to Produce, ProduceStream and Transact as wire bytes.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "server/hub/producing.h"
#include "server/hub/transacting.h"

namespace millrace::server {

// A ProduceResponse.
grpc::ByteBuffer EncodeProduceResponse(const hub::ProduceOutcome& outcome);

// A ProduceStreamResponse with what was stored, or with why nothing was.
grpc::ByteBuffer EncodeProduceStreamResponse(const hub::ProduceOutcome& outcome);
grpc::ByteBuffer EncodeProduceStreamError(const absl::Status& error);

// A TransactResponse.
grpc::ByteBuffer EncodeTransactResponse(const hub::TransactOutcome& outcome);

}  // namespace millrace::server
