#include "server/hub/in_flight.h"

#include <gtest/gtest.h>

namespace millrace::hub {
namespace {

using storage::Offset;

TEST(InFlight, CountsWhatIsSentAndNotCommitted) {
  InFlight in_flight;
  EXPECT_TRUE(in_flight.empty());
  EXPECT_FALSE(in_flight.oldest());
  in_flight.Sent(Offset(10), 4, 400, absl::Seconds(1));
  in_flight.Sent(Offset(14), 2, 100, absl::Seconds(3));
  EXPECT_EQ(in_flight.records(), 6);
  EXPECT_EQ(in_flight.bytes(), 500);
  EXPECT_EQ(in_flight.oldest(), absl::Seconds(1));

  in_flight.Committed(Offset(9));
  EXPECT_EQ(in_flight.records(), 6);
  in_flight.Committed(Offset(11));
  EXPECT_EQ(in_flight.records(), 5);
  EXPECT_EQ(in_flight.bytes(), 400);
  in_flight.Committed(Offset(14));
  EXPECT_EQ(in_flight.records(), 2);
  EXPECT_EQ(in_flight.oldest(), absl::Seconds(3));
  in_flight.Committed(Offset(99));
  EXPECT_TRUE(in_flight.empty());
  EXPECT_EQ(in_flight.records(), 0);
  EXPECT_EQ(in_flight.bytes(), 0);
}

TEST(InFlight, TakesWhatIsSentInQuickSuccessionAsOneByItsFirst) {
  InFlight in_flight;
  in_flight.Sent(Offset(0), 1, 10, absl::Milliseconds(1000));
  in_flight.Sent(Offset(1), 1, 10, absl::Milliseconds(1050));
  in_flight.Committed(Offset(1));
  EXPECT_EQ(in_flight.records(), 1);
  EXPECT_EQ(in_flight.bytes(), 10);
  EXPECT_EQ(in_flight.oldest(), absl::Milliseconds(1000));
}

TEST(InFlight, ToleratesAGapInTheOffsets) {
  InFlight in_flight;
  in_flight.Sent(Offset(0), 1, 10, absl::Seconds(1));
  in_flight.Sent(Offset(5), 1, 10, absl::Seconds(1));
  in_flight.Committed(Offset(3));
  EXPECT_EQ(in_flight.records(), 1);
  in_flight.Committed(Offset(6));
  EXPECT_TRUE(in_flight.empty());
}

}  // namespace
}  // namespace millrace::hub
