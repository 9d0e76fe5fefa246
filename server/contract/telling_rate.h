// How often something is told of that others can make happen: somebody who knocks a thousand times
// a second is not to fill the disk.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/time/time.h"

namespace millrace::server {

// Threads: any.
class TellingRate {
 public:
  explicit TellingRate(int per_second) : per_second_(per_second) {}

  // It happened once more: absent where that is to be left out, else how often it was left out
  // since it was last told of. `now` is monotonic.
  std::optional<int64_t> Next(absl::Duration now);

 private:
  const int per_second_;

  std::mutex mutex_;
  // Guarded by mutex_.
  absl::Duration second_began_ = -absl::InfiniteDuration();
  int told_ = 0;  // In that second.
  int64_t left_out_ = 0;
};

}  // namespace millrace::server
