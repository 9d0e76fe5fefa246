#include "server/hub/topics.h"

#include <gtest/gtest.h>

#include <string>

#include "server/hub/offsets.h"
#include "tests/server/hub/hub_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;

class TopicsTest : public HubFixture {};

TEST_F(TopicsTest, HaveLegalNames) {
  for (const char* name : {"a", "A-b_c.9", "...", ".hidden"}) {
    EXPECT_TRUE(hub_->topics().Create(name, 1, std::nullopt).ok()) << name;
  }
  EXPECT_TRUE(hub_->topics().Create(std::string(249, 'x'), 1, std::nullopt).ok());
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string("\xff"), std::string("ä"), std::string("a\0b", 3), std::string(250, 'x')}) {
    EXPECT_EQ(ReasonOf(hub_->topics().Create(name, 1, std::nullopt).status()), Reason::kInvalidName)
        << name;
  }
}

TEST_F(TopicsTest, AreCreatedOnce) {
  CreateTopic("orders", 3);
  EXPECT_EQ(ReasonOf(hub_->topics().Create("orders", 3, std::nullopt).status()),
            Reason::kTopicExists);
  EXPECT_EQ((*hub_->topics().Find("orders"))->partitions.size(), 3u);
}

TEST_F(TopicsTest, RefuseSettingsThatMakeNoSense) {
  Start({.limits = {.max_topic_partitions = 5, .max_topics = 1}});
  const auto reason = [&](int32_t partitions, storage::RetentionPolicy retention) {
    return ReasonOf(hub_->topics().Create("orders", partitions, retention).status());
  };
  EXPECT_EQ(reason(0, {}), Reason::kInvalidConfig);
  EXPECT_EQ(reason(-1, {}), Reason::kInvalidConfig);
  EXPECT_EQ(reason(6, {}), Reason::kLimitExceeded);
  EXPECT_EQ(reason(1, {.max_age = absl::ZeroDuration()}), Reason::kInvalidConfig);
  EXPECT_EQ(reason(1, {.max_partition_bytes = -1}), Reason::kInvalidConfig);
  CreateTopic("first");
  EXPECT_EQ(reason(1, {}), Reason::kLimitExceeded);
}

TEST_F(TopicsTest, GrowAndNeverShrink) {
  CreateTopic("orders", 3);
  EXPECT_EQ((*hub_->topics().Update("orders", {.partition_count = 5}))->partitions.size(), 5u);
  EXPECT_EQ(ReasonOf(hub_->topics().Update("orders", {.partition_count = 4}).status()),
            Reason::kInvalidConfig);
  EXPECT_EQ(ReasonOf(hub_->topics().Update("none", {}).status()), Reason::kTopicNotFound);
}

TEST_F(TopicsTest, AreListedInPages) {
  for (char c = 'a'; c <= 'e'; ++c) CreateTopic(std::string(1, c));
  std::string names;
  std::string token;
  int pages = 0;
  do {
    const auto page = hub_->topics().List(2, token);
    ASSERT_TRUE(page.ok());
    EXPECT_LE(page->topics.size(), 2u);
    for (const auto& topic : page->topics) names += topic->name;
    token = page->next_page_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(names, "abcde");
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(ReasonOf(hub_->topics().List(-1, "").status()), Reason::kInvalidPage);
  EXPECT_EQ(ReasonOf(hub_->topics().List(0, "no such/token").status()), Reason::kInvalidPage);
}

TEST_F(TopicsTest, AreTruncatedWhereAskedOrEverywhere) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 0, {"a", "b"});
  ProduceValues("orders", 1, {"c"});
  const auto one = hub_->topics().Truncate("orders", {{0, Offset(1)}});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ((*one)[0].status.earliest, Offset(1));
  const auto all = hub_->topics().Truncate("orders", {});
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].status.earliest, Offset(2));
  EXPECT_EQ((*all)[1].status.earliest, Offset(1));
  EXPECT_EQ((*all)[1].status.high_watermark, Offset(1));
}

TEST_F(TopicsTest, AreNotTruncatedAtAllWhereOneCutIsWrong) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 0, {"a", "b"});
  EXPECT_EQ(ReasonOf(hub_->topics().Truncate("orders", {{0, Offset(1)}, {1, Offset(1)}}).status()),
            Reason::kOffsetOutOfRange);
  EXPECT_EQ(ReasonOf(hub_->topics().Truncate("orders", {{0, Offset(-1)}}).status()),
            Reason::kOffsetOutOfRange);
  EXPECT_EQ(ReasonOf(hub_->topics().Truncate("orders", {{7, Offset(0)}}).status()),
            Reason::kPartitionOutOfRange);
  const auto topic = hub_->topics().Find("orders");
  EXPECT_EQ((*hub_->topics().Partitions(**topic))[0].status.earliest, Offset(0));
}

TEST_F(TopicsTest, TellTheOffsetsOfTheirPartitions) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 1, {"a", "b"});
  const auto all = ListOffsets(*engine_, hub_->topics(), "orders", {}, absl::InfinitePast());
  ASSERT_TRUE(all.ok());
  EXPECT_EQ((*all)[1].earliest, Offset(0));
  EXPECT_EQ((*all)[1].latest, Offset(2));
  EXPECT_EQ((*all)[1].at_time, Offset(0));
  EXPECT_EQ(ReasonOf(ListOffsets(*engine_, hub_->topics(), "orders", {3}, std::nullopt).status()),
            Reason::kPartitionOutOfRange);
}

}  // namespace
}  // namespace millrace::hub
