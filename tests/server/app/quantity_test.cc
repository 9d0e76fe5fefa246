#include "server/app/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace::server {
namespace {

TEST(Quantity, ReadsSizes) {
  EXPECT_EQ(*ParseBytes("0"), 0);
  EXPECT_EQ(*ParseBytes("512"), 512);
  EXPECT_EQ(*ParseBytes("512B"), 512);
  EXPECT_EQ(*ParseBytes("64KiB"), 64 << 10);
  EXPECT_EQ(*ParseBytes("64MiB"), 64 << 20);
  EXPECT_EQ(*ParseBytes("10GiB"), int64_t{10} << 30);
  EXPECT_EQ(*ParseBytes("2TB"), 2'000'000'000'000);
  EXPECT_EQ(*ParseBytes("9223372036854775807"), std::numeric_limits<int64_t>::max());
}

TEST(Quantity, RefusesWhatIsNoSize) {
  for (const char* text : {"", "KiB", "-1", "+1", "1.5GiB", "1 KiB", "1kib", "0x10", "1KiBs",
                           "9223372036854775808", "9000000TiB"}) {
    EXPECT_FALSE(ParseBytes(text).ok()) << text;
  }
}

TEST(Quantity, ReadsLengthsOfTime) {
  EXPECT_EQ(*ParseTimeSpan("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseTimeSpan("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseTimeSpan("30s"), absl::Seconds(30));
  EXPECT_EQ(*ParseTimeSpan("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseTimeSpan("7d"), absl::Hours(7 * 24));
  EXPECT_EQ(*ParseTimeSpan("2w1d"), absl::Hours(15 * 24));
}

TEST(Quantity, RefusesWhatIsNoLengthOfTime) {
  for (const char* text : {"", "5", "s", "-1s", "1.5h", "1 s", "1S", "1year", "1s5", "400000d",
                           "9223372036854775807w", "99999999999999999999s"}) {
    EXPECT_FALSE(ParseTimeSpan(text).ok()) << text;
  }
}

TEST(Quantity, WritesWhatItReads) {
  for (const int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{1000}, int64_t{1} << 20,
                              (int64_t{4} << 20) - (64 << 10), int64_t{3} << 40}) {
    EXPECT_EQ(*ParseBytes(BytesText(bytes)), bytes) << BytesText(bytes);
  }
  EXPECT_EQ(BytesText(64 << 20), "64MiB");
  for (const absl::Duration span :
       {absl::ZeroDuration(), absl::Milliseconds(1), absl::Milliseconds(1500), absl::Seconds(10),
        absl::Minutes(90), absl::Hours(7 * 24), absl::Hours(25) + absl::Milliseconds(3)}) {
    EXPECT_EQ(*ParseTimeSpan(TimeSpanText(span)), span) << TimeSpanText(span);
  }
  EXPECT_EQ(TimeSpanText(absl::Hours(7 * 24)), "7d");
}

}  // namespace
}  // namespace millrace::server
