#include "server/contract/call_watch.h"

#include "server/hub/timer_queue.h"

namespace millrace::server {

std::string_view NameOf(Transport transport) {
  switch (transport) {
    case Transport::kGrpc:
      return "grpc";
    case Transport::kHttp:
      return "http";
    case Transport::kWebSocket:
      break;
  }
  return "websocket";
}

absl::Duration ServedMethod::Now() { return hub::MonotonicNow(); }

ServedMethod& CallWatch::Method(Transport transport, std::string_view name) {
  auto& methods = methods_[static_cast<size_t>(transport)];
  std::lock_guard lock(mutex_);
  const auto it = methods.find(name);
  if (it != methods.end()) return it->second;
  return methods.try_emplace(std::string(name), transport, std::string(name), log_).first->second;
}

std::vector<const ServedMethod*> CallWatch::Methods() const {
  std::vector<const ServedMethod*> all;
  std::lock_guard lock(mutex_);
  for (const auto& methods : methods_) {
    for (const auto& [name, method] : methods) all.push_back(&method);
  }
  return all;
}

}  // namespace millrace::server
