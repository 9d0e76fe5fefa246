// How long something takes, counted by classes: cheap enough for what happens at every commit.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace millrace::storage {

// The upper bounds of the classes, inclusive; a last class has no bound.
inline constexpr std::array<std::chrono::microseconds, 18> kLatencyBounds = {
    std::chrono::microseconds(10),        std::chrono::microseconds(25),
    std::chrono::microseconds(50),        std::chrono::microseconds(100),
    std::chrono::microseconds(250),       std::chrono::microseconds(500),
    std::chrono::microseconds(1'000),     std::chrono::microseconds(2'500),
    std::chrono::microseconds(5'000),     std::chrono::microseconds(10'000),
    std::chrono::microseconds(25'000),    std::chrono::microseconds(50'000),
    std::chrono::microseconds(100'000),   std::chrono::microseconds(250'000),
    std::chrono::microseconds(500'000),   std::chrono::microseconds(1'000'000),
    std::chrono::microseconds(2'500'000), std::chrono::microseconds(10'000'000)};

// What a histogram has counted.
struct LatencyCounts {
  std::array<uint64_t, kLatencyBounds.size() + 1> in_class{};  // Not cumulative.
  std::chrono::nanoseconds sum{0};
};

// Threads: any. A reader may see a part of what is recorded at the same moment.
class LatencyHistogram {
 public:
  void Record(std::chrono::nanoseconds took) {
    const auto bound = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), took);
    in_class_[static_cast<size_t>(bound - kLatencyBounds.begin())].fetch_add(
        1, std::memory_order_relaxed);
    sum_ns_.fetch_add(took.count(), std::memory_order_relaxed);
  }

  LatencyCounts Read() const {
    LatencyCounts counts;
    for (size_t i = 0; i < in_class_.size(); ++i) {
      counts.in_class[i] = in_class_[i].load(std::memory_order_relaxed);
    }
    counts.sum = std::chrono::nanoseconds(sum_ns_.load(std::memory_order_relaxed));
    return counts;
  }

 private:
  std::array<std::atomic<uint64_t>, kLatencyBounds.size() + 1> in_class_{};
  std::atomic<int64_t> sum_ns_{0};
};

}  // namespace millrace::storage
