#include "server/grpc/frame_stream.h"

#include <optional>
#include <utility>
#include <variant>

#include "server/grpc/server_stream.h"

namespace millrace::server {
namespace {

// Life: Open on a worker, then Next -> frame -> Write -> OnWritten -> Next, until the ending or the
// client's cancel.
class FrameStream final : public ServerStream {
 public:
  FrameStream(hub::Hub& hub, ServedMethod& served, std::unique_ptr<FrameEncoder> encoder)
      : ServerStream(served), hub_(hub), encoder_(std::move(encoder)) {}

  void Start(CommandSource command) {
    KeepAlive();
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    hub_.workers().Post([self = Share(), command = std::move(command)]() mutable {
      self->Open(std::move(command));
    });
  }

  void OnDone() override {
    if (subscription_ != nullptr) hub_.subscriptions().Close(subscription_);
    ServerStream::OnDone();
  }

 private:
  std::shared_ptr<FrameStream> Share() {
    return std::static_pointer_cast<FrameStream>(shared_from_this());
  }

  void Open(CommandSource source) {
    const auto command = std::move(source)();
    if (!command.ok()) return End(command.status());
    auto opened = hub_.subscriptions().Open(*command);
    if (!opened.ok()) return End(opened.status());
    if (!UnlessEnded([&] { subscription_ = *opened; })) {
      return hub_.subscriptions().Close(*opened);
    }
    Pull();
  }

  void Pull() {
    subscription_->Next([self = Share()](const hub::Frame& frame) {
      if (const auto* ending = std::get_if<hub::EndingFrame>(&frame))
        self->ending_ = ending->status;
      self->encoder_->Encode(frame, self->messages_);
      self->Proceed();
    });
  }

  // Writes what is to be written; then ends, or asks for more.
  void Proceed() {
    if (!messages_.empty()) {
      grpc::ByteBuffer message;
      message.Swap(&messages_.front());
      messages_.pop_front();
      Write(message);
    } else if (ending_) {
      End(*ending_);
    } else if (const auto end = encoder_->end()) {
      End(*end);
    } else {
      Pull();
    }
  }

  void OnWritten() override { Proceed(); }

  void OnEnd() override {
    if (subscription_ != nullptr) subscription_->Cancel();
  }

  hub::Hub& hub_;
  const std::unique_ptr<FrameEncoder> encoder_;
  std::shared_ptr<hub::Subscription> subscription_;  // Does not change after the end.

  // Of the frame being written; touched by one thread at a time.
  std::deque<grpc::ByteBuffer> messages_;
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
