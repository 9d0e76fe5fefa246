// millrace.v1.proto: the contract's messages as they are. Records are neither parsed when they come
// nor built when they go: a command's bytes are found by their field, a frame's are put together.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/contract/batches_encoder.h"
#include "server/contract/produce_decoder.h"
#include "server/contract/subscribe_frames.h"
#include "server/web/frame_cache.h"
#include "server/web/gateway_command.h"
#include "storage/batch/wire.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

namespace wire = storage::wire;
using v1::GatewayRequest;
using v1::GatewayResponse;
using wire::WireType;

template <typename Message>
absl::StatusOr<GatewayAction> Read(std::string_view bytes) {
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return ToAction(message);
  }
  return storage::Error(storage::Reason::kMalformedRequest,
                        absl::StrCat("these bytes are not a ", message.GetDescriptor()->name()));
}

absl::StatusOr<GatewayAction> ReadProduce(std::string_view bytes, const hub::Limits& limits) {
  storage::SliceBuffer buffer(bytes.size());  // The log keeps it; the message goes.
  std::copy(bytes.begin(), bytes.end(), buffer.data());
  auto produce = DecodeProduceRequest(buffer, limits);
  if (!produce.ok()) return produce.status();
  return *std::move(produce);
}

absl::StatusOr<GatewayAction> ReadAction(uint32_t field, std::string_view bytes,
                                         const hub::Limits& limits) {
  switch (field) {
    case GatewayRequest::kSubscribeFieldNumber:
      return Read<v1::GatewaySubscribe>(bytes);
    case GatewayRequest::kUnsubscribeFieldNumber:
      return Read<v1::GatewayUnsubscribe>(bytes);
    case GatewayRequest::kProduceFieldNumber:
      return ReadProduce(bytes, limits);
    case GatewayRequest::kCommitFieldNumber:
      return Read<v1::CommitOffsetRequest>(bytes);
    case GatewayRequest::kCreditFieldNumber:
      return Read<v1::GatewayCredit>(bytes);
    case GatewayRequest::kPingFieldNumber:
      return Read<v1::GatewayPing>(bytes);
    case GatewayRequest::kWatchGroupFieldNumber:
      return Read<v1::WatchGroupRequest>(bytes);
    default:
      return UnknownCommand(absl::StrCat(field));
  }
}

// Where this field of the request goes; null: it is no part of its trace.
std::string* TraceField(wire::Tag tag, GatewayCommand& command) {
  if (tag.type != WireType::kLengthDelimited) return nullptr;
  if (tag.field == GatewayRequest::kTraceparentFieldNumber) return &command.traceparent;
  if (tag.field == GatewayRequest::kTracestateFieldNumber) return &command.tracestate;
  return nullptr;
}

class ProtoProtocol final : public GatewayProtocol {
 public:
  ProtoProtocol(const hub::Limits& limits, int64_t max_cached_bytes)
      : limits_(limits), cache_(max_cached_bytes) {}

  std::string_view name() const override { return "millrace.v1.proto"; }
  bool is_text() const override { return false; }

  std::optional<GatewayCommand> Decode(std::string_view message) const override {
    GatewayCommand command{.action = NotOneCommand()};
    std::optional<std::pair<uint32_t, std::string_view>> action;
    bool several = false;
    const char* p = message.data();
    const char* const end = p + message.size();
    while (p != end) {
      wire::Tag tag;
      p = wire::ReadTag(p, end, &tag);
      if (p == nullptr) return std::nullopt;
      if (tag.field == GatewayRequest::kIdFieldNumber) {
        uint64_t id = 0;
        p = tag.type == WireType::kVarint ? wire::ReadVarint(p, end, &id) : nullptr;
        command.id = static_cast<int32_t>(id);
      } else if (std::string* trace = TraceField(tag, command)) {
        std::string_view text;
        p = wire::ReadBytes(p, end, &text);
        trace->assign(text);
      } else if (tag.type == WireType::kLengthDelimited) {
        several |= action.has_value();
        p = wire::ReadBytes(p, end, &action.emplace(tag.field, std::string_view()).second);
      } else {
        p = wire::SkipValue(p, end, tag.type);
      }
      if (p == nullptr) return std::nullopt;
    }
    if (action && !several) command.action = ReadAction(action->first, action->second, limits_);
    return command;
  }

  Pieces Encode(const GatewayResponse& response) const override {
    return Pieces(response.SerializeAsString());
  }

  Pieces EncodeFrame(int32_t id, const hub::Frame& frame) const override {
    if (const auto* batches = std::get_if<hub::BatchesFrame>(&frame)) {
      return cache_.Get(id, *batches, [&] { return MakeFrame(id, *batches); });
    }
    GatewayResponse response;
    response.set_id(id);
    *response.mutable_frame() = ToSubscribeResponse(frame);
    return Encode(response);
  }

 private:
  static constexpr size_t kCopyBytes = 4 << 10;

  static Pieces MakeFrame(int32_t id, const hub::BatchesFrame& batches) {
    GatewayResponse head;
    head.set_id(id);
    Pieces body;
    EncodeBatches(batches, body);
    std::vector<storage::SharedSlice> slices = std::move(body).Take();
    size_t size = 0;
    for (const storage::SharedSlice& slice : slices) size += slice.bytes.size();
    // The frame's tag and length stand before bytes that are there already.
    char field[2 * wire::kMaxVarintBytes];
    char* field_end =
        wire::WriteTag(field, GatewayResponse::kFrameFieldNumber, WireType::kLengthDelimited);
    field_end = wire::WriteVarint(field_end, size);
    Pieces out(head.SerializeAsString().append(field, field_end));
    for (const storage::SharedSlice& slice : slices) {
      if (slice.bytes.size() < kCopyBytes) {
        out.AddText(slice.bytes);
      } else {
        out.AddShared(slice);
      }
    }
    return out;
  }

  const hub::Limits& limits_;
  mutable FrameCache cache_;  // Has its own lock.
};

}  // namespace

std::unique_ptr<GatewayProtocol> MakeProtoProtocol(const hub::Limits& limits,
                                                   int64_t max_cached_bytes) {
  return std::make_unique<ProtoProtocol>(limits, max_cached_bytes);
}

}  // namespace millrace::server
