// A thread that does one thing again and again.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace millrace::storage {

class PeriodicTask {
 public:
  // Calls `task` in a thread of its own, first after `interval` and then `interval` after the last
  // call has returned. `name` (at most 15 bytes) shows in thread lists.
  PeriodicTask(const char* name, absl::Duration interval, std::function<void()> task);

  // The task is not called any more, and a call that is on has returned. Not to be destroyed by the
  // task.
  ~PeriodicTask();

  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  void Run(absl::Duration interval);

  const std::function<void()> task_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace millrace::storage
