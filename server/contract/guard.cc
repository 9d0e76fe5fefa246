#include "server/contract/guard.h"

#include <utility>

#include "server/hub/timer_queue.h"

namespace millrace::server {

absl::Status Guard::MayGoOn(const Caller& caller, const Needs& needs) const {
  if (!caller.principal.ok()) return caller.principal.status();
  if (needs.empty()) return access_.CheckAnything(*caller.principal);
  for (const Need& need : needs) {
    absl::Status status = need.on ? access_.Check(*caller.principal, need.right, *need.on)
                                  : access_.CheckSomewhere(*caller.principal, need.right);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Guard::Check(Entrance entrance, const Caller& caller, const Needs& needs) {
  absl::Status status = MayGoOn(caller, needs);
  if (!status.ok() && log_) Tell(entrance, caller, status);
  return status;
}

absl::Status Guard::Admit(Entrance entrance, const Caller& caller, const Needs& needs,
                          int64_t produce_bytes) {
  if (absl::Status status = Check(entrance, caller, needs); !status.ok()) return status;
  return access_.quotas().Take(caller.principal->name, 1, produce_bytes);
}

void Guard::Tell(Entrance entrance, const Caller& caller, const absl::Status& status) {
  const absl::Duration now = hub::MonotonicNow();
  int64_t left_out = 0;
  {
    std::lock_guard lock(mutex_);
    if (now - second_began_ >= absl::Seconds(1)) {
      second_began_ = now;
      told_ = 0;
    }
    if (told_ == kToldPerSecond) {
      ++left_out_;
      return;
    }
    ++told_;
    left_out = std::exchange(left_out_, 0);
  }
  log_({.method = entrance.method,
        .transport = entrance.transport,
        .peer = caller.peer,
        .principal = caller.principal.ok() ? caller.principal->name : std::string_view(),
        .status = status,
        .left_out = left_out});
}

}  // namespace millrace::server
