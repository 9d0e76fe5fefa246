#include <gtest/gtest.h>

#include "client/cli/parse/escape.h"
#include "client/cli/parse/quantity.h"
#include "client/cli/parse/time.h"

namespace millrace::cli {
namespace {

TEST(ParseSize, TakesBinaryAndDecimalUnits) {
  EXPECT_EQ(*ParseSize("0"), 0);
  EXPECT_EQ(*ParseSize("512"), 512);
  EXPECT_EQ(*ParseSize("512B"), 512);
  EXPECT_EQ(*ParseSize("1kB"), 1000);
  EXPECT_EQ(*ParseSize("64k"), 64'000);
  EXPECT_EQ(*ParseSize("64KiB"), 65'536);
  EXPECT_EQ(*ParseSize("1.5 MiB"), 1'572'864);
  EXPECT_EQ(*ParseSize("10GiB"), 10'737'418'240);
  EXPECT_EQ(*ParseSize("2ti"), 2'199'023'255'552);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text : {"", "x", "-1", "1xB", "1iB", "KiB", "1KiBs", "1  KiB", "9999999TiB"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSize(text).status())) << text;
  }
}

TEST(ParseDuration, TakesNumbersWithUnits) {
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseDuration("7d"), absl::Hours(7 * 24));
  EXPECT_EQ(*ParseDuration("2w"), absl::Hours(14 * 24));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseDuration("1.5s"), absl::Milliseconds(1500));
  EXPECT_EQ(*ParseDuration("250us"), absl::Microseconds(250));
}

TEST(ParseDuration, RefusesWhatIsNoLengthOfTime) {
  for (const char* text : {"", "7", "d", "-1s", "7x", "1h30", "1 h", "999999999w"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDuration(text).status())) << text;
  }
}

TEST(SizeText, TakesTheLargestUnitThatFits) {
  EXPECT_EQ(SizeText(0), "0 B");
  EXPECT_EQ(SizeText(912), "912 B");
  EXPECT_EQ(SizeText(1536), "1.5 KiB");
  EXPECT_EQ(SizeText(int64_t{10} << 30), "10 GiB");
  EXPECT_EQ(SizeText(int64_t{5000} << 40), "5000 TiB");
}

TEST(DurationText, SaysItExactly) {
  EXPECT_EQ(DurationText(absl::ZeroDuration()), "0s");
  EXPECT_EQ(DurationText(absl::Hours(7 * 24)), "7d");
  EXPECT_EQ(DurationText(absl::Minutes(90)), "1h30m");
  EXPECT_EQ(DurationText(absl::Milliseconds(1500)), "1.5s");
  EXPECT_EQ(DurationText(absl::Milliseconds(61'050)), "1m1.05s");
  EXPECT_EQ(DurationText(absl::Milliseconds(250)), "250ms");
  EXPECT_EQ(DurationText(-absl::Hours(1)), "-1h");
}

TEST(CountText, GroupsDigitsByThree) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(63666), "63,666");
  EXPECT_EQ(CountText(-1234567), "-1,234,567");
}

const absl::Time kNow = absl::FromUnixSeconds(1'795'443'845);  // 2026-11-23T14:24:05Z

absl::StatusOr<absl::Time> Parse(std::string_view text) {
  return ParseTime(text, kNow, absl::FixedTimeZone(3600));
}

TEST(ParseTime, TakesALengthOfTimeAsSoLongAgo) {
  EXPECT_EQ(*Parse("10m"), kNow - absl::Minutes(10));
  EXPECT_EQ(*Parse("1h30m"), kNow - absl::Minutes(90));
}

TEST(ParseTime, TakesPointsInTime) {
  EXPECT_EQ(*Parse("2026-11-23T14:24:05Z"), kNow);
  EXPECT_EQ(*Parse("2026-11-23T14:24:05.250Z"), kNow + absl::Milliseconds(250));
  EXPECT_EQ(*Parse("2026-11-23T16:24:05+02:00"), kNow);
  EXPECT_EQ(*Parse("@1795443845"), kNow);
  EXPECT_EQ(*Parse("@1795443845.25"), kNow + absl::Milliseconds(250));
}

TEST(ParseTime, TakesALocalTimeInTheGivenZone) {
  EXPECT_EQ(*Parse("2026-11-23 15:24:05"), kNow);
  EXPECT_EQ(*Parse("2026-11-23T15:24"), kNow - absl::Seconds(5));
  EXPECT_EQ(*Parse("2026-11-23"), absl::FromUnixSeconds(1'795'388'400));
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "yesterday", "2026-13-01", "@", "@x", "@1e9", "2026-11-23T15:04:05X"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Parse(text).status())) << text;
  }
}

TEST(TimeText, IsUtcWithMilliseconds) {
  EXPECT_EQ(TimeText(kNow + absl::Milliseconds(7)), "2026-11-23T14:24:05.007Z");
}

TEST(Unescape, ReplacesEscapesByTheirBytes) {
  EXPECT_EQ(*Unescape(R"(plain)"), "plain");
  EXPECT_EQ(*Unescape(R"(\n\n)"), "\n\n");
  EXPECT_EQ(*Unescape(R"(a\tb\\c\r)"), "a\tb\\c\r");
  EXPECT_EQ(*Unescape(R"(\0)"), std::string(1, '\0'));
  EXPECT_EQ(*Unescape(R"(\x1e-\xFF)"), "\x1e-\xff");
  EXPECT_EQ(*Unescape("\n"), "\n");
}

TEST(Unescape, RefusesAnUnknownOrUnfinishedEscape) {
  for (const char* text : {R"(\)", R"(\q)", R"(\x)", R"(\x1)", R"(\xg1)", R"(\x1g)"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Unescape(text).status())) << text;
  }
}

}  // namespace
}  // namespace millrace::cli
