#include <gtest/gtest.h>

#include "client/cli/output/hub_view.h"
#include "client/cli/output/offsets_view.h"
#include "client/cli/output/topic_view.h"

namespace millrace::cli {
namespace {

const absl::Time kTime = absl::FromUnixMillis(1'795'443'845'120);

client::TopicDescription Orders() {
  client::TopicDescription description;
  description.topic = {"orders", 2, {absl::Hours(7 * 24), 0}, kTime};
  description.partitions = {{0, 10, 1010, 4096, kTime}, {1, 0, 0, 0, std::nullopt}};
  return description;
}

TEST(TopicView, ListsTopicsInColumns) {
  EXPECT_EQ(TopicTable({Orders().topic, {"x", 1, {std::nullopt, int64_t{10} << 30}, {}}}, false),
            "TOPIC   PARTITIONS  RETENTION   BYTES  CREATED\n"
            "orders           2         7d       -  2026-11-23T14:24:05.120Z\n"
            "x                1          -  10 GiB  -\n");
}

TEST(TopicView, SaysHowLongRecordsAreKept) {
  EXPECT_EQ(RetentionText({}), "kept without limit");
  EXPECT_EQ(RetentionText({absl::ZeroDuration(), 0}), "kept without limit");
  EXPECT_EQ(RetentionText({absl::Hours(1), 1024}), "kept 1h and up to 1 KiB a partition");
  EXPECT_EQ(RetentionText({std::nullopt, 1024}), "kept up to 1 KiB a partition");
}

TEST(TopicView, DescribesATopicAndItsPartitions) {
  EXPECT_EQ(DescriptionText(Orders(), false),
            "topic:      orders\n"
            "records:    1,000\n"
            "size:       4 KiB\n"
            "retention:  kept 7d\n"
            "created:    2026-11-23T14:24:05.120Z\n"
            "\n"
            "PARTITION  EARLIEST  LATEST  RECORDS   SIZE  LAST APPEND\n"
            "        0        10    1010    1,000  4 KiB  2026-11-23T14:24:05.120Z\n"
            "        1         0       0        0    0 B  -\n");
}

TEST(TopicView, HasAStableJsonForm) {
  EXPECT_EQ(
      DescriptionJson(Orders()),
      R"({"topic":"orders","partition_count":2,"retention_ms":604800000,"retention_bytes":null,)"
      R"("create_time":"2026-11-23T14:24:05.120Z","partitions":[)"
      R"({"partition":0,"earliest_offset":10,"latest_offset":1010,"size_bytes":4096,)"
      R"("last_append_time":"2026-11-23T14:24:05.120Z"},)"
      R"({"partition":1,"earliest_offset":0,"latest_offset":0,"size_bytes":0,)"
      R"("last_append_time":null}]})");
  EXPECT_EQ(PartitionLines("t", {{3, 1, 2, 9, std::nullopt}}),
            R"({"topic":"t","partition":3,"earliest_offset":1,"latest_offset":2,"size_bytes":9,)"
            R"("last_append_time":null})"
            "\n");
}

OffsetsView Offsets() {
  OffsetsView view;
  view.topic = "orders";
  view.partitions = {{0, 10, 1010, std::nullopt}, {1, 5, 7, std::nullopt}};
  return view;
}

TEST(OffsetsView, HasOnlyTheColumnsThatWereAskedFor) {
  EXPECT_EQ(OffsetTable(Offsets(), false),
            "PARTITION  EARLIEST  LATEST  RECORDS\n"
            "        0        10    1010    1,000\n"
            "        1         5       7        2\n");
  EXPECT_EQ(OffsetLines(Offsets()),
            R"({"topic":"orders","partition":0,"earliest_offset":10,"latest_offset":1010})"
            "\n"
            R"({"topic":"orders","partition":1,"earliest_offset":5,"latest_offset":7})"
            "\n");
}

TEST(OffsetsView, ShowsTimesAndWhatAGroupHasStillToRead) {
  OffsetsView view = Offsets();
  view.partitions[0].offset_at_time = 500;
  view.partitions[1].offset_at_time = 7;
  view.committed = std::map<int32_t, int64_t>{{0, 1000}};
  EXPECT_EQ(OffsetTable(view, false),
            "PARTITION  EARLIEST  LATEST  RECORDS  AT TIME  COMMITTED  LAG\n"
            "        0        10    1010    1,000      500       1000   10\n"
            "        1         5       7        2        7          -    2\n");
  EXPECT_EQ(OffsetLines(view),
            R"({"topic":"orders","partition":0,"earliest_offset":10,"latest_offset":1010,)"
            R"("offset_at_time":500,"committed_offset":1000,"lag":10})"
            "\n"
            R"({"topic":"orders","partition":1,"earliest_offset":5,"latest_offset":7,)"
            R"("offset_at_time":7,"committed_offset":null,"lag":2})"
            "\n");
}

TEST(HubView, ShowsLimitsWithTheirUnits) {
  client::HubInfo hub;
  hub.version = "0.1.0";
  hub.engine = "rocksdb";
  hub.limits.max_record_bytes = 1 << 20;
  hub.limits.producer_idle_expiry = absl::Hours(7 * 24);
  hub.capabilities.atomic_produce = true;
  const std::string text = HubText(hub, false);
  EXPECT_NE(text.find("max_record_bytes:           1 MiB\n"), std::string::npos) << text;
  EXPECT_NE(text.find("producer_idle_expiry:       7d\n"), std::string::npos) << text;
  const std::string json = HubJson(hub);
  EXPECT_NE(json.find(R"("max_record_bytes":1048576)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("producer_idle_expiry_ms":604800000)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("atomic_produce":true,"producer_sequences":false)"), std::string::npos);
}

}  // namespace
}  // namespace millrace::cli
