// `records` entries: the form in which records are sent, stored and delivered. An entry is the tag
// of field 3, a length and an encoded Record; entries follow one another without anything between.
//
// Everything here works on flat bytes and checks the framing only; what is inside a record is for
// WalkRecord and ParseRecord. Safe from any thread; views point into the bytes given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/batch/wire.h"

namespace millrace::storage {

// The field number of `records` in ProduceRequest and in RecordBatch.
inline constexpr uint32_t kRecordsField = 3;
inline constexpr uint32_t kRecordsTag =
    wire::TagValue(kRecordsField, wire::WireType::kLengthDelimited);

// Gives the records of entries, one after another.
//   EntryReader reader(entries);
//   for (std::string_view record; reader.Next(&record);) ...
//   if (reader.damaged()) ...
class EntryReader {
 public:
  explicit EntryReader(std::string_view entries)
      : begin_(entries.data()), p_(begin_), end_(begin_ + entries.size()) {}

  // False at the end, and where the bytes are no entry.
  bool Next(std::string_view* record) {
    if (p_ == end_) return false;
    uint32_t tag;
    const char* p = wire::ReadTagValue(p_, end_, &tag);
    if (p != nullptr && tag == kRecordsTag) p = wire::ReadBytes(p, end_, record);
    if (p == nullptr || tag != kRecordsTag) {
      damaged_ = true;
      return false;
    }
    p_ = p;
    return true;
  }

  // Whether Next stopped before the end.
  bool damaged() const { return damaged_; }

  // The bytes of the entries given so far.
  size_t position() const { return static_cast<size_t>(p_ - begin_); }

 private:
  const char* begin_;
  const char* p_;
  const char* end_;
  bool damaged_ = false;
};

// The first so many entries, and their bytes.
struct EntriesPrefix {
  int32_t records = 0;
  size_t bytes = 0;

  friend bool operator==(const EntriesPrefix&, const EntriesPrefix&) = default;
};

// The first `records` entries, or all if there are fewer. Absent: the bytes before that are
// damaged.
std::optional<EntriesPrefix> PrefixOfRecords(std::string_view entries, int32_t records);

// As many whole entries as fit into `max_bytes` (possibly none). Absent: the bytes before that are
// damaged.
std::optional<EntriesPrefix> PrefixOfBytes(std::string_view entries, size_t max_bytes);

}  // namespace millrace::storage
