#include "server/grpc/subscribe_stream.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <memory>
#include <mutex>
#include <utility>

#include "millrace/v1/event_hub.pb.h"
#include "server/grpc/conversions.h"
#include "server/grpc/frame_encoder.h"
#include "server/grpc/status.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

absl::StatusOr<hub::SubscribeCommand> Parse(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy(bytes);  // Shares the slices; parsing consumes them.
  v1::SubscribeRequest request;
  if (!grpc::GenericDeserialize<grpc::ProtoBufferReader, v1::SubscribeRequest>(&copy, &request)
           .ok()) {
    return storage::Error(storage::Reason::kMalformedRequest,
                          "these bytes are not a SubscribeRequest");
  }
  return ToSubscribeCommand(request);
}

// Life: Open on a worker, then Next -> frame -> StartWrite -> OnWriteDone -> Next, until the ending
// or the client's cancel. A Next that is under way holds a share of the stream, so that a frame
// that comes after OnDone finds it alive.
class SubscribeStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                        public std::enable_shared_from_this<SubscribeStream> {
 public:
  explicit SubscribeStream(hub::Hub& hub) : hub_(hub) {}

  void Start(const grpc::ByteBuffer& request) {
    self_ = shared_from_this();
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    auto command = Parse(request);
    if (!command.ok()) return End(command.status());
    hub_.workers().Post([self = self_, command = *std::move(command)] { self->Open(command); });
  }

  void OnWriteDone(bool ok) override {
    bool cancelled;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      cancelled = cancelled_;
    }
    if (!ok || cancelled) return End(ClientGone());
    if (ending_) return End(*ending_);
    Pull();
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (writing_) return;  // OnWriteDone ends the call.
    }
    End(ClientGone());
  }

  void OnDone() override {
    if (const auto subscription = Current()) hub_.subscriptions().Close(subscription);
    self_.reset();
  }

 private:
  static absl::Status ClientGone() { return absl::CancelledError("the client is gone"); }

  std::shared_ptr<hub::Subscription> Current() {
    std::lock_guard lock(mutex_);
    return subscription_;
  }

  void Open(const hub::SubscribeCommand& command) {
    auto opened = hub_.subscriptions().Open(command);
    if (!opened.ok()) return End(opened.status());
    bool late;
    {
      std::lock_guard lock(mutex_);
      late = finished_;
      if (!late) subscription_ = *opened;
    }
    if (late) return hub_.subscriptions().Close(*opened);
    Pull();
  }

  void Pull() {
    Current()->Next([self = shared_from_this()](hub::Frame frame) { self->Write(frame); });
  }

  void Write(const hub::Frame& frame) {
    if (const auto* ending = std::get_if<hub::EndingFrame>(&frame)) ending_ = ending->status;
    outgoing_ = EncodeFrame(frame);
    std::lock_guard lock(mutex_);
    if (finished_ || cancelled_) return;
    writing_ = true;
    StartWrite(&outgoing_);
  }

  // Ends the call; the first one wins. Not while a write is under way.
  void End(const absl::Status& status) {
    std::shared_ptr<hub::Subscription> subscription;
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
      subscription = subscription_;
    }
    if (subscription != nullptr) subscription->Cancel();
    Finish(ToGrpcStatus(status));
  }

  hub::Hub& hub_;
  std::shared_ptr<SubscribeStream> self_;  // Until OnDone.

  std::mutex mutex_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
  std::shared_ptr<hub::Subscription> subscription_;

  // Of the frame being written; touched by one thread at a time.
  grpc::ByteBuffer outgoing_;
  std::optional<absl::Status> ending_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartSubscribe(hub::Hub& hub,
                                                           grpc::CallbackServerContext* /*context*/,
                                                           const grpc::ByteBuffer* request) {
  auto stream = std::make_shared<SubscribeStream>(hub);
  stream->Start(*request);
  return stream.get();
}

}  // namespace millrace::server
