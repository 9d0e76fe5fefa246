#include "client/cpp/raw_stream.h"

#include <grpcpp/channel.h>

#include <utility>

#include "client/cpp/status.h"

namespace millrace::client {

RawStream::RawStream(const std::shared_ptr<grpc::Channel>& channel, Listener& listener)
    : stub_(channel), listener_(listener) {}

RawStream* RawStream::Start(const std::shared_ptr<grpc::Channel>& channel,
                            const std::string& method, Listener& listener) {
  auto* const stream = new RawStream(channel, listener);
  stream->stub_.PrepareBidiStreamingCall(&stream->context_, method, {}, stream);
  // Reads and writes come from other threads than gRPC's; the hold keeps OnDone away until the
  // listener has been told that there must be none any more.
  stream->AddHold();
  stream->StartCall();
  return stream;
}

void RawStream::Read() { StartRead(&incoming_); }

void RawStream::Write(const grpc::ByteBuffer& message) {
  outgoing_ = message;
  StartWrite(&outgoing_);
}

void RawStream::WriteLast(const grpc::ByteBuffer& message) {
  outgoing_ = message;
  StartWriteLast(&outgoing_, {});
}

void RawStream::EndWrites() { StartWritesDone(); }

void RawStream::Cancel() { context_.TryCancel(); }

void RawStream::OnReadDone(bool ok) {
  if (ok) {
    // The listener may ask for the next message, which takes the place of this one.
    grpc::ByteBuffer message;
    message.Swap(&incoming_);
    listener_.OnMessage(*this, message);
    return;
  }
  listener_.OnEnded(*this);
  RemoveHold();
}

void RawStream::OnWriteDone(bool ok) {
  // A failed write is followed by the end of reading.
  if (ok) listener_.OnWritten(*this);
}

void RawStream::OnDone(const grpc::Status& status) {
  const absl::Status result = FromGrpc(status);
  Listener& listener = listener_;
  delete this;
  listener.OnClosed(result);
}

}  // namespace millrace::client
