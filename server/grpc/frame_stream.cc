#include "server/grpc/frame_stream.h"

#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "server/grpc/status.h"

namespace millrace::server {
namespace {

// Life: Open on a worker, then Next -> frame -> StartWrite -> OnWriteDone -> Next, until the ending
// or the client's cancel. A Next that is under way holds a share of the stream, so that a frame
// that comes after OnDone finds it alive.
class FrameStream : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                    public std::enable_shared_from_this<FrameStream> {
 public:
  FrameStream(hub::Hub& hub, ServedMethod& served, std::unique_ptr<FrameEncoder> encoder)
      : hub_(hub), served_(served), encoder_(std::move(encoder)) {}

  void Start(CommandSource command) {
    self_ = shared_from_this();
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    hub_.workers().Post(
        [self = self_, command = std::move(command)]() mutable { self->Open(std::move(command)); });
  }

  void OnWriteDone(bool ok) override {
    bool cancelled;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      cancelled = cancelled_;
    }
    if (!ok || cancelled) return End(ClientGone());
    Proceed();
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

  void Open(CommandSource source) {
    const auto command = std::move(source)();
    if (!command.ok()) return End(command.status());
    auto opened = hub_.subscriptions().Open(*command);
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
    Current()->Next([self = shared_from_this()](const hub::Frame& frame) {
      if (const auto* ending = std::get_if<hub::EndingFrame>(&frame))
        self->ending_ = ending->status;
      self->encoder_->Encode(frame, self->messages_);
      self->Proceed();
    });
  }

  // Writes what is to be written; then ends, or asks for more.
  void Proceed() {
    if (!messages_.empty()) {
      outgoing_.Swap(&messages_.front());
      messages_.pop_front();
      std::lock_guard lock(mutex_);
      if (finished_ || cancelled_) return;
      writing_ = true;
      StartWrite(&outgoing_);
    } else if (ending_) {
      End(*ending_);
    } else if (const auto end = encoder_->end()) {
      End(*end);
    } else {
      Pull();
    }
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
    served_.NoteEnd(status);
    Finish(ToGrpcStatus(status));
  }

  hub::Hub& hub_;
  ServedMethod& served_;
  const std::unique_ptr<FrameEncoder> encoder_;
  std::shared_ptr<FrameStream> self_;  // Until OnDone.

  std::mutex mutex_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
  std::shared_ptr<hub::Subscription> subscription_;

  // Of the frame being written; touched by one thread at a time.
  std::deque<grpc::ByteBuffer> messages_;
  grpc::ByteBuffer outgoing_;
  std::optional<absl::Status> ending_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartFrameStream(
    hub::Hub& hub, ServedMethod& served, CommandSource command,
    std::unique_ptr<FrameEncoder> encoder) {
  auto stream = std::make_shared<FrameStream>(hub, served, std::move(encoder));
  stream->Start(std::move(command));
  return stream.get();
}

}  // namespace millrace::server
