// The form in which an engine keeps a batch on disk: a header, then the `records` entries as they
// came over the wire (storage/batch/entries.h).
//
//   byte  0       format, 1
//   bytes 1..8    checksum: XXH3 (64 bits, seed 0) over all bytes from 9 to the end
//   bytes 9..12   number of records, at least 1
//   bytes 13..20  append time, milliseconds since the Unix epoch
//   bytes 21..28  log epoch
//   bytes 29..    entries
//
// Numbers are little-endian; the two times and epochs are signed. The base offset is not in the
// batch: it is the key under which the batch is kept.
//
// Format 1 never changes; another layout gets another number. Free functions without state, safe
// from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "storage/types.h"

namespace millrace::storage {

struct StoredBatchHeader {
  int32_t record_count = 0;
  UnixMillis append_time = 0;
  LogEpoch log_epoch;

  friend bool operator==(const StoredBatchHeader&, const StoredBatchHeader&) = default;
};

inline constexpr size_t kStoredBatchHeaderBytes = 29;
using EncodedBatchHeader = std::array<char, kStoredBatchHeaderBytes>;

// Encodes the header of a batch whose entries are the given slices one after another. The batch is
// the header followed by these slices; nothing is copied here.
EncodedBatchHeader EncodeBatchHeader(const StoredBatchHeader& header,
                                     absl::Span<const std::string_view> entries);

enum class StoredBatchError : uint8_t {
  kNone,
  kTruncated,      // Shorter than a header.
  kUnknownFormat,  // Written by a newer hub, or damaged.
  kBadChecksum,    // Damaged.
  kBadCount,       // A record count below 1 under a right checksum: never written by this code.
};

// For a person: "the checksum does not match".
std::string_view DescriptionOf(StoredBatchError error);

// A stored batch taken apart; `entries` points into the bytes decoded.
struct StoredBatchView {
  StoredBatchHeader header;
  std::string_view entries;
};

// Verifies the checksum and takes the batch apart. That the entries number record_count is implied
// by the checksum and not counted again.
StoredBatchError DecodeStoredBatch(std::string_view stored, StoredBatchView* view);

// The same without the checksum, which must be verified before the entries are believed: for going
// through many batches by their headers. `stored` may end after the header.
StoredBatchError DecodeBatchHeader(std::string_view stored, StoredBatchHeader* header);

}  // namespace millrace::storage
