// libFuzzer over what is done to bytes from outside: the walk of a record, its view, and the
// framing of entries. Whatever the walk passes must survive being read and written again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"

namespace {

using namespace millrace::storage;  // NOLINT: one file, nothing else in it.

void Require(bool condition) {
  if (!condition) std::abort();
}

void TryRecord(std::string_view bytes) {
  RecordFacts facts;
  const WalkError error = WalkRecord(bytes, RecordLimits{}, &facts);
  const auto view = ParseRecord(bytes);
  Require(view.has_value() == (error == WalkError::kNone));
  if (!view) return;
  Require(view->key.has_value() == facts.has_key);
  Require(static_cast<int32_t>(view->headers.size()) == facts.header_count);

  std::string again;
  AppendRecord(*view, &again);
  const auto reread = ParseRecord(again);
  Require(reread.has_value());
  Require(reread->key == view->key && reread->value == view->value);
  Require(reread->headers == view->headers && reread->event_time == view->event_time);
}

void TryEntries(std::string_view bytes) {
  EntryReader reader(bytes);
  int32_t records = 0;
  for (std::string_view record; reader.Next(&record); ++records) TryRecord(record);
  Require(reader.damaged() == (reader.position() != bytes.size()));
  const auto all = PrefixOfRecords(bytes, records);
  Require(all && all->records == records && all->bytes == reader.position());
  const auto half = PrefixOfBytes(bytes.substr(0, reader.position()), reader.position() / 2);
  Require(half && half->bytes <= reader.position() / 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryRecord(bytes);
  TryEntries(bytes);
  return 0;
}
