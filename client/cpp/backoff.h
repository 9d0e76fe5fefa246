// How long to wait before the next attempt, see BackoffOptions.
#pragma once

#include <functional>

#include "absl/time/time.h"
#include "millrace/connection.h"

namespace millrace::client {

// Threads: one at a time.
class Backoff {
 public:
  // `random` gives numbers from [0, 1); by default one generator a thread, seeded by the system.
  explicit Backoff(const BackoffOptions& options, std::function<double()> random = nullptr);

  // The next wait; each is longer than the one before, up to the maximum.
  absl::Duration Next();

  // The attempt succeeded: begin anew.
  void Reset() { attempts_ = 0; }

 private:
  const BackoffOptions options_;
  const std::function<double()> random_;
  int attempts_ = 0;
};

}  // namespace millrace::client
