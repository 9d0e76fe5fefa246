// Calls things at a later time, from one thread.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace millrace::hub {

// Time since an arbitrary moment, by a clock that never jumps: for measuring silence and delays.
absl::Duration MonotonicNow();

// Threads: Schedule from any thread; tasks run one after another on the queue's thread and must not
// block. Tasks that are not due yet when the queue is destroyed never run.
class TimerQueue {
 public:
  TimerQueue();
  ~TimerQueue();

  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Runs `task` once, not before `delay` has passed by the monotonic clock.
  void Schedule(absl::Duration delay, absl::AnyInvocable<void() &&> task);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<absl::Duration, absl::AnyInvocable<void() &&>> tasks_;  // By monotonic due time.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::hub
