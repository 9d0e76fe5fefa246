#include "server/web/subscription_pull.h"

#include <utility>

namespace millrace::server {

absl::StatusOr<Reading> SubscriptionPull::OpenNow(CommandSource source) {
  if (absl::Status status = hub_.Admit(); !status.ok()) return status;
  auto command = std::move(source)();
  if (!command.ok()) return command.status();
  command->deliveries = &loop_;
  return OpenReading(hub_, served_, caller_, *std::move(command), {Place::kSubscription});
}

void SubscriptionPull::Open(CommandSource source) {
  hub_.workers().Post([self = shared_from_this(), source = std::move(source)]() mutable {
    Loop& loop = self->loop_;
    auto opened = self->OpenNow(std::move(source));
    loop.Post([self, opened = std::move(opened)]() mutable { self->Opened(std::move(opened)); });
  });
}

void SubscriptionPull::Opened(absl::StatusOr<Reading> opened) {
  if (reader_ == nullptr) {
    if (opened.ok()) hub_.subscriptions().Close(opened->subscription);
    return;
  }
  const absl::Status status = opened.status();
  if (opened.ok()) reading_ = *std::move(opened);
  reader_->OnOpened(status);
}

void SubscriptionPull::Next() {
  const auto subscription =
      reading_.subscription;  // To the end of the call: its frame may be the last.
  if (subscription == nullptr) return;
  subscription->Next([self = shared_from_this()](const hub::Frame& frame) {
    if (self->reader_ != nullptr) self->reader_->OnFrame(frame);
  });
}

void SubscriptionPull::Stop() {
  reader_ = nullptr;
  const Reading gone = std::exchange(reading_, {});
  if (gone.subscription != nullptr) hub_.subscriptions().Close(gone.subscription);
}

}  // namespace millrace::server
