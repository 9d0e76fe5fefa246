// Time that only moves forward, for lingering, timeouts and backoff. Its zero means nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace millrace::client {

inline absl::Time MonotonicNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

inline std::chrono::steady_clock::time_point ToSteadyTime(absl::Time time) {
  return std::chrono::steady_clock::time_point(absl::ToChronoNanoseconds(time - absl::UnixEpoch()));
}

// Waits until `done` or, false, `deadline` (of MonotonicNow; it may be infinite).
template <typename Predicate>
bool WaitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
               absl::Time deadline, Predicate done) {
  if (deadline == absl::InfiniteFuture()) {
    condition.wait(lock, done);
    return true;
  }
  return condition.wait_until(lock, ToSteadyTime(deadline), done);
}

}  // namespace millrace::client
