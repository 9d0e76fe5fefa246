// Repeats a call while the hub is away, up to ConnectionOptions::request_timeout from construction.
//
//     do { status = Try(); } while (patience.WaitToRetry(status));
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cpp/backoff.h"
#include "millrace/connection.h"

namespace millrace::client {

// Threads: one at a time.
class Patience {
 public:
  explicit Patience(const ConnectionOptions& options);

  // Whether to try again; waits before it says so. Not after success, an error that a repetition
  // does not help, or when the time is up.
  bool WaitToRetry(const absl::Status& status);

 private:
  const absl::Time deadline_;
  Backoff backoff_;
};

}  // namespace millrace::client
