#include "client/cli/parse/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "absl/status/status.h"

namespace millrace::cli {
namespace {

// A non-negative number at the start of `text`, which is cut off.
std::optional<double> TakeNumber(std::string_view& text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(end - text.data());
  return number;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return lower;
}

std::optional<double> BytesOfUnit(std::string unit) {
  if (unit.size() > 1 && unit.back() == 'b') unit.pop_back();
  if (unit.empty() || unit == "b") return 1;
  const bool binary = unit.size() == 2 && unit[1] == 'i';
  if (unit.size() != 1 && !binary) return std::nullopt;
  const size_t power = std::string_view("kmgt").find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  return std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1));
}

struct TimeUnit {
  std::string_view name;
  int64_t us;
};
constexpr std::array<TimeUnit, 7> kTimeUnits = {{
    {"w", 7 * 24 * int64_t{3'600'000'000}},
    {"d", 24 * int64_t{3'600'000'000}},
    {"h", 3'600'000'000},
    {"m", 60'000'000},
    {"s", 1'000'000},
    {"ms", 1'000},
    {"us", 1},
}};

// The unit's letters at the start of `text`, which are cut off.
std::optional<absl::Duration> TakeTimeUnit(std::string_view& text) {
  const size_t letters =
      std::find_if(text.begin(), text.end(), [](char c) { return c < 'a' || c > 'z'; }) -
      text.begin();
  const std::string_view name = text.substr(0, letters);
  for (const TimeUnit& unit : kTimeUnits) {
    if (unit.name != name) continue;
    text.remove_prefix(letters);
    return absl::Microseconds(unit.us);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int64_t> ParseSize(std::string_view text) {
  std::string_view rest = text;
  const std::optional<double> number = TakeNumber(rest);
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::optional<double> unit = BytesOfUnit(Lower(rest));
  if (!number || !unit) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" is no size; write one like 512, 64KiB or 10GiB");
  }
  const double bytes = *number * *unit;
  if (bytes >= 9.2e18) {
    return absl::InvalidArgumentError("the size " + std::string(text) + " is too large");
  }
  return std::llround(bytes);
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  std::string_view rest = text;
  absl::Duration sum;
  do {
    const std::optional<double> number = TakeNumber(rest);
    const std::optional<absl::Duration> unit =
        number ? TakeTimeUnit(rest) : std::optional<absl::Duration>();
    if (!unit) {
      return absl::InvalidArgumentError("\"" + std::string(text) +
                                        "\" is no length of time; write one like 500ms, 10m or 7d");
    }
    sum += *number * *unit;
  } while (!rest.empty());
  if (sum > absl::Hours(24 * 366 * 1000)) {
    return absl::InvalidArgumentError("the length of time " + std::string(text) + " is too large");
  }
  return sum;
}

std::string SizeText(int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double number = static_cast<double>(bytes);
  size_t unit = 0;
  while (number >= 1024 && unit + 1 < kUnits.size()) {
    number /= 1024;
    ++unit;
  }
  const bool whole = number == std::floor(number) || number >= 100;
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), whole ? "%.0f %s" : "%.1f %s", number, kUnits[unit]);
  return out.data();
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) return "-" + DurationText(-duration);
  const int64_t total_ms = absl::ToInt64Milliseconds(duration);
  std::string out;
  int64_t rest = total_ms;
  for (const auto& [name, unit_ms] :
       {std::pair{"d", 24 * 3'600'000}, {"h", 3'600'000}, {"m", 60'000}}) {
    if (rest >= unit_ms) out += std::to_string(rest / unit_ms) + name;
    rest %= unit_ms;
  }
  if (rest == 0) return out.empty() ? "0s" : out;
  if (total_ms < 1000) return std::to_string(rest) + "ms";
  std::string seconds = std::to_string(rest / 1000);
  if (rest % 1000 != 0) {
    std::string fraction = std::to_string(1000 + rest % 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    seconds += "." + fraction;
  }
  return out + seconds + "s";
}

std::string CountText(int64_t count) {
  std::string out = std::to_string(count);
  const int first = count < 0 ? 1 : 0;
  for (int at = static_cast<int>(out.size()) - 3; at > first; at -= 3)
    out.insert(static_cast<size_t>(at), 1, ',');
  return out;
}

}  // namespace millrace::cli
