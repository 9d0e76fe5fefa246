// The WebSocket's watch of a group: describes it again and again, and sends each description that
// differs from the one before.
#include <memory>
#include <string>
#include <utility>

#include "server/contract/conversions.h"
#include "server/contract/group_calls.h"
#include "server/web/gateway_stream.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

// Life: Describe on a worker, a message if something changed, a nap, and again. Whatever is under
// way holds a share.
class GroupWatchStream final : public GatewayStream,
                               public std::enable_shared_from_this<GroupWatchStream> {
 public:
  GroupWatchStream(GatewayStreamContext context, GatewayStreamOwner& owner, int32_t id,
                   GroupWatchCommand command)
      : context_(std::move(context)),
        calls_(context_.hub),
        owner_(&owner),
        id_(id),
        interval_(command.interval) {
    request_.set_group(std::move(command.group));
  }

  void Start() {
    access_watch_ =
        context_.served.WatchStreamOf(context_.caller, request_,
                                      [weak = weak_from_this(), &loop = context_.loop,
                                       presence = context_.presence](StreamEnd end) {
                                        loop.Post([weak, end] {
                                          const auto self = weak.lock();
                                          if (self != nullptr && self->owner_ != nullptr)
                                            self->End(StatusOf(end, "watch this group"));
                                        });
                                      });
    Describe();
  }

  void Describe() {
    if (owner_ == nullptr) return;
    context_.hub.workers().Post([self = shared_from_this()] {
      auto described = self->DescribeNow();
      Loop& loop = self->context_.loop;
      loop.Post([self, described = std::move(described)]() mutable {
        self->OnDescribed(std::move(described));
      });
    });
  }

  void Stop() override { owner_ = nullptr; }

  absl::Status AddCredit(int32_t /*records*/) override {
    return InvalidField("subscription", "a watch counts no records");
  }

  void Drain(hub::EndingReason /*reason*/) override {
    if (owner_ == nullptr) return;
    End(storage::Error(storage::Reason::kDraining, "this connection is ending: watch again"));
  }

 private:
  absl::StatusOr<v1::GetGroupResponse> DescribeNow() {
    if (absl::Status status = context_.hub.Admit(); !status.ok()) return status;
    return calls_.GetGroup(request_, context_.caller);
  }

  void OnDescribed(absl::StatusOr<v1::GetGroupResponse> described) {
    if (owner_ == nullptr) return;
    if (!described.ok()) return End(described.status());
    std::string bytes = described->SerializeAsString();
    if (bytes == last_) return Nap();
    last_ = std::move(bytes);
    v1::GatewayResponse response;
    response.set_id(id_);
    response.mutable_group()->mutable_group()->Swap(described->mutable_group());
    owner_->SendOf(id_, context_.protocol.Encode(response), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Nap();
    });
  }

  void Nap() {
    if (owner_ == nullptr) return;
    context_.loop.After(interval_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Describe();
    });
  }

  void End(const absl::Status& status) { std::exchange(owner_, nullptr)->EndOf(id_, status); }

  const GatewayStreamContext context_;
  GroupCalls calls_;
  GatewayStreamOwner* owner_;  // Null: stopped.
  const int32_t id_;
  const absl::Duration interval_;
  v1::GetGroupRequest request_;
  std::string last_;
  std::shared_ptr<const void> access_watch_;  // Of StreamWatch.
};

}  // namespace

std::shared_ptr<GatewayStream> OpenGroupWatchStream(GatewayStreamContext context,
                                                    GatewayStreamOwner& owner, int32_t id,
                                                    GroupWatchCommand command) {
  auto stream =
      std::make_shared<GroupWatchStream>(std::move(context), owner, id, std::move(command));
  stream->Start();
  return stream;
}

}  // namespace millrace::server
