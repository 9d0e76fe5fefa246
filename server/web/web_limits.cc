#include "server/web/web_limits.h"

#include "absl/time/clock.h"
#include "server/hub/timer_queue.h"

namespace millrace::server {

Presence Attendance::Enter(const PeerNetwork& from) {
  if (const auto refusal = Refuse(from)) {
    refused_.Note(*refusal, from.ToString());
    return nullptr;
  }
  return Presence(this, [this, from](const void*) { Leave(from); });
}

std::optional<ConnectionRefusal> Attendance::Refuse(const PeerNetwork& from) {
  std::lock_guard lock(mutex_);
  if (count_ >= most_) return ConnectionRefusal::kLimit;
  if (!addresses_.Enter(from, hub::MonotonicNow())) return ConnectionRefusal::kAddressLimit;
  ++count_;
  open_.Change(1);
  return std::nullopt;
}

// Under the lock to the end: whoever waits may destroy this object as soon as it has it.
void Attendance::Leave(const PeerNetwork& from) {
  std::lock_guard lock(mutex_);
  addresses_.Leave(from);
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
