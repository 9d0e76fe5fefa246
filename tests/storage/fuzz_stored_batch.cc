// libFuzzer over the decoder of stored batches: as they are, and with a checksum made to match, so
// that what lies behind it is reached too.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/batch/entries.h"
#include "storage/batch/stored_batch.h"

namespace {

using namespace millrace::storage;  // NOLINT: one file, nothing else in it.

void Require(bool condition) {
  if (!condition) std::abort();
}

void ReadEntries(const StoredBatchView& view) {
  EntryReader reader(view.entries);
  for (std::string_view record; reader.Next(&record);) {
    Require(record.data() + record.size() <= view.entries.data() + view.entries.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  StoredBatchView view;
  if (DecodeStoredBatch(bytes, &view) == StoredBatchError::kNone) ReadEntries(view);

  StoredBatchHeader header;
  if (DecodeBatchHeader(bytes, &header) != StoredBatchError::kNone) return 0;
  const std::string_view entries = bytes.substr(kStoredBatchHeaderBytes);
  const EncodedBatchHeader encoded = EncodeBatchHeader(header, {entries});
  const std::string stored = std::string(encoded.data(), encoded.size()) + std::string(entries);
  Require(DecodeStoredBatch(stored, &view) == StoredBatchError::kNone);
  Require(view.header == header && view.entries == entries);
  ReadEntries(view);
  return 0;
}
