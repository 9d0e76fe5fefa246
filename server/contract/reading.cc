#include "server/contract/reading.h"

#include <string>
#include <utility>

namespace millrace::server {
namespace {

hub::EndingReason ReasonFor(StreamEnd end) {
  return end == StreamEnd::kRefused ? hub::EndingReason::kRefused : hub::EndingReason::kMaxAge;
}

// Whether the caller may still read what the subscription reads now; `opened` is what it was opened
// with, since UpdateSubscription may have named other topics.
bool MayStillRead(const Guard& guard, const Caller& caller, hub::Hub& hub,
                  const hub::Subscription& subscription, hub::SubscribeCommand opened) {
  opened.topics = hub.subscriptions().TopicsOf(subscription);
  return guard.MayGoOn(caller, NeedsOf(opened)).ok();
}

std::shared_ptr<const void> Watch(hub::Hub& hub, const ServedMethod& served, const Caller& caller,
                                  hub::SubscribeCommand command,
                                  const std::weak_ptr<hub::Subscription>& weak) {
  return served.WatchStream(
      caller,
      [&hub, caller, command = std::move(command), weak](const Guard& guard) {
        const auto subscription = weak.lock();
        return subscription == nullptr || MayStillRead(guard, caller, hub, *subscription, command);
      },
      [weak](StreamEnd end) {
        if (const auto subscription = weak.lock()) subscription->End(ReasonFor(end));
      });
}

}  // namespace

absl::StatusOr<Reading> OpenReading(hub::Hub& hub, const ServedMethod& served, const Caller& caller,
                                    hub::SubscribeCommand command,
                                    std::initializer_list<Place> places) {
  if (absl::Status status = served.Admit(caller, command); !status.ok()) return status;
  auto entered = served.Enter(caller, places);
  if (!entered.ok()) return entered.status();
  Reading reading{.places = *std::move(entered)};
  command.peer = caller.peer;
  command.owner = caller.owner();
  auto opened = hub.subscriptions().Open(command);
  if (!opened.ok()) return opened.status();
  reading.subscription = *std::move(opened);
  reading.watch = Watch(hub, served, caller, std::move(command), reading.subscription);
  return reading;
}

}  // namespace millrace::server
