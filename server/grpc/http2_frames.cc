#include "server/grpc/http2_frames.h"

#include <algorithm>

namespace millrace::server {

std::optional<Http2Frame> Http2Frames::Next(std::string_view& bytes) {
  const size_t skipped = std::min<size_t>(skip_, bytes.size());
  bytes.remove_prefix(skipped);
  skip_ -= static_cast<uint32_t>(skipped);
  const size_t taken = std::min(kHeaderBytes - header_size_, bytes.size());
  std::copy_n(bytes.begin(), taken, header_.begin() + header_size_);
  bytes.remove_prefix(taken);
  header_size_ += taken;
  if (header_size_ < kHeaderBytes) return std::nullopt;
  header_size_ = 0;
  const uint32_t size = uint32_t{header_[0]} << 16 | uint32_t{header_[1]} << 8 | header_[2];
  const uint32_t stream = (uint32_t{header_[5]} << 24 | uint32_t{header_[6]} << 16 |
                           uint32_t{header_[7]} << 8 | header_[8]) &
                          0x7fff'ffff;
  skip_ = size;
  return Http2Frame{.size = size, .type = header_[3], .flags = header_[4], .stream = stream};
}

}  // namespace millrace::server
