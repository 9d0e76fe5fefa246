#include "client/cli/bench/percentiles.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

TEST(Percentiles, AreTheSamplesThatSoManyDoNotExceed) {
  Percentiles latencies;
  for (int ms = 100; ms >= 1; --ms) latencies.Add(absl::Milliseconds(ms));
  EXPECT_EQ(latencies.count(), 100u);
  EXPECT_EQ(latencies.At(0.5), absl::Milliseconds(50));
  EXPECT_EQ(latencies.At(0.99), absl::Milliseconds(99));
  EXPECT_EQ(latencies.At(0.999), absl::Milliseconds(100));
  EXPECT_EQ(latencies.At(1), absl::Milliseconds(100));
  EXPECT_EQ(latencies.At(0), absl::Milliseconds(1));
}

TEST(Percentiles, TakeMoreSamplesAfterTheyWereAsked) {
  Percentiles latencies;
  EXPECT_EQ(latencies.At(0.5), absl::ZeroDuration());
  latencies.Add(absl::Milliseconds(7));
  EXPECT_EQ(latencies.At(0.5), absl::Milliseconds(7));
  latencies.Add(absl::Milliseconds(3));
  EXPECT_EQ(latencies.At(0.5), absl::Milliseconds(3));
}

}  // namespace
}  // namespace millrace::cli
