// One gRPC stream of undecoded messages in both directions.
//
// The object owns itself: it lives from Start until just before its listener is told OnClosed,
// which comes exactly once and last, however the stream ends. The listener must live until then,
// and whoever drops the channel must wait for it: gRPC cannot take the last reference on a thread
// of its own.
//
// Threads: any. Listener methods are called on gRPC's threads, OnMessage and OnWritten possibly at
// the same time, and never from inside a call to this object; so the object may be called with the
// listener's own lock held.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace millrace::client {

class RawStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The message that Read asked for.
    virtual void OnMessage(RawStream& stream, const grpc::ByteBuffer& message) = 0;
    // The message of Write is on its way; the next may follow.
    virtual void OnWritten(RawStream& stream) = 0;
    // The other side has said all it will; no Write or Read is allowed once this returns.
    virtual void OnEnded(RawStream& stream) = 0;
    // The end; the stream is gone. OK where both sides ended in order.
    virtual void OnClosed(const absl::Status& status) = 0;
  };

  // `method` is a full name, "/package.Service/Method".
  static RawStream* Start(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                          Listener& listener);

  // Asks for the next message. One at a time.
  void Read();
  // Sends a message. One at a time: the next after OnWritten.
  void Write(const grpc::ByteBuffer& message);
  // Sends the last message.
  void WriteLast(const grpc::ByteBuffer& message);
  // Says that nothing more will be written. Not while a Write is under way.
  void EndWrites();
  // Breaks the stream off.
  void Cancel();

 private:
  RawStream(const std::shared_ptr<grpc::Channel>& channel, Listener& listener);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  Listener& listener_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
};

}  // namespace millrace::client
