// Messages of the contract in the proto3 JSON mapping.
//
// Threads: any.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace millrace::server {

// Appends the message. Fields without presence are always written, so that a program need not know
// defaults.
void AppendJson(const google::protobuf::Message& message, std::string* out);

// MALFORMED_REQUEST: not JSON, an unknown field or a value of a wrong type; the message says which.
absl::Status ParseJson(std::string_view json, google::protobuf::Message* message);

}  // namespace millrace::server
