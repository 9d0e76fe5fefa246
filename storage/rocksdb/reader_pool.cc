#include "storage/rocksdb/reader_pool.h"

#include <utility>

namespace millrace::storage {

ReaderPool::ReaderPool(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ReaderPool::~ReaderPool() { Stop(); }

bool ReaderPool::Post(Task& task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

ReaderPool::Depth ReaderPool::depth() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = static_cast<int64_t>(tasks_.size()) + running_, .done = done_};
}

void ReaderPool::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ReaderPool::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    ++running_;
    lock.unlock();
    std::move(task)();
    task = nullptr;
    lock.lock();
    --running_;
    ++done_;
  }
}

}  // namespace millrace::storage
