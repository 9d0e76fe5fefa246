#include "storage/memory/callback_thread.h"

#include <chrono>
#include <utility>

namespace millrace::storage {

CallbackThread::CallbackThread(absl::AnyInvocable<void()> periodic, absl::Duration interval)
    : periodic_(std::move(periodic)), interval_(interval), thread_([this] { Run(); }) {}

CallbackThread::~CallbackThread() { Stop(); }

void CallbackThread::Post(Callback callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      callbacks_.push_back(std::move(callback));
      changed_.notify_one();
      return;
    }
  }
  std::move(callback)();
}

void CallbackThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void CallbackThread::Run() {
  const auto interval = absl::ToChronoNanoseconds(interval_);
  auto next_period = std::chrono::steady_clock::now() + interval;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_until(lock, next_period, [&] { return stopping_ || !callbacks_.empty(); });
    std::deque<Callback> callbacks = std::exchange(callbacks_, {});
    if (callbacks.empty() && stopping_) return;
    lock.unlock();
    for (Callback& callback : callbacks) std::move(callback)();
    if (std::chrono::steady_clock::now() >= next_period) {
      periodic_();
      next_period = std::chrono::steady_clock::now() + interval;
    }
    lock.lock();
  }
}

}  // namespace millrace::storage
