#include "storage/batch/record_walk.h"

#include "storage/batch/wire.h"

namespace millrace::storage {
namespace {

using wire::TagValue;
using wire::WireType;

// Fields of record.proto.
constexpr uint32_t kRecordKey = TagValue(1, WireType::kLengthDelimited);
constexpr uint32_t kRecordValue = TagValue(2, WireType::kLengthDelimited);
constexpr uint32_t kRecordHeaders = TagValue(3, WireType::kLengthDelimited);
constexpr uint32_t kRecordEventTime = TagValue(4, WireType::kLengthDelimited);
constexpr uint32_t kRecordLastField = 4;

constexpr uint32_t kHeaderName = TagValue(1, WireType::kLengthDelimited);
constexpr uint32_t kHeaderValue = TagValue(2, WireType::kLengthDelimited);
constexpr uint32_t kHeaderLastField = 2;

constexpr uint32_t kTimestampSeconds = TagValue(1, WireType::kVarint);
constexpr uint32_t kTimestampNanos = TagValue(2, WireType::kVarint);
constexpr uint32_t kTimestampLastField = 2;

bool IsRecordField(uint32_t tag) {
  return tag == kRecordValue || tag == kRecordKey || tag == kRecordHeaders ||
         tag == kRecordEventTime;
}

// Why a number that begins at p could not be read.
WalkError NumberError(const char* p, const char* end) {
  for (size_t i = 0; i < wire::kMaxVarintBytes && p < end; ++i, ++p) {
    if (static_cast<uint8_t>(*p) < 0x80) return WalkError::kBadVarint;
  }
  return p == end ? WalkError::kTruncated : WalkError::kBadVarint;
}

// Why a length and its bytes could not be read at p.
WalkError BytesError(const char* p, const char* end) {
  uint64_t size;
  const char* after = wire::ReadVarint(p, end, &size);
  if (after == nullptr) return NumberError(p, end);
  return size > static_cast<size_t>(end - after) ? WalkError::kTruncated : WalkError::kBadVarint;
}

// Steps over a field that is not one of a message's own; *p is after its tag. Fields up to
// `last_field` are the message's own, and got here by a wrong wire type.
WalkError SkipUnknown(const char** p, const char* end, uint32_t tag_value, uint32_t last_field) {
  const uint32_t type = tag_value & 7;
  wire::Tag tag;
  if (!wire::SplitTag(tag_value, &tag)) {
    return tag_value >= 8 && (type == 3 || type == 4) ? WalkError::kGroup : WalkError::kBadTag;
  }
  if (tag.field <= last_field) return WalkError::kWrongWireType;
  const char* after = wire::SkipValue(*p, end, tag.type);
  if (after == nullptr) {
    switch (tag.type) {
      case WireType::kVarint:
        return NumberError(*p, end);
      case WireType::kLengthDelimited:
        return BytesError(*p, end);
      default:
        return WalkError::kTruncated;
    }
  }
  *p = after;
  return WalkError::kNone;
}

WalkError WalkHeader(std::string_view header) {
  const char* p = header.data();
  const char* const end = p + header.size();
  while (p != end) {
    const char* const start = p;
    uint32_t tag;
    p = wire::ReadTagValue(p, end, &tag);
    if (p == nullptr) return NumberError(start, end);
    if (tag == kHeaderName || tag == kHeaderValue) [[likely]] {
      std::string_view bytes;
      const char* const after = wire::ReadBytes(p, end, &bytes);
      if (after == nullptr) return BytesError(p, end);
      if (tag == kHeaderName && !IsUtf8(bytes)) return WalkError::kNotUtf8;
      p = after;
    } else if (const auto error = SkipUnknown(&p, end, tag, kHeaderLastField);
               error != WalkError::kNone) {
      return error;
    }
  }
  return WalkError::kNone;
}

WalkError WalkTimestamp(std::string_view timestamp) {
  const char* p = timestamp.data();
  const char* const end = p + timestamp.size();
  while (p != end) {
    const char* const start = p;
    uint32_t tag;
    p = wire::ReadTagValue(p, end, &tag);
    if (p == nullptr) return NumberError(start, end);
    if (tag == kTimestampSeconds || tag == kTimestampNanos) [[likely]] {
      uint64_t value;
      const char* const after = wire::ReadVarint(p, end, &value);
      if (after == nullptr) return NumberError(p, end);
      p = after;
    } else if (const auto error = SkipUnknown(&p, end, tag, kTimestampLastField);
               error != WalkError::kNone) {
      return error;
    }
  }
  return WalkError::kNone;
}

}  // namespace

WalkError WalkRecord(std::string_view record, const RecordLimits& limits, RecordFacts* facts) {
  if (record.size() > limits.max_record_bytes) return WalkError::kRecordTooLarge;
  RecordFacts seen;
  const char* p = record.data();
  const char* const end = p + record.size();
  while (p != end) {
    const char* const start = p;
    uint32_t tag;
    p = wire::ReadTagValue(p, end, &tag);
    if (p == nullptr) return NumberError(start, end);
    if (!IsRecordField(tag)) [[unlikely]] {
      const WalkError error = SkipUnknown(&p, end, tag, kRecordLastField);
      if (error != WalkError::kNone) return error;
      continue;
    }
    std::string_view bytes;
    const char* const after = wire::ReadBytes(p, end, &bytes);
    if (after == nullptr) return BytesError(p, end);
    p = after;
    if (tag == kRecordValue) continue;
    if (tag == kRecordKey) {
      if (bytes.size() > limits.max_key_bytes) return WalkError::kKeyTooLarge;
      seen.has_key = true;
      seen.key = bytes;
      continue;
    }
    if (tag == kRecordHeaders && seen.header_count++ == limits.max_headers) {
      return WalkError::kTooManyHeaders;
    }
    const WalkError error = tag == kRecordHeaders ? WalkHeader(bytes) : WalkTimestamp(bytes);
    if (error != WalkError::kNone) return error;
  }
  *facts = seen;
  return WalkError::kNone;
}

std::string_view DescriptionOf(WalkError error) {
  switch (error) {
    case WalkError::kNone:
      return "well-formed";
    case WalkError::kTruncated:
      return "it ends inside a field";
    case WalkError::kBadVarint:
      return "a number has too many bits";
    case WalkError::kBadTag:
      return "a field has number 0 or an undefined wire type";
    case WalkError::kGroup:
      return "a field is a group, which is not supported";
    case WalkError::kWrongWireType:
      return "a known field has the wrong wire type";
    case WalkError::kNotUtf8:
      return "a header name is not UTF-8";
    case WalkError::kRecordTooLarge:
      return "the record is too large";
    case WalkError::kKeyTooLarge:
      return "the key is too large";
    case WalkError::kTooManyHeaders:
      return "there are too many headers";
  }
  return "unknown";
}

}  // namespace millrace::storage
