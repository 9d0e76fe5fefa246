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

// Who runs work that is handed over.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;

  // Any thread. Never blocks, and never runs the task inside of the call.
  virtual void Post(absl::AnyInvocable<void() &&> task) = 0;
};

// A fixed number of threads over one queue, first in, first out. Post from any thread. The
// destructor runs what is queued, then joins.
class Executor final : public TaskRunner {
 public:
  // `name` (at most 15 bytes) shows in thread lists.
  Executor(const std::string& name, int threads);
  ~Executor() override;

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Tasks that wait for a thread, and those that are done.
  struct Depth {
    int64_t waiting = 0;
    uint64_t done = 0;
  };
  Depth depth() const;

  void Post(absl::AnyInvocable<void() &&> task) override;

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
