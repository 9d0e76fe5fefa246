// Threads that read from disk for those who must not wait.
//
// Post from any thread; Stop from any but the pool's own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace millrace::storage {

class ReaderPool {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  explicit ReaderPool(int threads);
  ~ReaderPool();

  // False once stopped: the task is left as it was.
  bool Post(Task& task);

  // Tasks that wait or run, and those that are done.
  struct Depth {
    int64_t waiting = 0;
    uint64_t done = 0;
  };
  Depth depth() const;

  // Runs what was posted and ends the threads. Idempotent.
  void Stop();

 private:
  void Run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;  // Guarded by mutex_.
  int64_t running_ = 0;     // Guarded by mutex_.
  uint64_t done_ = 0;       // Guarded by mutex_.
  bool stopping_ = false;   // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace millrace::storage
