#include "client/cpp/record_codec.h"

#include <string>
#include <utility>

namespace millrace::client {
namespace {

// Field numbers of the contract's Record, Header and RecordBatch.
constexpr uint32_t kKey = 1;
constexpr uint32_t kValue = 2;
constexpr uint32_t kHeaders = 3;
constexpr uint32_t kEventTime = 4;
constexpr uint32_t kHeaderName = 1;
constexpr uint32_t kHeaderValue = 2;
constexpr uint32_t kRecords = 3;

size_t EncodedSize(const Header& header) {
  size_t size = header.name.empty() ? 0 : BytesFieldSize(header.name.size());
  if (header.value) size += BytesFieldSize(header.value->size());
  return size;
}

char* WriteHeader(char* out, const Header& header) {
  *out++ = static_cast<char>(WireTag(kHeaders, kLengthDelimited));
  out = WriteVarint(out, EncodedSize(header));
  if (!header.name.empty()) out = WriteBytesField(out, kHeaderName, header.name);
  if (header.value) out = WriteBytesField(out, kHeaderValue, *header.value);
  return out;
}

bool DecodeHeader(std::string_view bytes, Header& header) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.is(kHeaderName, kLengthDelimited)) header.name = reader.bytes();
    if (reader.is(kHeaderValue, kLengthDelimited)) header.value.emplace(reader.bytes());
  }
  return reader.ok();
}

}  // namespace

RecordParts PartsOf(const Record& record) {
  return {record.key, record.value, &record.headers, record.event_time};
}

size_t EncodedSize(const RecordParts& record) {
  size_t size = 0;
  if (record.key) size += BytesFieldSize(record.key->size());
  if (record.value) size += BytesFieldSize(record.value->size());
  if (record.headers != nullptr) {
    for (const Header& header : *record.headers) size += BytesFieldSize(EncodedSize(header));
  }
  if (record.event_time) size += BytesFieldSize(EncodeTimestamp(*record.event_time).size());
  return size;
}

void AppendRecordEntry(EncodeBuffer& buffer, const RecordParts& record, size_t encoded_size) {
  char* out = buffer.Extend(BytesFieldSize(encoded_size));
  *out++ = static_cast<char>(WireTag(kRecords, kLengthDelimited));
  out = WriteVarint(out, encoded_size);
  if (record.key) out = WriteBytesField(out, kKey, *record.key);
  if (record.value) out = WriteBytesField(out, kValue, *record.value);
  if (record.headers != nullptr) {
    for (const Header& header : *record.headers) out = WriteHeader(out, header);
  }
  if (record.event_time) WriteBytesField(out, kEventTime, EncodeTimestamp(*record.event_time));
}

bool DecodeRecord(std::string_view bytes, Record& record) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.is(kKey, kLengthDelimited)) {
      record.key.emplace(reader.bytes());
    } else if (reader.is(kValue, kLengthDelimited)) {
      record.value.emplace(reader.bytes());
    } else if (reader.is(kHeaders, kLengthDelimited)) {
      if (!DecodeHeader(reader.bytes(), record.headers.emplace_back())) return false;
    } else if (reader.is(kEventTime, kLengthDelimited)) {
      record.event_time = DecodeTimestamp(reader.bytes());
      if (!record.event_time) return false;
    }
  }
  return reader.ok();
}

}  // namespace millrace::client
