#include "server/metrics/traffic.h"

#include <gtest/gtest.h>

namespace millrace::server {
namespace {

using Topics = std::map<std::string, Traffic>;

Traffic Produced(double records) { return {.produced_records = records}; }

// Sums of records by label.
std::map<std::string, double> Records(const std::map<std::string, Traffic, std::less<>>& sums) {
  std::map<std::string, double> records;
  for (const auto& [label, sum] : sums) records[label] = sum.produced_records;
  return records;
}

using Sums = std::map<std::string, double>;

TEST(TrafficByLabel, AddsUpWhatHasNoLabelOfItsOwn) {
  TrafficByLabel traffic(1);
  EXPECT_EQ(Records(traffic.Update({{"a", Produced(1)}, {"b", Produced(2)}, {"c", Produced(4)}})),
            (Sums{{"a", 1}, {"(other)", 6}}));
}

TEST(TrafficByLabel, AddsUpEveryFigure) {
  TrafficByLabel traffic(0);
  const Traffic each{1, 2, 3, 4};
  const auto sums = traffic.Update({{"a", each}, {"b", each}});
  const Traffic& other = sums.find(kOtherLabel)->second;
  EXPECT_EQ(other.produced_records, 2);
  EXPECT_EQ(other.produced_bytes, 4);
  EXPECT_EQ(other.delivered_records, 6);
  EXPECT_EQ(other.delivered_bytes, 8);
}

TEST(TrafficByLabel, KeepsInTheSumWhatATopicHadThatIsGone) {
  TrafficByLabel traffic(0);
  traffic.Update({{"a", Produced(5)}, {"b", Produced(7)}});
  EXPECT_EQ(Records(traffic.Update({{"b", Produced(8)}})), (Sums{{"(other)", 13}}));
  EXPECT_EQ(Records(traffic.Update({})), (Sums{{"(other)", 13}}));
}

TEST(TrafficByLabel, KeepsInTheSumWhatATopicHadThatWasMadeAnew) {
  TrafficByLabel traffic(0);
  traffic.Update({{"a", Produced(5)}});
  EXPECT_EQ(Records(traffic.Update({{"a", Produced(2)}})), (Sums{{"(other)", 7}}));
  EXPECT_EQ(Records(traffic.Update({{"a", Produced(3)}})), (Sums{{"(other)", 8}}));
}

TEST(TrafficByLabel, BeginsAnewWithATopicOfItsOwnLabel) {
  TrafficByLabel traffic(1);
  traffic.Update({{"a", Produced(5)}});
  EXPECT_EQ(Records(traffic.Update({{"a", Produced(2)}})), (Sums{{"a", 2}}));
  EXPECT_EQ(Records(traffic.Update({})), Sums());
  EXPECT_EQ(Records(traffic.Update({{"b", Produced(1)}})), (Sums{{"b", 1}}));
}

}  // namespace
}  // namespace millrace::server
