// Bounds the memory of all frames that are on their way to readers: the fuller it is, the smaller
// the frames that are granted, so that 10,000 stalled readers cannot exhaust the hub.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace millrace::hub {

// Threads: any.
class FrameBudget {
 public:
  // Frames get smaller above half of `total_bytes`, down to `min_frame_bytes`, which is always
  // granted.
  explicit FrameBudget(int64_t total_bytes, int64_t min_frame_bytes = 16 << 10)
      : total_bytes_(total_bytes), min_frame_bytes_(min_frame_bytes) {}

  // How many bytes a frame may take now, at most `wanted`.
  int64_t Allowance(int64_t wanted) const {
    const int64_t left = total_bytes_ - outstanding_.load(std::memory_order_relaxed);
    if (left > total_bytes_ / 2) return wanted;
    constexpr int64_t kShare = 64;  // No frame takes more than this part of what is left.
    return std::min(wanted, std::max(min_frame_bytes_, left / kShare));
  }

  void Take(int64_t bytes) { outstanding_.fetch_add(bytes, std::memory_order_relaxed); }
  void Return(int64_t bytes) { outstanding_.fetch_sub(bytes, std::memory_order_relaxed); }

  int64_t outstanding_bytes() const { return outstanding_.load(std::memory_order_relaxed); }

 private:
  const int64_t total_bytes_;
  const int64_t min_frame_bytes_;
  std::atomic<int64_t> outstanding_{0};
};

}  // namespace millrace::hub
