// Records that were acknowledged and that the disk does not hold any more.
#pragma once

#include <string>

#include "absl/types/span.h"
#include "storage/types.h"

namespace millrace::storage {

struct LostRange {
  std::string partition;  // "orders/3"; "partition id 17" where the topic is not known any more.
  Offset from;
  Offset to;  // The first offset after it.

  friend bool operator==(const LostRange&, const LostRange&) = default;
};

// For a person: "orders/3 from offset 1200 to 1349, orders/4 offset 7"; of many only the first.
std::string ToText(absl::Span<const LostRange> ranges);

}  // namespace millrace::storage
