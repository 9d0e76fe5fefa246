// A hub::Subscription as a gRPC server stream: pulls frames and writes what an encoder makes of
// them, one write at a time.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

// What a stream makes of frames. Called by one thread at a time.
class FrameEncoder {
 public:
  virtual ~FrameEncoder() = default;

  // Appends the messages for the frame, possibly none.
  virtual void Encode(const hub::Frame& frame, std::deque<grpc::ByteBuffer>& messages) = 0;

  // How the stream ends after the messages so far; absent: it goes on.
  virtual std::optional<absl::Status> end() const { return std::nullopt; }
};

// Says what to subscribe to, or why the call is refused. Runs on a worker of the hub and may block.
using CommandSource = absl::AnyInvocable<absl::StatusOr<hub::SubscribeCommand>() &&>;

// Opens the subscription for the caller, if it may read that, or ends the call with the source's
// error. The reactor owns itself and is gone when the call is done. `hub` and `served` outlive it.
// Never blocks.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartFrameStream(hub::Hub& hub, ServedMethod& served,
                                                             Caller caller, CommandSource source,
                                                             std::unique_ptr<FrameEncoder> encoder);

}  // namespace millrace::server
