// What a failed call says, read back from its bytes by a decoder that shares nothing with the
// hub's encoder.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace millrace::testing {

struct ErrorFacts {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  // google.rpc.ErrorInfo.
  std::string reason;
  std::string domain;
  std::map<std::string, std::string> metadata;
  // google.rpc.RetryInfo, in milliseconds.
  std::optional<int64_t> retry_after_ms;
  // google.rpc.BadRequest: the fields at fault.
  std::vector<std::string> fields;
};

// Fails the running test where the details are not a google.rpc.Status that agrees with the status
// itself. Empty for OK.
ErrorFacts FactsOf(const grpc::Status& status);

}  // namespace millrace::testing
