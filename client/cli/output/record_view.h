// Received records as text and as JSON.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "millrace/record.h"

namespace millrace::cli {

// Appends one record to `out`, with whatever ends it.
using RecordView = std::function<void(const client::ReceivedRecord& record, std::string& out)>;

// The value's bytes and `delimiter` after them; before them, where `key_delimiter` is not empty,
// the key's bytes and `key_delimiter`, if there is a key. A tombstone is an empty value.
RecordView ValueView(std::string key_delimiter, std::string delimiter);

// As `format` says: text with escapes (parse/escape.h) and
//   %t topic   %p partition   %o offset   %k key   %s value   %K %S their bytes, -1 for none
//   %h headers, as name=value,name=value   %R value's bytes as a 32 bit big-endian number
//   %T append time, %E event time: milliseconds since 1970, -1 for none
//   %% a percent sign
// InvalidArgument, with a sentence for the person who typed it.
absl::StatusOr<RecordView> FormatView(std::string_view format);

// One JSON object a line, the form of millrace.v1.TailResponse with numbers for the 64-bit fields:
//   topic, partition, offset
//   append_time, event_time  RFC 3339; left out where there is none
//   key | key_binary         text, or base64 where it is no UTF-8; left out where there is none
//   headers                  [{name, text | binary}], in order; neither where it has no value
//   json | text | binary     the value: a JSON document (output/json_value.h), other UTF-8 text, or
//                            base64; none of them for a tombstone
RecordView JsonView();

}  // namespace millrace::cli
