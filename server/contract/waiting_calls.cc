#include "server/contract/waiting_calls.h"

#include <utility>

#include "storage/error.h"

namespace millrace::server {

absl::Status WaitingCalls::Post(hub::TaskRunner& workers, std::string_view peer,
                                absl::AnyInvocable<void() &&> task) {
  std::string address(peer.substr(0, peer.rfind(':')));
  if (absl::Status status = Enter(address); !status.ok()) return status;
  workers.Post([this, address = std::move(address), task = std::move(task)]() mutable {
    Leave(address);
    std::move(task)();
  });
  return absl::OkStatus();
}

absl::Status WaitingCalls::Enter(const std::string& address) {
  std::lock_guard lock(mutex_);
  int32_t& waiting = waiting_[address];
  if (waiting == kMost) {
    return storage::Error(storage::Reason::kOverloaded,
                          std::to_string(kMost) + " calls of this address wait to be begun");
  }
  ++waiting;
  return absl::OkStatus();
}

void WaitingCalls::Leave(const std::string& address) {
  std::lock_guard lock(mutex_);
  const auto entry = waiting_.find(address);
  if (--entry->second == 0) waiting_.erase(entry);
}

}  // namespace millrace::server
