// Records as JSON has them: readable, as InspectionService shows and takes them, instead of base64.
// README.md describes the form.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/hub/limits.h"
#include "server/hub/producing.h"

namespace millrace::server {

// Appends an encoded Record as a JSON object of one line.
void AppendRecordJson(std::string_view record, int64_t offset, std::string* out);

// A ProduceRequest in JSON, which must be JSON. `topic` is used where the request names none; it
// must not name another. The reasons are those of DecodeProduceRequest, and MALFORMED_RECORD
// (record_index) for a record that is not of the form.
absl::StatusOr<hub::ProduceCommand> ProduceFromJson(std::string_view json, std::string_view topic,
                                                    const hub::Limits& limits);

}  // namespace millrace::server
