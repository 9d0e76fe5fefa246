#include "server/grpc/group_watch.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "millrace/v1/group.pb.h"
#include "server/contract/group_calls.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/status.h"

namespace millrace::server {
namespace {

constexpr absl::Duration kLongestNap = absl::Seconds(1);  // So that a draining hub need not wait.

// Life: Describe on a worker, a write if something changed, a nap by the timer, and again. Whatever
// is under way holds a share, so that it finds the reactor alive.
class GroupWatch final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                         public std::enable_shared_from_this<GroupWatch> {
 public:
  GroupWatch(hub::Hub& hub, ServedMethod& served) : hub_(hub), served_(served), calls_(hub) {}

  void Start(const grpc::ByteBuffer& bytes) {
    self_ = shared_from_this();
    if (absl::Status status = Read(bytes); !status.ok()) return End(status);
    DescribeOnWorker();
  }

  void OnWriteDone(bool ok) override {
    bool cancelled;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      cancelled = cancelled_;
    }
    if (!ok || cancelled) return End(absl::CancelledError("the client is gone"));
    Nap(interval_);
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (writing_) return;  // OnWriteDone ends the call.
    }
    End(absl::CancelledError("the client is gone"));
  }

  void OnDone() override { self_.reset(); }

 private:
  absl::Status Read(const grpc::ByteBuffer& bytes) {
    v1::WatchGroupRequest request;
    if (absl::Status status = ParseMessage(bytes, request); !status.ok()) return status;
    group_ = request.group();
    const auto interval = WatchInterval(request);
    if (!interval.ok()) return interval.status();
    interval_ = *interval;
    return absl::OkStatus();
  }

  void DescribeOnWorker() {
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    hub_.workers().Post([self = shared_from_this()] { self->Describe(); });
  }

  void Describe() {
    v1::GetGroupRequest request;
    request.set_group(group_);
    auto described = calls_.GetGroup(request);
    if (!described.ok()) return End(described.status());
    v1::WatchGroupResponse response;
    response.mutable_group()->Swap(described->mutable_group());
    std::string text = response.SerializeAsString();
    if (text == last_) return Nap(interval_);
    last_ = std::move(text);
    outgoing_ = SerializeMessage(response);
    std::lock_guard lock(mutex_);
    if (finished_ || cancelled_) return;
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void Nap(absl::Duration left) {
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
    }
    const absl::Duration nap = std::min(left, kLongestNap);
    hub_.timers().Schedule(nap, [self = shared_from_this(), left = left - nap] {
      if (left > absl::ZeroDuration()) return self->Nap(left);
      self->DescribeOnWorker();
    });
  }

  // The first one wins. Not while a write is under way.
  void End(const absl::Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    served_.NoteEnd(status);
    Finish(ToGrpcStatus(status));
  }

  hub::Hub& hub_;
  ServedMethod& served_;
  GroupCalls calls_;
  std::shared_ptr<GroupWatch> self_;  // Until OnDone.
  std::string group_;
  absl::Duration interval_;

  std::mutex mutex_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;

  // Touched by one thread at a time.
  std::string last_;
  grpc::ByteBuffer outgoing_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGroupWatch(hub::Hub& hub, ServedMethod& served,
                                                            const grpc::ByteBuffer& request) {
  auto watch = std::make_shared<GroupWatch>(hub, served);
  watch->Start(request);
  return watch.get();
}

}  // namespace millrace::server
