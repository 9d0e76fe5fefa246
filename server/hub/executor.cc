#include "server/hub/executor.h"

#include <pthread.h>

#include <utility>

namespace millrace::hub {

Executor::Executor(const std::string& name, int threads) {
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

Executor::~Executor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Executor::Depth Executor::depth() const {
  std::lock_guard lock(mutex_);
  return {.waiting = static_cast<int64_t>(queue_.size()), .done = done_};
}

void Executor::Post(absl::AnyInvocable<void() &&> task) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Executor::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    std::move(task)();
    task = nullptr;
    lock.lock();
    ++done_;
  }
}

}  // namespace millrace::hub
