// Finds the frames of HTTP/2 in the bytes of one direction of a connection (RFC 9113, 4.1 and 6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::server {

enum Http2FrameType : uint8_t {
  kHttp2Data = 0,
  kHttp2Headers = 1,
  kHttp2ResetStream = 3,
  kHttp2Settings = 4,
  kHttp2Ping = 6,
  kHttp2WindowUpdate = 8,
  kHttp2Continuation = 9
};
inline constexpr uint8_t kHttp2EndStream = 1;  // Flag of DATA and HEADERS.
inline constexpr uint8_t kHttp2Ack = 1;        // Of SETTINGS and PING.

struct Http2Frame {
  uint32_t size;  // Of its payload.
  uint8_t type;   // Others than Http2FrameType's, too.
  uint8_t flags;
  uint32_t stream;  // 0: the connection.
};

// Threads: one at a time.
class Http2Frames {
 public:
  // So many bytes come before the first frame.
  explicit Http2Frames(uint32_t preface_bytes) : skip_(preface_bytes) {}

  // The next frame whose header is complete in these bytes, the next that came; takes from them
  // what it has looked at. Absent: nothing is left of them, and more must come.
  std::optional<Http2Frame> Next(std::string_view& bytes);

  // Whether the next byte is the first of a frame.
  bool between_frames() const { return skip_ == 0 && header_size_ == 0; }

 private:
  static constexpr size_t kHeaderBytes = 9;

  uint32_t skip_;  // Bytes until the next frame's header.
  std::array<uint8_t, kHeaderBytes> header_{};
  size_t header_size_ = 0;
};

}  // namespace millrace::server
