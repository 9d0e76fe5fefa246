#include "server/grpc/subscribe_stream.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <deque>
#include <memory>
#include <utility>

#include "millrace/v1/event_hub.pb.h"
#include "server/contract/conversions.h"
#include "server/grpc/frame_stream.h"
#include "server/grpc/subscribe_frames.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

absl::StatusOr<hub::SubscribeCommand> Parse(grpc::ByteBuffer bytes) {
  v1::SubscribeRequest request;
  if (!grpc::GenericDeserialize<grpc::ProtoBufferReader, v1::SubscribeRequest>(&bytes, &request)
           .ok()) {
    return storage::Error(storage::Reason::kMalformedRequest,
                          "these bytes are not a SubscribeRequest");
  }
  return ToSubscribeCommand(request);
}

class SubscribeEncoder final : public FrameEncoder {
 public:
  void Encode(const hub::Frame& frame, std::deque<grpc::ByteBuffer>& messages) override {
    messages.push_back(EncodeFrame(frame));
  }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartSubscribe(hub::Hub& hub, ServedMethod& served,
                                                           Caller caller,
                                                           const grpc::ByteBuffer& request) {
  return StartFrameStream(
      hub, served, std::move(caller), [request] { return Parse(request); },
      std::make_unique<SubscribeEncoder>());
}

}  // namespace millrace::server
