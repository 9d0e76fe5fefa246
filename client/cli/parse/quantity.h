// Sizes and lengths of time as a person types and reads them: "10GiB", "7d".
//
// Pure functions, safe from any thread. Errors are sentences for the person who typed the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace millrace::cli {

// Bytes: a number, which may have a fraction, and a unit: none or B; k, M, G, T with or without B
// (1000s); Ki, Mi, Gi, Ti with or without B (1024s). Letter case does not matter.
// InvalidArgument: anything else, below 0, or too large for 64 bits.
absl::StatusOr<int64_t> ParseSize(std::string_view text);

// Numbers with units, one after another: "7d", "1h30m", "500ms"; units are w, d, h, m, s, ms, us.
// "0" needs none. InvalidArgument: anything else, or below 0.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// "10 GiB", "1.5 KiB", "912 B": at most one decimal.
std::string SizeText(int64_t bytes);

// The largest units that say it exactly, down to milliseconds: "7d", "1h30m", "1.5s", "0s".
std::string DurationText(absl::Duration duration);

// "1,234,567".
std::string CountText(int64_t count);

}  // namespace millrace::cli
