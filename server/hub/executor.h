// Threads for work that must not run where it arises: blocking calls that arrive on event
// callbacks, and deliveries that the commit pipeline sets off.
#pragma once

#include <condition_variable>
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

  // Never blocks.
  void Post(absl::AnyInvocable<void() &&> task);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<absl::AnyInvocable<void() &&>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace millrace::hub
