#include "server/grpc/frame_stream.h"

#include <optional>
#include <utility>
#include <variant>

#include "server/contract/reading.h"
#include "server/grpc/server_stream.h"

namespace millrace::server {
namespace {

// Life: Open on a worker, then Next -> frame -> Write -> OnWritten -> Next, until the ending or the
// client's cancel.
class FrameStream final : public ServerStream {
 public:
  FrameStream(hub::Hub& hub, ServedMethod& served, Caller caller,
              std::unique_ptr<FrameEncoder> encoder)
      : ServerStream(served),
        hub_(hub),
        served_(served),
        caller_(std::move(caller)),
        encoder_(std::move(encoder)) {}

  void Start(CommandSource command) {
    KeepAlive();
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    const absl::Status posted = served_.Post(
        hub_.workers(), caller_.peer, [self = Share(), command = std::move(command)]() mutable {
          self->Open(std::move(command));
        });
    if (!posted.ok()) End(posted);
  }

  void OnDone() override {
    if (reading_.subscription != nullptr) hub_.subscriptions().Close(reading_.subscription);
    ServerStream::OnDone();
  }

 private:
  std::shared_ptr<FrameStream> Share() {
    return std::static_pointer_cast<FrameStream>(shared_from_this());
  }

  void Open(CommandSource source) {
    auto command = std::move(source)();
    if (!command.ok()) return End(command.status());
    auto opened = OpenReading(hub_, served_, caller_, *std::move(command),
                              {Place::kConnection, Place::kStream, Place::kSubscription});
    if (!opened.ok()) return End(opened.status());
    if (!UnlessEnded([&] { reading_ = *opened; })) {
      return hub_.subscriptions().Close(opened->subscription);
    }
    Pull();
  }

  void Pull() {
    reading_.subscription->Next([self = Share()](const hub::Frame& frame) {
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
    if (reading_.subscription != nullptr) reading_.subscription->Cancel();
  }

  hub::Hub& hub_;
  const ServedMethod& served_;
  const Caller caller_;
  const std::unique_ptr<FrameEncoder> encoder_;
  Reading reading_;  // Does not change after the end.

  // Of the frame being written; touched by one thread at a time.
  std::deque<grpc::ByteBuffer> messages_;
  std::optional<absl::Status> ending_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartFrameStream(
    hub::Hub& hub, ServedMethod& served, Caller caller, CommandSource command,
    std::unique_ptr<FrameEncoder> encoder) {
  auto stream = std::make_shared<FrameStream>(hub, served, std::move(caller), std::move(encoder));
  stream->Start(std::move(command));
  return stream.get();
}

}  // namespace millrace::server
