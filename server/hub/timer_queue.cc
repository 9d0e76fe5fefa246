#include "server/hub/timer_queue.h"

#include <pthread.h>

#include <chrono>
#include <utility>

namespace millrace::hub {

absl::Duration MonotonicNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

TimerQueue::TimerQueue() : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "timers");
}

TimerQueue::~TimerQueue() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TimerQueue::Schedule(absl::Duration delay, absl::AnyInvocable<void() &&> task) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    const auto it = tasks_.emplace(MonotonicNow() + delay, std::move(task));
    first = it == tasks_.begin();
  }
  if (first) wake_.notify_one();
}

void TimerQueue::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      wake_.wait(lock);
      continue;
    }
    const absl::Duration wait = tasks_.begin()->first - MonotonicNow();
    if (wait > absl::ZeroDuration()) {
      wake_.wait_for(lock, absl::ToChronoNanoseconds(wait));
      continue;
    }
    auto task = std::move(tasks_.extract(tasks_.begin()).mapped());
    lock.unlock();
    std::move(task)();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace millrace::hub
