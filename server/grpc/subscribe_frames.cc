#include "server/grpc/subscribe_frames.h"

#include <grpcpp/support/slice.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "server/contract/batches_encoder.h"
#include "server/contract/subscribe_frames.h"
#include "server/grpc/message_bytes.h"

namespace millrace::server {
namespace {

grpc::Slice ShareSlice(const storage::SharedSlice& slice) {
  auto* owner = new std::shared_ptr<const void>(slice.owner);
  return grpc::Slice(
      const_cast<char*>(slice.bytes.data()), slice.bytes.size(),
      [](void* user_data) { delete static_cast<std::shared_ptr<const void>*>(user_data); }, owner);
}

// The pieces as gRPC's slices.
class SliceSink final : public PieceSink {
 public:
  void AddText(std::string_view text) override { slices_.emplace_back(text.data(), text.size()); }
  void AddShared(const storage::SharedSlice& slice) override {
    slices_.push_back(ShareSlice(slice));
  }

  grpc::ByteBuffer Finish() { return grpc::ByteBuffer(slices_.data(), slices_.size()); }

 private:
  std::vector<grpc::Slice> slices_;
};

}  // namespace

grpc::ByteBuffer EncodeBatches(const hub::BatchesFrame& frame) {
  SliceSink sink;
  EncodeBatches(frame, sink);
  return sink.Finish();
}

grpc::ByteBuffer EncodeFrame(const hub::Frame& frame) {
  if (const auto* batches = std::get_if<hub::BatchesFrame>(&frame)) return EncodeBatches(*batches);
  return SerializeMessage(ToSubscribeResponse(frame));
}

}  // namespace millrace::server
