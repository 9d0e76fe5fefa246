#include "server/web/web_limits.h"

#include "absl/time/clock.h"

namespace millrace::server {

Presence Attendance::Enter(int32_t max) {
  std::lock_guard lock(mutex_);
  if (count_ >= max) return nullptr;
  ++count_;
  open_.Change(1);
  return Presence(
      this, [](const void* self) { static_cast<Attendance*>(const_cast<void*>(self))->Leave(); });
}

// Under the lock to the end: whoever waits may destroy this object as soon as it has it.
void Attendance::Leave() {
  std::lock_guard lock(mutex_);
  --count_;
  open_.Change(-1);
  left_.notify_all();
}

bool Attendance::WaitUntilEmpty(absl::Duration patience) {
  std::unique_lock lock(mutex_);
  return left_.wait_for(lock, absl::ToChronoNanoseconds(patience), [this] { return count_ == 0; });
}

int32_t Attendance::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

bool ReceiveBudget::Share::Set(int64_t bytes) {
  const int64_t more = bytes - bytes_;
  if (budget_.taken_.fetch_add(more, std::memory_order_relaxed) + more > budget_.total_bytes_ &&
      more > 0) {
    budget_.taken_.fetch_sub(more, std::memory_order_relaxed);
    return false;
  }
  bytes_ = bytes;
  return true;
}

}  // namespace millrace::server
