#include "storage/periodic_task.h"

#include <pthread.h>

#include <utility>

namespace millrace::storage {

PeriodicTask::PeriodicTask(const char* name, absl::Duration interval, std::function<void()> task)
    : task_(std::move(task)), thread_([this, interval] { Run(interval); }) {
  pthread_setname_np(thread_.native_handle(), name);
}

PeriodicTask::~PeriodicTask() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PeriodicTask::Run(absl::Duration interval) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, absl::ToChronoNanoseconds(interval), [this] { return stopping_; })) {
    lock.unlock();
    task_();
    lock.lock();
  }
}

}  // namespace millrace::storage
