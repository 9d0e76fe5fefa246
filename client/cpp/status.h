// Errors as they come off the wire, made into this library's (millrace/error.h).
#pragma once

#include "absl/status/status.h"

namespace grpc {
class Status;
}
namespace millrace::v1 {
class RequestError;
}

namespace millrace::client {

// With the details of google.rpc.Status as payloads.
absl::Status FromGrpc(const grpc::Status& status);

// An error that is told inside an answer or a frame.
absl::Status FromRequestError(const v1::RequestError& error);

// Whether the call may succeed when it is made again: the hub said so, or it was not there.
bool IsTransient(const absl::Status& status);

}  // namespace millrace::client
