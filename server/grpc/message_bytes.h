// Messages of methods that are served raw, so that bytes which are no message get a typed error.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "storage/batch/shared_slice.h"

namespace millrace::server {

// MALFORMED_REQUEST, naming the message. The bytes stay as they are.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);

// A copy of the bytes in one piece.
storage::SliceBuffer Flatten(const grpc::ByteBuffer& bytes);

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

}  // namespace millrace::server
