// A subscription opened for a caller: what they need is asked for, whose it is noted, and it is
// ended when they may no longer read.
#pragma once

#include <initializer_list>
#include <memory>

#include "absl/status/statusor.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

// An open subscription with what is held for it.
struct Reading {
  std::shared_ptr<hub::Subscription> subscription;
  std::shared_ptr<const void> places;  // Among what the principal may have open.
  std::shared_ptr<const void> watch;   // Of StreamWatch.
};

// Opens it, at these places of the caller's, or says why not: UNAUTHENTICATED, PERMISSION_DENIED,
// QUOTA_EXCEEDED, and the reasons of hub::Subscriptions::Open. `hub` and `served` outlive what is
// given. Blocks. Threads: any.
absl::StatusOr<Reading> OpenReading(hub::Hub& hub, const ServedMethod& served, const Caller& caller,
                                    hub::SubscribeCommand command,
                                    std::initializer_list<Place> places);

}  // namespace millrace::server
