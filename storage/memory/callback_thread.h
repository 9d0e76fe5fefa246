// Runs callbacks one after another on a thread of its own, in the order they were posted.
//
// Post from any thread; Stop and the destructor from any but the callbacks' own.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace millrace::storage {

class CallbackThread {
 public:
  using Callback = absl::AnyInvocable<void() &&>;

  // Besides what is posted, runs `periodic` about every `interval`.
  CallbackThread(absl::AnyInvocable<void()> periodic, absl::Duration interval);
  ~CallbackThread();

  // After Stop, a callback runs at once, inside the call.
  void Post(Callback callback);

  // Runs what was posted and ends the thread. Idempotent.
  void Stop();

 private:
  void Run();

  absl::AnyInvocable<void()> periodic_;
  const absl::Duration interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Callback> callbacks_;  // Guarded by mutex_.
  bool stopping_ = false;           // Guarded by mutex_.
  std::mutex join_mutex_;
  std::thread thread_;  // Joined under join_mutex_.
};

}  // namespace millrace::storage
