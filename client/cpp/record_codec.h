// Records between their C++ and their wire form (the contract's Record message).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "client/cpp/wire.h"
#include "millrace/record.h"

namespace millrace::client {

// A record whose parts lie elsewhere.
struct RecordParts {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  const std::vector<Header>* headers = nullptr;
  std::optional<absl::Time> event_time;
};

RecordParts PartsOf(const Record& record);

// The size of the encoded record, without the tag and length that go before it in a request.
size_t EncodedSize(const RecordParts& record);

// Appends the record as an entry of field 3, `records`. `encoded_size` is EncodedSize(record).
void AppendRecordEntry(EncodeBuffer& buffer, const RecordParts& record, size_t encoded_size);

// False where the bytes are no record.
bool DecodeRecord(std::string_view bytes, Record& record);

}  // namespace millrace::client
