#include "server/contract/telling_rate.h"

#include <utility>

namespace millrace::server {

std::optional<int64_t> TellingRate::Next(absl::Duration now) {
  std::lock_guard lock(mutex_);
  if (now - second_began_ >= absl::Seconds(1)) {
    second_began_ = now;
    told_ = 0;
  }
  if (told_ == per_second_) {
    ++left_out_;
    return std::nullopt;
  }
  ++told_;
  return std::exchange(left_out_, 0);
}

}  // namespace millrace::server
