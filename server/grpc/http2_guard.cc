#include "server/grpc/http2_guard.h"

#include <algorithm>

namespace millrace::server {
namespace {

constexpr int64_t kFrameBytes = 16 << 10;  // What any HTTP/2 endpoint takes.
constexpr int64_t kFramesMore = 4;

std::optional<ConnectionRefusal> AttackUnless(bool allowed) {
  if (allowed) return std::nullopt;
  return ConnectionRefusal::kAttack;
}

}  // namespace

Http2Guard::~Http2Guard() {
  if (of_address_ != nullptr) of_address_->Leave(static_cast<int64_t>(open_.size()));
}

bool Http2Guard::Admit(std::string_view bytes, absl::Duration now) {
  while (!refusal_) {
    const auto frame = received_.Next(bytes);
    if (!frame) break;
    refusal_ = Judge(*frame, now);
  }
  return !refusal_;
}

void Http2Guard::Sent(std::string_view bytes) {
  while (const auto frame = sent_.Next(bytes)) {
    const bool ends = (frame->type == kHttp2Headers || frame->type == kHttp2Data) &&
                      (frame->flags & kHttp2EndStream) != 0;
    if (ends || frame->type == kHttp2ResetStream) Close(frame->stream);
  }
}

std::optional<ConnectionRefusal> Http2Guard::Judge(const Http2Frame& frame, absl::Duration now) {
  switch (frame.type) {
    case kHttp2Headers:
      block_bytes_ = 0;
      block_frames_ = 0;
      if (frame.stream > last_stream_) {  // Not trailers.
        last_stream_ = frame.stream;
        if (const auto refusal = Open(frame.stream)) return refusal;
      }
      return AttackUnless(AdmitBlockPart(frame.size));
    case kHttp2Continuation:
      return AttackUnless(AdmitBlockPart(frame.size));
    case kHttp2ResetStream:
      Close(frame.stream);
      return AttackUnless(resets_.Take(limits_.resets, now));
    case kHttp2Settings:
      acknowledged_ |= (frame.flags & kHttp2Ack) != 0;
      return std::nullopt;
    case kHttp2Ping:
      return AttackUnless((frame.flags & kHttp2Ack) != 0 || pings_.Take(limits_.pings, now));
    default:
      return std::nullopt;
  }
}

std::optional<ConnectionRefusal> Http2Guard::Open(uint32_t stream) {
  ++streams_;
  // Once they are, gRPC counts the streams that it knows, and closes the connection itself.
  if (!acknowledged_ && streams_ > limits_.streams_unacknowledged) {
    return ConnectionRefusal::kAttack;
  }
  if (of_address_ != nullptr && !of_address_->Enter()) return ConnectionRefusal::kStreamLimit;
  {
    std::lock_guard lock(mutex_);
    open_.insert(stream);
    if (open_.size() <= limits_.streams) return std::nullopt;
  }
  std::lock_guard none_is_being_sent(sending_);
  std::lock_guard lock(mutex_);
  return AttackUnless(open_.size() <= limits_.streams);
}

void Http2Guard::Close(uint32_t stream) {
  std::lock_guard lock(mutex_);
  const bool was_open = open_.erase(stream) == 1;
  if (was_open && of_address_ != nullptr) of_address_->Leave(1);
}

bool Http2Guard::AdmitBlockPart(uint32_t bytes) {
  block_bytes_ += bytes;
  ++block_frames_;
  const int64_t most = limits_.header_block_bytes;
  return block_bytes_ <= most && block_frames_ <= most / kFrameBytes + kFramesMore;
}

bool Http2Guard::Allowance::Take(const Rate& rate, absl::Duration now) {
  if (now > last) {
    left = std::min(rate.most, left + rate.per_second * absl::ToDoubleSeconds(now - last));
  }
  last = now;
  left -= 1;
  return left >= 0;
}

}  // namespace millrace::server
