#include "server/contract/refused_connections.h"

#include "server/hub/timer_queue.h"

namespace millrace::server {

std::string_view NameOf(ConnectionRefusal reason) {
  switch (reason) {
    case ConnectionRefusal::kLimit:
      return "limit";
    case ConnectionRefusal::kAddressLimit:
      return "address_limit";
    case ConnectionRefusal::kStreamLimit:
      return "stream_limit";
    case ConnectionRefusal::kAttack:
      break;
  }
  return "attack";
}

void RefusedConnections::Note(ConnectionRefusal reason, std::string_view address) {
  OfReason& of_reason = reasons_[static_cast<size_t>(reason)];
  of_reason.count.fetch_add(1, std::memory_order_relaxed);
  if (!log_) return;
  const auto left_out = of_reason.rate.Next(hub::MonotonicNow());
  if (!left_out) return;
  log_({.listener = listener_, .address = address, .reason = reason, .left_out = *left_out});
}

uint64_t RefusedConnections::count(ConnectionRefusal reason) const {
  return reasons_[static_cast<size_t>(reason)].count.load(std::memory_order_relaxed);
}

}  // namespace millrace::server
