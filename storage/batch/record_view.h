// A record taken apart, for those who must look inside one: the inspection service, the gateway,
// tests. The way from producer to subscriber never does.
//
// Plain values and free functions, safe from any thread. A view points into the bytes parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace millrace::storage {

struct HeaderView {
  std::string_view name;
  std::optional<std::string_view> value;

  friend bool operator==(const HeaderView&, const HeaderView&) = default;
};

// A google.protobuf.Timestamp as it was sent: nobody has checked its range.
struct EventTime {
  int64_t seconds = 0;
  int32_t nanos = 0;

  friend bool operator==(const EventTime&, const EventTime&) = default;
};

struct RecordView {
  std::optional<std::string_view> key;    // Absent: no key.
  std::optional<std::string_view> value;  // Absent: a tombstone.
  absl::InlinedVector<HeaderView, 4> headers;
  std::optional<EventTime> event_time;
};

// Reads an encoded Record as protobuf does: of a field that comes twice the last one counts,
// unknown fields are skipped. Absent for what WalkRecord refuses as malformed.
std::optional<RecordView> ParseRecord(std::string_view record);

// Appends the encoded Record, as protobuf would encode it.
void AppendRecord(const RecordView& record, std::string* out);

// Appends the record as a `records` entry (storage/batch/entries.h).
void AppendRecordEntry(const RecordView& record, std::string* out);

}  // namespace millrace::storage
