#include "server/metrics/families.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace millrace::server {
namespace {

using std::chrono::microseconds;

TEST(Families, GathersTheSamplesOfOneName) {
  Families families;
  families.Gauge("lag", "Lag.", 1, {{"group", "a"}});
  families.Counter("calls_total", "Calls.", 2);
  families.Gauge("lag", "Lag.", 3, {{"group", "b"}});
  EXPECT_EQ(prometheus::TextSerializer().Serialize(std::move(families).Take()),
            "# HELP millrace_calls_total Calls.\n"
            "# TYPE millrace_calls_total counter\n"
            "millrace_calls_total 2\n"
            "# HELP millrace_lag Lag.\n"
            "# TYPE millrace_lag gauge\n"
            "millrace_lag{group=\"a\"} 1\n"
            "millrace_lag{group=\"b\"} 3\n");
}

TEST(Families, WritesLargeNumbersOut) {
  Families families;
  families.Counter("bytes_total", "Bytes.", 123456789012345.0);
  EXPECT_NE(prometheus::TextSerializer()
                .Serialize(std::move(families).Take())
                .find("millrace_bytes_total 123456789012345\n"),
            std::string::npos);
}

TEST(Families, MakesAHistogramCumulative) {
  storage::LatencyHistogram times;
  times.Record(microseconds(10));  // A bound belongs to its class.
  times.Record(microseconds(11));
  times.Record(microseconds(700));
  times.Record(std::chrono::minutes(1));
  Families families;
  families.Histogram("sync_seconds", "Syncs.", times.Read());
  const auto all = std::move(families).Take();
  const auto& histogram = all.at(0).metric.at(0).histogram;
  ASSERT_EQ(histogram.bucket.size(), storage::kLatencyBounds.size() + 1);
  EXPECT_DOUBLE_EQ(histogram.bucket[0].upper_bound, 0.00001);
  EXPECT_EQ(histogram.bucket[0].cumulative_count, 1u);
  EXPECT_EQ(histogram.bucket[1].cumulative_count, 2u);
  EXPECT_DOUBLE_EQ(histogram.bucket[6].upper_bound, 0.001);
  EXPECT_EQ(histogram.bucket[5].cumulative_count, 2u);
  EXPECT_EQ(histogram.bucket[6].cumulative_count, 3u);
  EXPECT_EQ(histogram.bucket[17].cumulative_count, 3u);
  EXPECT_EQ(histogram.bucket[18].cumulative_count, 4u);
  EXPECT_EQ(histogram.sample_count, 4u);
  EXPECT_DOUBLE_EQ(histogram.sample_sum, 60.000721);
}

}  // namespace
}  // namespace millrace::server
