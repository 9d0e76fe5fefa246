// Decides whether a record's value is shown as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::cli {

// The value as JSON on one line, where it is a JSON document (RFC 8259) that every JSON reader
// keeps exactly: nested at most 64 deep, no name twice in one object, and every number one that a
// double holds as it is written. What is written stays, but for white space between tokens, which
// is left out. Absent: the value is to be shown as text or bytes.
//
// This is the rule of `json` in proto/millrace/v1/inspection.proto.
std::optional<std::string> AsJsonDocument(std::string_view value);

}  // namespace millrace::cli
