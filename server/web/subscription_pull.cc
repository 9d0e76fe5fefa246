#include "server/web/subscription_pull.h"

#include <utility>

namespace millrace::server {
namespace {

absl::StatusOr<std::shared_ptr<hub::Subscription>> OpenNow(hub::Hub& hub, Loop& loop,
                                                           SubscriptionPull::CommandSource source) {
  if (absl::Status status = hub.Admit(); !status.ok()) return status;
  auto command = std::move(source)();
  if (!command.ok()) return command.status();
  command->deliveries = &loop;
  return hub.subscriptions().Open(*command);
}

}  // namespace

void SubscriptionPull::Open(CommandSource source) {
  hub_.workers().Post([self = shared_from_this(), source = std::move(source)]() mutable {
    Loop& loop = self->loop_;
    auto opened = OpenNow(self->hub_, loop, std::move(source));
    loop.Post([self, opened = std::move(opened)]() mutable { self->Opened(std::move(opened)); });
  });
}

void SubscriptionPull::Opened(absl::StatusOr<std::shared_ptr<hub::Subscription>> opened) {
  if (reader_ == nullptr) {
    if (opened.ok()) hub_.subscriptions().Close(*opened);
    return;
  }
  if (opened.ok()) subscription_ = *opened;
  reader_->OnOpened(opened.status());
}

void SubscriptionPull::Next() {
  const auto subscription = subscription_;  // To the end of the call: its frame may be the last.
  if (subscription == nullptr) return;
  subscription->Next([self = shared_from_this()](const hub::Frame& frame) {
    if (self->reader_ != nullptr) self->reader_->OnFrame(frame);
  });
}

void SubscriptionPull::Stop() {
  reader_ = nullptr;
  if (subscription_ != nullptr) hub_.subscriptions().Close(std::exchange(subscription_, nullptr));
}

}  // namespace millrace::server
