#include "server/contract/call_watch.h"

#include <utility>

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

absl::StatusOr<std::shared_ptr<const void>> ServedMethod::Enter(
    const Caller& caller, std::initializer_list<Place> places) const {
  if (!guarded()) return nullptr;
  if (!caller.principal.ok()) return caller.principal.status();
  Quotas& quotas = context_.guard->access().quotas();
  const std::string& principal = caller.principal->name;
  auto held = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  for (const Place place : places) {
    auto entered = place == Place::kConnection && transport_ == Transport::kGrpc
                       ? quotas.EnterConnection(principal, caller.peer)
                       : quotas.Enter(principal, place);
    if (!entered.ok()) return entered.status();
    held->push_back(*std::move(entered));
  }
  return held;
}

std::shared_ptr<const void> ServedMethod::WatchStream(const Caller& caller,
                                                      std::function<bool(const Guard&)> may_go_on,
                                                      std::function<void(StreamEnd)> end) const {
  if (context_.streams == nullptr) return nullptr;
  WatchedStream stream{.end = std::move(end)};
  if (guarded()) {
    if (caller.principal.ok()) stream.expires = caller.principal->expires;
    stream.may_go_on = [this, may_go_on = std::move(may_go_on)] {
      return may_go_on(*context_.guard);
    };
  }
  return context_.streams->Watch(std::move(stream));
}

CallWatch::CallWatch(CallWatchOptions options)
    : refused_by_grpc(std::make_shared<RefusedConnections>("grpc", options.refused_connection_log)),
      refused_by_web(std::make_shared<RefusedConnections>("web", options.refused_connection_log)) {
  context_.log = std::move(options.admin_log);
  if (options.access != nullptr || options.max_stream_age) {
    context_.streams = std::make_shared<StreamWatch>(options.max_stream_age);
  }
  if (options.access == nullptr) return;
  context_.guard = std::make_unique<Guard>(*options.access, std::move(options.refusal_log));
  tells_of_changes_ = options.access->OnChange([weak = std::weak_ptr(context_.streams)] {
    if (const auto streams = weak.lock()) streams->LookAgain();
  });
}

ServedMethod& CallWatch::Method(Transport transport, std::string_view name) {
  auto& methods = methods_[static_cast<size_t>(transport)];
  std::lock_guard lock(mutex_);
  const auto it = methods.find(name);
  if (it != methods.end()) return it->second;
  return methods.try_emplace(std::string(name), transport, std::string(name), context_)
      .first->second;
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
