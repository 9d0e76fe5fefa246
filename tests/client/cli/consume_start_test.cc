#include "client/cli/commands/consume_start.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

TEST(ParseOffset, TakesOffsetsEndsAndTheLastFew) {
  EXPECT_EQ(std::get<int64_t>(*ParseOffset("0")), 0);
  EXPECT_EQ(std::get<int64_t>(*ParseOffset("1000")), 1000);
  EXPECT_EQ(std::get<Last>(*ParseOffset("-10")).records, 10);
  EXPECT_TRUE(std::holds_alternative<client::Earliest>(*ParseOffset("earliest")));
  EXPECT_TRUE(std::holds_alternative<client::Latest>(*ParseOffset("latest")));
}

TEST(ParseOffset, RefusesWhatIsNoOffset) {
  for (const char* text :
       {"", "x", "1x", "-", "--1", "99999999999999999999", "-9223372036854775808"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseOffset(text).status())) << text;
  }
}

}  // namespace
}  // namespace millrace::cli
