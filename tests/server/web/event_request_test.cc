#include "server/web/event_request.h"

#include <gtest/gtest.h>

#include "storage/error.h"

namespace millrace::server {
namespace {

using storage::Reason;

absl::StatusOr<EventRequest> Of(const std::string& query,
                                std::optional<std::string> last_event_id = std::nullopt) {
  HttpRequest request;
  request.target = "/v1/sse" + query;
  request.last_event_id = std::move(last_event_id);
  return ToEventRequest(request);
}

std::optional<Reason> RefusalOf(const std::string& query) {
  return storage::ReasonOf(Of(query).status());
}

TEST(ResumePoint, GoesOverATokenUnchanged) {
  const std::string token = "orders=0:1:42,1:1:17;pay.ments-2=0:1:3";
  const auto point = ResumePoint::Parse(token);
  ASSERT_TRUE(point.has_value());
  EXPECT_EQ(point->partition_count(), 3u);
  EXPECT_EQ(point->positions().at({"orders", 1}).offset, 17);
  EXPECT_EQ(point->Token(), token);
}

TEST(ResumePoint, RefusesATokenThatIsNone) {
  for (const char* token :
       {"", "x", "=0:1:2", "t=", "t=0", "t=0:1", "t=0:1:2:3", "t=a:1:2", "t=0:1:-2", "t=-1:1:2",
        "t=0:1:2,", "t=0:1:2;", "t=0:1:2,0:1:3", "t=0:1:99999999999999999999"}) {
    EXPECT_FALSE(ResumePoint::Parse(token).has_value()) << token;
  }
  std::string many = "t=0:1:0";
  for (int i = 1; i <= 256; ++i) many += "," + std::to_string(i) + ":1:0";
  EXPECT_FALSE(ResumePoint::Parse(many).has_value());
}

TEST(ResumePoint, FollowsWhatAReaderIsSent) {
  const auto topic = std::make_shared<const std::string>("t");
  ResumePoint point;
  point.Apply(hub::SessionStartedFrame{.log_epoch = storage::LogEpoch(4)});
  EXPECT_EQ(point.Token(), "");
  point.Apply(hub::AssignedFrame{{{.name = {topic, 0}, .start_offset = storage::Offset(10)},
                                  {.name = {topic, 1}, .start_offset = storage::Offset(0)}}});
  EXPECT_EQ(point.Token(), "t=0:4:10,1:4:0");
  hub::DeliveredBatch batch{.name = {topic, 0},
                            .batch = {.base_offset = storage::Offset(10),
                                      .record_count = 5,
                                      .log_epoch = storage::LogEpoch(3)}};
  point.Apply(hub::BatchesFrame{{batch}});
  EXPECT_EQ(point.Token(), "t=0:3:15,1:4:0");
  point.Apply(hub::RepositionedFrame{.name = {topic, 1}, .to = storage::Offset(8)});
  EXPECT_EQ(point.Token(), "t=0:3:15,1:4:8");
  point.Apply(hub::LostFrame{{{topic, 0}}, hub::LostCause::kTopicDeleted});
  EXPECT_EQ(point.Token(), "t=1:4:8");
}

TEST(EventRequest, ReadsItsQuery) {
  const auto request = Of("?topic=a&topic=b%2Ec&from=earliest&heartbeat=2s");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->topics, (std::vector<std::string>{"a", "b.c"}));
  EXPECT_TRUE(std::holds_alternative<hub::Earliest>(request->from));
  EXPECT_EQ(request->heartbeat, absl::Seconds(2));
  EXPECT_TRUE(std::holds_alternative<hub::Latest>(Of("?topic=a")->from));
  EXPECT_EQ(std::get<absl::Time>(Of("?topic=a&from=1970-01-01T00:00:07Z")->from),
            absl::FromUnixSeconds(7));
  EXPECT_EQ(Of("?topic=a&partition=2&partition=0")->partitions, (std::vector<int32_t>{2, 0}));
}

TEST(EventRequest, TakesTheHeaderBeforeTheQuery) {
  EXPECT_EQ(Of("?topic=t&resume=t%3D0:1:5")->resume->Token(), "t=0:1:5");
  EXPECT_EQ(Of("?topic=t&resume=t=0:1:5", "t=0:1:9")->resume->Token(), "t=0:1:9");
  EXPECT_FALSE(Of("?topic=t", "")->resume.has_value());
}

TEST(EventRequest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(RefusalOf(""), Reason::kEmptyRequest);
  EXPECT_EQ(RefusalOf("?topic=%zz"), Reason::kMalformedRequest);
  for (const char* query : {"?topic=a&from=soon", "?topic=a&partition=first",
                            "?topic=a&topic=b&partition=0", "?topic=a&heartbeat=1ms",
                            "?topic=a&heartbeat=x", "?topic=a&group=g", "?topic=a&resume=x"}) {
    EXPECT_EQ(RefusalOf(query), Reason::kInvalidConfig) << query;
  }
  EXPECT_EQ(storage::ReasonOf(Of("?topic=a", "forged").status()), Reason::kInvalidConfig);
}

}  // namespace
}  // namespace millrace::server
