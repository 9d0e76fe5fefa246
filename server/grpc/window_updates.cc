#include "server/grpc/window_updates.h"

#include <algorithm>

namespace millrace::server {
namespace {

// RFC 9113, 6.9 and 6.5.
constexpr size_t kFrameBytes = 13;
constexpr std::string_view kFrameBegins("\x00\x00\x04\x08\x00", 5);
constexpr size_t kSettingBytes = 6;
constexpr uint32_t kInitialWindowSize = 4;

constexpr uint32_t kMostKept = 16 << 10;
constexpr size_t kMostStreams = WindowUpdates::kMostBytes / kFrameBytes;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

void AppendNumber(uint32_t number, std::string& to) {
  for (const int shift : {24, 16, 8, 0}) to += static_cast<char>(number >> shift);
}

bool IsSettings(const Http2Frame& frame) {
  return frame.type == kHttp2Settings && (frame.flags & kHttp2Ack) == 0;
}

}  // namespace

std::optional<std::vector<WindowUpdates::Increment>> WindowUpdates::Parse(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % kFrameBytes != 0) return std::nullopt;
  std::vector<Increment> found;
  for (; !bytes.empty(); bytes.remove_prefix(kFrameBytes)) {
    if (bytes.substr(0, kFrameBegins.size()) != kFrameBegins) return std::nullopt;
    found.emplace_back(Number(bytes.substr(5, 4)), Number(bytes.substr(9, 4)));
  }
  return found;
}

bool WindowUpdates::Keep(std::string_view bytes) {
  if (!sent_.between_frames() || bytes.size() > kMostBytes) return false;
  const auto found = Parse(bytes);
  if (!found) return false;
  std::vector<Increment> kept = kept_;
  for (const auto& [stream, increment] : *found) {
    const auto same = std::find_if(kept.begin(), kept.end(),
                                   [s = stream](const Increment& each) { return each.first == s; });
    uint32_t& sum = same != kept.end() ? same->second : kept.emplace_back(stream, 0).second;
    if (increment > most_ - std::min(sum, most_)) return false;
    sum += increment;
  }
  if (kept.size() > kMostStreams) return false;
  kept_ = std::move(kept);
  return true;
}

bool WindowUpdates::MustGoBefore(absl::Span<const std::string_view> parts) const {
  if (kept_.empty()) return false;
  bool only_updates = sent_.between_frames();
  Http2Frames ahead = sent_;
  for (std::string_view bytes : parts) {
    while (const auto frame = ahead.Next(bytes)) {
      if (IsSettings(*frame)) return true;
      only_updates &= frame->type == kHttp2WindowUpdate;
    }
  }
  return only_updates;  // Which were too much to be kept.
}

// What there is of a SETTINGS frame's payload in the bytes that were sent with its header.
void WindowUpdates::NoteSettings(std::string_view payload, uint32_t size) {
  most_ = 0;
  if (payload.size() < size) return;  // gRPC sends it in one piece. Else nothing more is kept.
  for (; payload.size() >= kSettingBytes; payload.remove_prefix(kSettingBytes)) {
    if (Number(payload.substr(0, 2)) == kInitialWindowSize) window_ = Number(payload.substr(2, 4));
  }
  most_ = std::min(kMostKept, window_ / 4);
}

std::string WindowUpdates::Take() {
  std::string frames;
  for (const auto& [stream, increment] : kept_) {
    frames += kFrameBegins;
    AppendNumber(stream, frames);
    AppendNumber(increment, frames);
  }
  kept_.clear();
  return frames;
}

void WindowUpdates::Sent(std::string_view bytes) {
  while (const auto frame = sent_.Next(bytes)) {
    if (IsSettings(*frame)) NoteSettings(bytes.substr(0, frame->size), frame->size);
    const bool ends = (frame->type == kHttp2Headers || frame->type == kHttp2Data) &&
                      (frame->flags & kHttp2EndStream) != 0;
    if (!ends && frame->type != kHttp2ResetStream) continue;
    kept_.erase(std::remove_if(kept_.begin(), kept_.end(),
                               [&](const Increment& each) { return each.first == frame->stream; }),
                kept_.end());
  }
}

}  // namespace millrace::server
