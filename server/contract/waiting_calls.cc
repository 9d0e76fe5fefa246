#include "server/contract/waiting_calls.h"

#include <utility>

#include "storage/error.h"

namespace millrace::server {

absl::StatusOr<std::shared_ptr<const void>> WaitingCalls::Enter(std::string_view peer) {
  std::string address(peer.substr(0, peer.rfind(':')));
  std::lock_guard lock(mutex_);
  int32_t& waiting = waiting_[address];
  if (waiting == kMost) {
    return storage::Error(storage::Reason::kOverloaded,
                          std::to_string(kMost) + " calls of this address wait to be begun");
  }
  ++waiting;
  // A pointer to nothing, whose end is what it is for.
  return std::shared_ptr<const void>(
      nullptr, [this, address = std::move(address)](const void*) { Leave(address); });
}

void WaitingCalls::Leave(const std::string& address) {
  std::lock_guard lock(mutex_);
  const auto entry = waiting_.find(address);
  if (--entry->second == 0) waiting_.erase(entry);
}

}  // namespace millrace::server
