// What one stream was sent of one partition and its group has not committed yet.
//
// A plain value without locks.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "storage/types.h"

namespace millrace::hub {

class InFlight {
 public:
  // Notes records as sent, behind those sent before. `now` is of a clock that never jumps.
  void Sent(storage::Offset base_offset, int32_t records, int64_t bytes, absl::Duration now);

  // Forgets what lies before `next_offset`. Of a frame that is committed in part the bytes are
  // taken to be spread evenly.
  void Committed(storage::Offset next_offset);

  bool empty() const { return sent_.empty(); }
  int64_t records() const { return records_; }
  int64_t bytes() const { return bytes_; }

  // Since when the oldest is in flight, to about 100 ms; absent: nothing is.
  std::optional<absl::Duration> oldest() const;

 private:
  struct Stretch {
    storage::Offset begin;
    storage::Offset end;
    int64_t bytes = 0;
    absl::Duration since;
  };

  std::deque<Stretch> sent_;
  int64_t records_ = 0;  // Of all stretches: the distance from begin to end.
  int64_t bytes_ = 0;
};

}  // namespace millrace::hub
