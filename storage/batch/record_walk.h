// The one look that is taken at a record on its way in: a single pass over an encoded
// millrace.v1.Record that tells whether it is one, without building an object. What passes is
// stored and delivered as it is.
//
// Passes: what every protobuf parser reads as a Record. Unknown fields pass and are kept. Refused,
// beside what is no protobuf at all: groups, known fields of a wrong wire type (a parser would take
// them for unknown ones and lose the data), header names that are not UTF-8, and records beyond the
// limits.
//
// Free functions without state, safe from any thread; views point into the bytes given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace millrace::storage {

enum class WalkError : uint8_t {
  kNone,
  kTruncated,      // Ends inside a field, or a length reaches beyond the end.
  kBadVarint,      // A number of more bits than its kind has.
  kBadTag,         // Field number 0 or an undefined wire type.
  kGroup,          // The old group encoding.
  kWrongWireType,  // A known field with another wire type than its own.
  kNotUtf8,        // The name of a header.
  kRecordTooLarge,
  kKeyTooLarge,
  kTooManyHeaders,
};

// For a person: "a header name is not UTF-8".
std::string_view DescriptionOf(WalkError error);

// Whether the error is about the limits: RECORD_TOO_LARGE instead of MALFORMED_RECORD.
constexpr bool IsLimitError(WalkError error) { return error >= WalkError::kRecordTooLarge; }

// The largest record that passes. Each is inclusive.
struct RecordLimits {
  size_t max_record_bytes = std::numeric_limits<int32_t>::max();
  size_t max_key_bytes = std::numeric_limits<int32_t>::max();
  int32_t max_headers = std::numeric_limits<int32_t>::max();
};

// What the walk sees in passing.
struct RecordFacts {
  bool has_key = false;  // An empty key is a key.
  std::string_view key;
  int32_t header_count = 0;
};

// Walks one encoded Record (without the tag and length that frame it in a `records` entry). `facts`
// is filled if the answer is kNone.
WalkError WalkRecord(std::string_view record, const RecordLimits& limits, RecordFacts* facts);

// Whether the bytes are UTF-8 as protobuf wants it: no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool IsUtf8(std::string_view bytes);

}  // namespace millrace::storage
