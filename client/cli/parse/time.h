// Points in time as a person types and reads them.
//
// Pure functions, safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace millrace::cli {

// One of:
//   "10m", "1h30m", "7d"             so long before `now`
//   "2026-11-23T15:04:05Z"           RFC 3339, with fractions and offsets
//   "2026-11-23 15:04:05", "2026-11-23T15:04", "2026-11-23"   in `zone`
//   "@1795446245", "@1795446245.123" seconds since 1970
// InvalidArgument, with a sentence for the person who typed it: anything else.
absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now, absl::TimeZone zone);

// RFC 3339 in UTC with milliseconds: "2026-11-23T15:04:05.120Z".
std::string TimeText(absl::Time time);

}  // namespace millrace::cli
