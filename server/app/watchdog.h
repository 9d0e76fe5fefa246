// Ends a process that does not end by itself.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace millrace::server {

// Calls `bite` from a thread of its own unless it is destroyed within `patience`.
class Watchdog {
 public:
  Watchdog(absl::Duration patience, std::function<void()> bite);
  ~Watchdog();

  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool called_off_ = false;
  std::thread thread_;
};

}  // namespace millrace::server
