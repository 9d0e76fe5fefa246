// Whether the log has failed for good. After a failed fsync nothing may be believed that is not
// read back from the disk by a new process: all waiting and all later writes are refused.
//
// Safe from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "absl/status/status.h"

namespace millrace::storage {

class FailureLatch {
 public:
  explicit FailureLatch(std::function<void(absl::Status)> on_failure)
      : on_failure_(std::move(on_failure)) {}

  bool failed() const { return failed_.load(std::memory_order_acquire); }

  // OK, or STORAGE_FAILED with the first cause.
  absl::Status status() const {
    if (!failed()) return absl::OkStatus();
    const std::lock_guard lock(mutex_);
    return status_;
  }

  // The first call counts, and tells on_failure.
  void Fail(absl::Status status) {
    {
      const std::lock_guard lock(mutex_);
      if (!status_.ok()) return;
      status_ = status;
      failed_.store(true, std::memory_order_release);
    }
    if (on_failure_) on_failure_(std::move(status));
  }

 private:
  const std::function<void(absl::Status)> on_failure_;
  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;
  absl::Status status_;  // Guarded by mutex_.
};

}  // namespace millrace::storage
