// Protobuf's wire format on flat bytes: varints, tags and lengths, checked against the end of the
// bytes at every step.
//
// Accepted is what every official protobuf parser accepts, and nothing more: tags of at most 32
// bits with a field number of at least 1, lengths of at most 5 bytes, varints of at most 64 bits;
// no groups. Longer than necessary encodings within these bounds are legal.
//
// Readers take [p, end) and answer the position after what they read, or null if the bytes are not
// that: too short or illegal. Free functions without state, safe from any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::storage::wire {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

struct Tag {
  uint32_t field = 0;
  WireType type = WireType::kVarint;
};

// The tag of (field, type) as it is written; fields up to 15 take one byte.
constexpr uint32_t TagValue(uint32_t field, WireType type) {
  return field << 3 | static_cast<uint32_t>(type);
}

inline constexpr size_t kMaxVarintBytes = 10;

// ---- Reading

namespace internal {
const char* ReadLongVarint(const char* p, const char* end, uint64_t* value);
const char* ReadLongTag(const char* p, const char* end, uint32_t* value);
const char* ReadLongSize(const char* p, const char* end, size_t* size);
}  // namespace internal

inline const char* ReadVarint(const char* p, const char* end, uint64_t* value) {
  if (p < end && static_cast<uint8_t>(*p) < 0x80) [[likely]] {
    *value = static_cast<uint8_t>(*p);
    return p + 1;
  }
  return internal::ReadLongVarint(p, end, value);
}

// Reads a tag as a number and judges neither field number nor wire type: for comparing with
// TagValue first. Everything else about it is then for SplitTag to say.
inline const char* ReadTagValue(const char* p, const char* end, uint32_t* value) {
  if (p < end && static_cast<uint8_t>(*p) < 0x80) [[likely]] {
    *value = static_cast<uint8_t>(*p);
    return p + 1;
  }
  return internal::ReadLongTag(p, end, value);
}

// False for field number 0 and for the wire types that are not in WireType (groups among them).
inline bool SplitTag(uint32_t value, Tag* tag) {
  const uint32_t type = value & 7;
  if (value < 8 || type == 3 || type == 4 || type > 5) return false;
  *tag = {value >> 3, static_cast<WireType>(type)};
  return true;
}

inline const char* ReadTag(const char* p, const char* end, Tag* tag) {
  uint32_t value;
  p = ReadTagValue(p, end, &value);
  return p != nullptr && SplitTag(value, tag) ? p : nullptr;
}

// Reads a length and the bytes that it announces.
inline const char* ReadBytes(const char* p, const char* end, std::string_view* bytes) {
  size_t size;
  if (p < end && static_cast<uint8_t>(*p) < 0x80) [[likely]] {
    size = static_cast<uint8_t>(*p++);
  } else if (end - p >= 2 && static_cast<uint8_t>(p[1]) < 0x80) {
    size = (static_cast<uint8_t>(p[0]) & 0x7f) | static_cast<size_t>(p[1]) << 7;
    p += 2;
  } else {
    p = internal::ReadLongSize(p, end, &size);
    if (p == nullptr) return nullptr;
  }
  if (size > static_cast<size_t>(end - p)) return nullptr;
  *bytes = {p, size};
  return p + size;
}

// Steps over the value of a field whose tag has been read.
const char* SkipValue(const char* p, const char* end, WireType type);

// ---- Writing. The caller provides the room.

constexpr size_t VarintSize(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Answers the position after the last byte written; at most kMaxVarintBytes are.
inline char* WriteVarint(char* out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline char* WriteTag(char* out, uint32_t field, WireType type) {
  return WriteVarint(out, TagValue(field, type));
}

// The bytes of a length-delimited field: tag, length and value.
constexpr size_t BytesFieldSize(uint32_t field, size_t size) {
  return VarintSize(TagValue(field, WireType::kLengthDelimited)) + VarintSize(size) + size;
}

inline char* WriteBytesField(char* out, uint32_t field, std::string_view bytes) {
  out = WriteTag(out, field, WireType::kLengthDelimited);
  out = WriteVarint(out, bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

}  // namespace millrace::storage::wire
