// Threads for work that must not run where it arises: blocking calls that arrive on event
// callbacks, and deliveries that the commit pipeline sets off.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace millrace::hub {

// A fixed number of threads over one queue, first in, first out. Post from any thread. The
// destructor runs what is queued, then joins.
class Executor {
 public:
  // `name` (at most 15 bytes) shows in thread lists.
  Executor(const std::string& name, int threads);
  ~Executor();

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Tasks that wait for a thread, and those that are done.
  struct Depth {
    int64_t waiting = 0;
    uint64_t done = 0;
  };
  Depth depth() const;

  // Never blocks.
  void Post(absl::AnyInvocable<void() &&> task);

 private:
  void Run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<absl::AnyInvocable<void() &&>> queue_;
  uint64_t done_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace millrace::hub
