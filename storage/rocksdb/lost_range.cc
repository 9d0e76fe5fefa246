#include "storage/rocksdb/lost_range.h"

#include <algorithm>

namespace millrace::storage {
namespace {

constexpr size_t kMostNamed = 20;

std::string ToText(const LostRange& range) {
  const std::string first = std::to_string(range.from.value());
  if (range.to == range.from + 1) return range.partition + " offset " + first;
  return range.partition + " from offset " + first + " to " + std::to_string(range.to.value() - 1);
}

}  // namespace

std::string ToText(absl::Span<const LostRange> ranges) {
  std::string text;
  for (const LostRange& range : ranges.subspan(0, kMostNamed)) {
    if (!text.empty()) text += ", ";
    text += ToText(range);
  }
  if (ranges.size() > kMostNamed) {
    text += ", and " + std::to_string(ranges.size() - kMostNamed) + " more ranges";
  }
  return text;
}

}  // namespace millrace::storage
