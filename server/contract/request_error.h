// The facts of an error as every transport tells them, and their form inside an answer or a frame.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "millrace/v1/error.pb.h"
#include "storage/error.h"

namespace millrace::server {

struct WireError {
  absl::StatusCode code;
  std::string reason;
  std::string message;
  storage::ErrorMetadata metadata;
  std::optional<absl::Duration> retry_after;
};

// Of an error. One that was not made by storage/error.h keeps its code and gets the reason
// INTERNAL, and its message stays inside.
WireError WireErrorOf(const absl::Status& error);

// Empty, with code 0, for OK.
v1::RequestError ToRequestError(const absl::Status& status);

}  // namespace millrace::server
