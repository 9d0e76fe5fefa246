// How a failed call looks over gRPC: a status whose details are a google.rpc.Status with
// google.rpc.ErrorInfo (domain "millrace") and, where they apply, RetryInfo and BadRequest. The
// same facts inside an answer or a frame: server/contract/request_error.h.
//
// Threads: any.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace millrace::server {

// OK for OK.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace millrace::server
