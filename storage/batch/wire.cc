#include "storage/batch/wire.h"

#include <algorithm>
#include <limits>

namespace millrace::storage::wire {
namespace {

// Lengths that protobuf's C++ parser takes; it keeps a little room for itself.
constexpr uint64_t kMaxSize = std::numeric_limits<int32_t>::max() - 16;
constexpr size_t kMaxTagBytes = 5;
constexpr size_t kMaxSizeBytes = 5;

// Reads a varint of at most `max_bytes` bytes; bits beyond the 64th must be zero.
const char* ReadBoundedVarint(const char* p, const char* end, size_t max_bytes, uint64_t* value) {
  uint64_t result = 0;
  const size_t available = std::min(max_bytes, static_cast<size_t>(end - p));
  for (size_t i = 0; i < available; ++i) {
    const uint64_t byte = static_cast<uint8_t>(p[i]);
    if (i == kMaxVarintBytes - 1 && byte > 1) return nullptr;
    result |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = result;
      return p + i + 1;
    }
  }
  return nullptr;
}

}  // namespace

namespace internal {

const char* ReadLongVarint(const char* p, const char* end, uint64_t* value) {
  return ReadBoundedVarint(p, end, kMaxVarintBytes, value);
}

const char* ReadLongTag(const char* p, const char* end, uint32_t* value) {
  uint64_t wide;
  p = ReadBoundedVarint(p, end, kMaxTagBytes, &wide);
  if (p == nullptr || wide > std::numeric_limits<uint32_t>::max()) return nullptr;
  *value = static_cast<uint32_t>(wide);
  return p;
}

const char* ReadLongSize(const char* p, const char* end, size_t* size) {
  uint64_t wide;
  p = ReadBoundedVarint(p, end, kMaxSizeBytes, &wide);
  if (p == nullptr || wide > kMaxSize) return nullptr;
  *size = static_cast<size_t>(wide);
  return p;
}

}  // namespace internal

const char* SkipValue(const char* p, const char* end, WireType type) {
  const size_t available = static_cast<size_t>(end - p);
  switch (type) {
    case WireType::kVarint: {
      uint64_t value;
      return ReadVarint(p, end, &value);
    }
    case WireType::kFixed64:
      return available < 8 ? nullptr : p + 8;
    case WireType::kLengthDelimited: {
      std::string_view bytes;
      return ReadBytes(p, end, &bytes);
    }
    case WireType::kFixed32:
      return available < 4 ? nullptr : p + 4;
  }
  return nullptr;
}

}  // namespace millrace::storage::wire
