#include <cstring>

#include "storage/batch/record_walk.h"

namespace millrace::storage {
namespace {

bool IsAscii(const char* p, size_t size) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t seen = 0;
  for (; size >= sizeof(uint64_t); p += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    seen |= word;
  }
  for (; size > 0; ++p, --size) seen |= static_cast<uint8_t>(*p);
  return (seen & kHighBits) == 0;
}

// The size of the well-formed sequence of several bytes at p, or 0 (Unicode, table 3-7).
size_t SequenceSize(const uint8_t* p, size_t available) {
  const uint8_t lead = p[0];
  size_t size;
  uint8_t low = 0x80;  // Bounds of the second byte.
  uint8_t high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    size = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    size = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (available < size || p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if (p[i] < 0x80 || p[i] > 0xbf) return 0;
  }
  return size;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  if (IsAscii(bytes.data(), bytes.size())) [[likely]]
    return true;
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  for (size_t i = 0; i < bytes.size();) {
    const size_t size = p[i] < 0x80 ? 1 : SequenceSize(p + i, bytes.size() - i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

}  // namespace millrace::storage
