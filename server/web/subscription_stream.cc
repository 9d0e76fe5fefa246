// The WebSocket's subscription: every frame of the hub becomes one message, and the next is asked
// for when that has been written.
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "server/contract/conversions.h"
#include "server/web/gateway_stream.h"
#include "server/web/subscription_pull.h"

namespace millrace::server {
namespace {

class SubscriptionStream final : public GatewayStream,
                                 public SubscriptionPull::Reader,
                                 public std::enable_shared_from_this<SubscriptionStream> {
 public:
  SubscriptionStream(const GatewayStreamContext& context, GatewayStreamOwner& owner, int32_t id)
      : protocol_(context.protocol),
        pull_(std::make_shared<SubscriptionPull>(context.hub, context.served, context.caller,
                                                 context.loop, context.presence, *this)),
        owner_(owner),
        id_(id) {}
  ~SubscriptionStream() override { pull_->Stop(); }

  void Open(hub::SubscribeCommand command) {
    counts_ = command.credit_records.has_value();
    pull_->Open([command = std::move(command)]() mutable { return std::move(command); });
  }

  void Stop() override { pull_->Stop(); }

  absl::Status AddCredit(int32_t records) override {
    if (!counts_) {
      return InvalidField("subscription", "this subscription was opened without a credit");
    }
    if (!open_) {
      early_credit_ += records;
    } else {
      pull_->subscription().AddCredit(records);
    }
    return absl::OkStatus();
  }

  void Drain(hub::EndingReason reason) override {
    if (reason == hub::EndingReason::kDraining) return;
    ending_ = reason;
    if (open_) pull_->subscription().End(reason);
  }

  void OnOpened(const absl::Status& status) override {
    if (!status.ok()) return owner_.EndOf(id_, status);
    open_ = true;
    if (ending_) pull_->subscription().End(*ending_);
    if (early_credit_ > 0) pull_->subscription().AddCredit(early_credit_);
    pull_->Next();
  }

  void OnFrame(const hub::Frame& frame) override {
    Pieces message = protocol_.EncodeFrame(id_, frame);
    if (std::holds_alternative<hub::EndingFrame>(frame)) {
      pull_->Stop();
      owner_.SendOf(id_, std::move(message), [] {});
      return owner_.EndOf(id_, absl::OkStatus());
    }
    owner_.SendOf(id_, std::move(message), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->pull_->Next();
    });
  }

 private:
  const GatewayProtocol& protocol_;
  const std::shared_ptr<SubscriptionPull> pull_;
  GatewayStreamOwner& owner_;
  const int32_t id_;
  bool counts_ = false;
  bool open_ = false;
  std::optional<hub::EndingReason> ending_;  // Once it is to end.
  int64_t early_credit_ = 0;                 // Granted before the subscription was open.
};

}  // namespace

std::shared_ptr<GatewayStream> OpenSubscriptionStream(const GatewayStreamContext& context,
                                                      GatewayStreamOwner& owner, int32_t id,
                                                      hub::SubscribeCommand command) {
  auto stream = std::make_shared<SubscriptionStream>(context, owner, id);
  stream->Open(std::move(command));
  return stream;
}

}  // namespace millrace::server
