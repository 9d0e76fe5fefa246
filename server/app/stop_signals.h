// SIGTERM and SIGINT as something to wait for.
#pragma once

#include "absl/time/time.h"

namespace millrace::server {

// Made on the main thread before any other is started, so that all of them leave the signals alone.
class StopSignals {
 public:
  StopSignals();

  // Waits for one of the signals; gives its name, or null after `patience`.
  const char* Wait(absl::Duration patience);

  // From now on a signal ends the process at once. Call it on the main thread.
  void LetThemKill();
};

}  // namespace millrace::server
