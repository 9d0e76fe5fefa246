#include "storage/batch/entries.h"

namespace millrace::storage {

std::optional<EntriesPrefix> PrefixOfRecords(std::string_view entries, int32_t records) {
  EntryReader reader(entries);
  int32_t count = 0;
  for (std::string_view record; count < records && reader.Next(&record);) ++count;
  if (reader.damaged()) return std::nullopt;
  return EntriesPrefix{count, reader.position()};
}

std::optional<EntriesPrefix> PrefixOfBytes(std::string_view entries, size_t max_bytes) {
  EntryReader reader(entries);
  EntriesPrefix prefix;
  for (std::string_view record; reader.Next(&record) && reader.position() <= max_bytes;) {
    ++prefix.records;
    prefix.bytes = reader.position();
  }
  if (reader.damaged()) return std::nullopt;
  return prefix;
}

}  // namespace millrace::storage
