// Records in the form that InspectionService shows and takes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "millrace/v1/inspection.pb.h"

namespace millrace::server {

// Fills key, headers, event time and value from an encoded Record: as JSON, text or bytes,
// whichever loses nothing.
void ShowRecord(std::string_view record, v1::TailResponse& response);

// The encoded Record as a `records` entry. INVALID_CONFIG (field) for an event time that is none
// and for a google.protobuf.Value that JSON cannot say.
absl::StatusOr<std::string> TakeRecord(const v1::SendRequest& request);

}  // namespace millrace::server
