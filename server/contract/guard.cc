#include "server/contract/guard.h"

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
  const auto left_out = rate_.Next(hub::MonotonicNow());
  if (!left_out) return;
  log_({.method = entrance.method,
        .transport = entrance.transport,
        .peer = caller.peer,
        .principal = caller.principal.ok() ? caller.principal->name : std::string_view(),
        .status = status,
        .left_out = *left_out});
}

}  // namespace millrace::server
