#include "server/hub/in_flight.h"

namespace millrace::hub {

using storage::Offset;

namespace {

// Stretches sent within so long are one, so that a fast stream does not pile them up.
constexpr absl::Duration kOneStretch = absl::Milliseconds(100);

}  // namespace

void InFlight::Sent(Offset base_offset, int32_t records, int64_t bytes, absl::Duration now) {
  const Offset end = base_offset + records;
  records_ += records;
  bytes_ += bytes;
  if (!sent_.empty() && sent_.back().end == base_offset && now - sent_.back().since < kOneStretch) {
    sent_.back().end = end;
    sent_.back().bytes += bytes;
  } else {
    sent_.push_back({base_offset, end, bytes, now});
  }
}

void InFlight::Committed(Offset next_offset) {
  while (!sent_.empty() && sent_.front().end <= next_offset) {
    records_ -= sent_.front().end - sent_.front().begin;
    bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
  if (sent_.empty() || sent_.front().begin >= next_offset) return;
  Stretch& first = sent_.front();
  const int64_t gone = next_offset - first.begin;
  const int64_t gone_bytes = first.bytes * gone / (first.end - first.begin);
  first.begin = next_offset;
  first.bytes -= gone_bytes;
  records_ -= gone;
  bytes_ -= gone_bytes;
}

std::optional<absl::Duration> InFlight::oldest() const {
  if (sent_.empty()) return std::nullopt;
  return sent_.front().since;
}

}  // namespace millrace::hub
