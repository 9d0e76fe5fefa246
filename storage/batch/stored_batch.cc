#include "storage/batch/stored_batch.h"

#define XXH_STATIC_LINKING_ONLY  // Its state on the stack.
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // By the widest vectors that the processor has.
#endif

#include <concepts>

namespace millrace::storage {
namespace {

constexpr char kFormat = 1;
constexpr size_t kChecksumAt = 1;
constexpr size_t kCheckedFrom = 9;
constexpr size_t kCountAt = 9;
constexpr size_t kTimeAt = 13;
constexpr size_t kEpochAt = 21;

template <std::unsigned_integral T>
void StoreLittleEndian(T value, char* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<char>(value >> (8 * i));
}

template <std::unsigned_integral T>
T LoadLittleEndian(const char* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= T{static_cast<uint8_t>(in[i])} << (8 * i);
  return value;
}

}  // namespace

EncodedBatchHeader EncodeBatchHeader(const StoredBatchHeader& header,
                                     absl::Span<const std::string_view> entries) {
  EncodedBatchHeader bytes;
  bytes[0] = kFormat;
  StoreLittleEndian(static_cast<uint32_t>(header.record_count), &bytes[kCountAt]);
  StoreLittleEndian(static_cast<uint64_t>(header.append_time), &bytes[kTimeAt]);
  StoreLittleEndian(static_cast<uint64_t>(header.log_epoch.value()), &bytes[kEpochAt]);
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, &bytes[kCheckedFrom], bytes.size() - kCheckedFrom);
  for (std::string_view slice : entries) XXH3_64bits_update(&state, slice.data(), slice.size());
  StoreLittleEndian(uint64_t{XXH3_64bits_digest(&state)}, &bytes[kChecksumAt]);
  return bytes;
}

StoredBatchError DecodeBatchHeader(std::string_view stored, StoredBatchHeader* header) {
  if (stored.size() < kStoredBatchHeaderBytes) return StoredBatchError::kTruncated;
  if (stored[0] != kFormat) return StoredBatchError::kUnknownFormat;
  header->record_count = static_cast<int32_t>(LoadLittleEndian<uint32_t>(&stored[kCountAt]));
  header->append_time = static_cast<int64_t>(LoadLittleEndian<uint64_t>(&stored[kTimeAt]));
  header->log_epoch = LogEpoch(static_cast<int64_t>(LoadLittleEndian<uint64_t>(&stored[kEpochAt])));
  return header->record_count < 1 ? StoredBatchError::kBadCount : StoredBatchError::kNone;
}

StoredBatchError DecodeStoredBatch(std::string_view stored, StoredBatchView* view) {
  const StoredBatchError error = DecodeBatchHeader(stored, &view->header);
  if (error != StoredBatchError::kNone && error != StoredBatchError::kBadCount) return error;
  const std::string_view checked = stored.substr(kCheckedFrom);
  if (XXH3_64bits(checked.data(), checked.size()) !=
      LoadLittleEndian<uint64_t>(&stored[kChecksumAt])) {
    return StoredBatchError::kBadChecksum;
  }
  view->entries = stored.substr(kStoredBatchHeaderBytes);
  return error;
}

std::string_view DescriptionOf(StoredBatchError error) {
  switch (error) {
    case StoredBatchError::kNone:
      return "well-formed";
    case StoredBatchError::kTruncated:
      return "it is shorter than a header";
    case StoredBatchError::kUnknownFormat:
      return "its format is unknown";
    case StoredBatchError::kBadChecksum:
      return "its checksum does not match";
    case StoredBatchError::kBadCount:
      return "it claims to hold no record";
  }
  return "unknown";
}

}  // namespace millrace::storage
