#include "server/app/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

struct ByteUnit {
  std::string_view name;
  int64_t bytes;
};
constexpr std::array<ByteUnit, 10> kByteUnits = {{
    {"", 1},
    {"B", 1},
    {"KiB", int64_t{1} << 10},
    {"MiB", int64_t{1} << 20},
    {"GiB", int64_t{1} << 30},
    {"TiB", int64_t{1} << 40},
    {"kB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
}};

struct TimeUnit {
  std::string_view name;
  int64_t milliseconds;
};
constexpr std::array<TimeUnit, 6> kTimeUnits = {{
    {"w", 7 * 86'400'000},
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
}};
constexpr int64_t kMaxMilliseconds = int64_t{1000} * 366 * 86'400'000;

// The digits at the start of `text`, which are cut off.
std::optional<int64_t> TakeNumber(std::string_view& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(end - text.data());
  return number;
}

// The letters at the start of `text`, which are cut off.
std::string_view TakeWord(std::string_view& text) {
  const size_t size = std::min(text.find_first_of("0123456789"), text.size());
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

template <typename Units>
auto FindUnit(const Units& units, std::string_view name) {
  return std::find_if(units.begin(), units.end(),
                      [&](const auto& unit) { return unit.name == name; });
}

absl::Status NoBytes(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(text), "\" is no size: write one like 512, 64KiB or 10GiB"));
}

absl::Status NoTimeSpan(std::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", std::string(text), "\" is no length of time: write one like 500ms, 30s or 7d"));
}

}  // namespace

absl::StatusOr<int64_t> ParseBytes(std::string_view text) {
  std::string_view rest = text;
  const std::optional<int64_t> number = TakeNumber(rest);
  const auto unit = FindUnit(kByteUnits, rest);
  if (!number || unit == kByteUnits.end()) return NoBytes(text);
  if (*number > std::numeric_limits<int64_t>::max() / unit->bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the size ", std::string(text), " is too large"));
  }
  return *number * unit->bytes;
}

absl::StatusOr<absl::Duration> ParseTimeSpan(std::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  std::string_view rest = text;
  int64_t sum = 0;
  do {
    const std::optional<int64_t> number = TakeNumber(rest);
    const auto unit = FindUnit(kTimeUnits, TakeWord(rest));
    if (!number || unit == kTimeUnits.end()) return NoTimeSpan(text);
    if (*number > (kMaxMilliseconds - sum) / unit->milliseconds) {
      return absl::InvalidArgumentError(
          absl::StrCat("the length of time ", std::string(text), " is too large"));
    }
    sum += *number * unit->milliseconds;
  } while (!rest.empty());
  return absl::Milliseconds(sum);
}

std::string BytesText(int64_t bytes) {
  if (bytes == 0) return "0";
  for (const std::string_view name : {"TiB", "GiB", "MiB", "KiB"}) {
    const int64_t unit = FindUnit(kByteUnits, name)->bytes;
    if (bytes % unit == 0) return absl::StrCat(bytes / unit, std::string(name));
  }
  return absl::StrCat(bytes);
}

std::string TimeSpanText(absl::Duration span) {
  int64_t rest = absl::ToInt64Milliseconds(span);
  if (rest == 0) return "0";
  std::string text;
  for (const auto& [name, milliseconds] : kTimeUnits) {
    if (name == "w" || rest < milliseconds) continue;
    // Seconds and their fraction together, so that 1500 ms is no riddle.
    if (name == "s" && rest % milliseconds != 0) continue;
    absl::StrAppend(&text, rest / milliseconds, std::string(name));
    rest %= milliseconds;
  }
  return text;
}

}  // namespace millrace::server
