// Makes records of the bytes that a person or a file gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "millrace/record.h"

namespace millrace::cli {

// A header that gets its value from a field of the record's value.
struct HeaderField {
  std::string header;
  std::string field;
};

// Where the parts of a record come from. At most one of key_delimiter, key and key_field is set.
struct RecordShape {
  // The bytes before the first of it are the key and those after it the value; bytes without it are
  // a value without key.
  std::optional<std::string> key_delimiter;
  std::optional<std::string> key;  // Every record has this one.
  // The key is what this field says (see FieldOf); a record without the field is refused.
  std::optional<std::string> key_field;
  std::vector<client::Header> headers;  // Every record has these, in order,
  // then these, where the value has the field.
  std::vector<HeaderField> header_fields;
  bool empty_is_tombstone = false;
};

// The first line "name: value" of `text`, in the manner of mail headers, HTTP and Debian's package
// lists: the name's letter case does not matter, blanks around the value are left out. Absent: no
// line begins so.
std::optional<std::string_view> FieldOf(std::string_view text, std::string_view name);

// The record that `shape` makes of `bytes`. `number`, counted from 1, is for the error.
// InvalidArgument: no key field.
absl::StatusOr<client::Record> MakeRecord(const RecordShape& shape, std::string_view bytes,
                                          int64_t number);

// "name=value", or "name" for a header without a value. InvalidArgument: no name.
absl::StatusOr<client::Header> ParseHeader(std::string_view text);

// "header=Field", or "Field" where both have the same name. InvalidArgument: an empty name.
absl::StatusOr<HeaderField> ParseHeaderField(std::string_view text);

}  // namespace millrace::cli
