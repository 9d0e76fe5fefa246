// How an error of the hub looks on the wire: a gRPC status whose details are a google.rpc.Status
// with google.rpc.ErrorInfo (domain "millrace") and, where they apply, RetryInfo and BadRequest;
// or, inside an answer or a frame, a millrace.v1.RequestError with the same facts.
//
// Threads: any.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "millrace/v1/error.pb.h"

namespace millrace::server {

// OK for OK. A status that was not made by storage/error.h keeps its code and gets the reason
// INTERNAL, and its message stays inside.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Empty, with code 0, for OK.
v1::RequestError ToRequestError(const absl::Status& status);

}  // namespace millrace::server
