#include "server/grpc/group_watch.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "millrace/v1/group.pb.h"
#include "server/contract/group_calls.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/server_stream.h"

namespace millrace::server {
namespace {

constexpr absl::Duration kLongestNap = absl::Seconds(1);  // So that a draining hub need not wait.

// Life: Describe on a worker, a write if something changed, a nap by the timer, and again.
class GroupWatch final : public ServerStream {
 public:
  GroupWatch(hub::Hub& hub, ServedMethod& served, Caller caller)
      : ServerStream(served), hub_(hub), served_(served), caller_(std::move(caller)), calls_(hub) {}

  void Start(const grpc::ByteBuffer& bytes) {
    KeepAlive();
    if (absl::Status status = Read(bytes); !status.ok()) return End(status);
    DescribeOnWorker();
  }

 private:
  std::shared_ptr<GroupWatch> Share() {
    return std::static_pointer_cast<GroupWatch>(shared_from_this());
  }

  absl::Status Read(const grpc::ByteBuffer& bytes) {
    if (absl::Status status = ParseMessage(bytes, request_); !status.ok()) return status;
    if (absl::Status status = served_.Admit(caller_, request_); !status.ok()) return status;
    const auto interval = WatchInterval(request_);
    if (!interval.ok()) return interval.status();
    interval_ = *interval;
    auto places = served_.Enter(caller_, {Place::kConnection, Place::kStream});
    if (!places.ok()) return places.status();
    places_ = *std::move(places);
    access_watch_ =
        served_.WatchStreamOf(caller_, request_, [weak = std::weak_ptr(Share())](StreamEnd end) {
          if (const auto self = weak.lock()) self->EndSoon(StatusOf(end, "watch this group"));
        });
    return absl::OkStatus();
  }

  void DescribeOnWorker() {
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    const absl::Status posted =
        served_.Post(hub_.workers(), caller_.peer, [self = Share()] { self->Describe(); });
    if (!posted.ok()) End(posted);
  }

  void Describe() {
    v1::GetGroupRequest request;
    request.set_group(request_.group());
    auto described = calls_.GetGroup(request, caller_);
    if (!described.ok()) return End(described.status());
    v1::WatchGroupResponse response;
    response.mutable_group()->Swap(described->mutable_group());
    std::string text = response.SerializeAsString();
    if (text == last_) return Nap(interval_);
    last_ = std::move(text);
    grpc::ByteBuffer message = SerializeMessage(response);
    Write(message);
  }

  void OnWritten() override { Nap(interval_); }

  void Nap(absl::Duration left) {
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    const absl::Duration nap = std::min(left, kLongestNap);
    UnlessEnded([&] {
      hub_.timers().Schedule(nap, [self = Share(), left = left - nap] {
        if (left > absl::ZeroDuration()) return self->Nap(left);
        self->DescribeOnWorker();
      });
    });
  }

  hub::Hub& hub_;
  const ServedMethod& served_;
  const Caller caller_;
  GroupCalls calls_;
  v1::WatchGroupRequest request_;
  std::shared_ptr<const void> places_;        // Among what the principal may have open.
  std::shared_ptr<const void> access_watch_;  // Of StreamWatch.
  absl::Duration interval_;
  std::string last_;  // What was written last. Touched by one thread at a time.
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGroupWatch(hub::Hub& hub, ServedMethod& served,
                                                            Caller caller,
                                                            const grpc::ByteBuffer& request) {
  auto watch = std::make_shared<GroupWatch>(hub, served, std::move(caller));
  watch->Start(request);
  return watch.get();
}

}  // namespace millrace::server
