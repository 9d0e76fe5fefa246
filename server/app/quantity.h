// Sizes and lengths of time as a person writes them in a setting: "64MiB", "7d".
//
// Pure functions, safe from any thread. Errors are sentences for the person who wrote the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace millrace::server {

// Bytes: a whole number and a unit: none or B, KiB, MiB, GiB, TiB (1024s), kB, MB, GB, TB (1000s).
// InvalidArgument: anything else, below 0, or too large for 64 bits.
absl::StatusOr<int64_t> ParseBytes(std::string_view text);

// Whole numbers with units, one after another: "7d", "1h30m", "500ms"; units are w, d, h, m, s, ms.
// "0" needs none. InvalidArgument: anything else, below 0, or over 1,000 years.
absl::StatusOr<absl::Duration> ParseTimeSpan(std::string_view text);

// The largest unit of 1024s that says it exactly: "64MiB", "1000".
std::string BytesText(int64_t bytes);

// What ParseTimeSpan reads, exact to the millisecond: "7d", "1h30m", "1500ms".
std::string TimeSpanText(absl::Duration span);

}  // namespace millrace::server
