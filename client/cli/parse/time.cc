#include "client/cli/parse/time.h"

#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "client/cli/parse/quantity.h"

namespace millrace::cli {
namespace {

absl::StatusOr<absl::Time> NotATime(std::string_view text) {
  return absl::InvalidArgumentError(
      "\"" + std::string(text) +
      "\" is no time; write 10m (so long ago), 2026-11-23, \"2026-11-23 15:04:05\", "
      "2026-11-23T15:04:05Z or @1795446245");
}

absl::StatusOr<absl::Time> ParseUnixSeconds(std::string_view text) {
  double seconds = 0;
  const char* begin = text.data() + 1;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, seconds, std::chars_format::fixed);
  if (error != std::errc() || rest != end || !(std::abs(seconds) < 1e12)) return NotATime(text);
  return absl::FromUnixMillis(std::llround(seconds * 1000));
}

}  // namespace

absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now, absl::TimeZone zone) {
  if (text.starts_with('@')) return ParseUnixSeconds(text);
  if (const absl::StatusOr<absl::Duration> ago = ParseDuration(text); ago.ok()) return now - *ago;

  const std::string input(text);
  absl::Time time;
  std::string error;
  for (const char* format : {"%Y-%m-%d%ET%H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S%Ez"}) {
    if (absl::ParseTime(format, input, &time, &error)) return time;
  }
  for (const char* format : {"%Y-%m-%d%ET%H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d%ET%H:%M",
                             "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(format, input, zone, &time, &error)) return time;
  }
  return NotATime(text);
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace millrace::cli
