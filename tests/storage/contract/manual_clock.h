// A clock that a test moves.
#pragma once

#include <atomic>

#include "absl/time/time.h"
#include "storage/clock.h"

namespace millrace::storage {

// Stands at one instant until it is moved. Safe from any thread.
class ManualClock : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixMicros(micros_.load()); }
  void Advance(absl::Duration by) { micros_ += absl::ToInt64Microseconds(by); }

 private:
  std::atomic<int64_t> micros_{absl::ToUnixMicros(absl::FromUnixSeconds(1'700'000'000))};
};

}  // namespace millrace::storage
