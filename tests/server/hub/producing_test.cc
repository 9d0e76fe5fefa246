#include "server/hub/producing.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "server/hub/placement.h"
#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;
using Values = std::vector<std::string>;

class ProducingTest : public HubFixture {};

TEST_F(ProducingTest, AnswersWithTheRangeOfTheRecords) {
  CreateTopic("orders", 3);
  ProduceValues("orders", 1, {"a", "b"});
  const auto outcome =
      Produce({.topic = "orders", .partition = 1, .records = EncodeValues({"c", "d", "e"})});
  ASSERT_TRUE(outcome.ok());
  ASSERT_EQ(outcome->ranges.size(), 1u);
  EXPECT_EQ(outcome->ranges[0].partition, 1);
  EXPECT_EQ(outcome->ranges[0].base_offset, Offset(2));
  EXPECT_EQ(outcome->ranges[0].record_count, 3);
  EXPECT_FALSE(outcome->duplicate);
}

TEST_F(ProducingTest, PlacesByKeyWhereNoPartitionIsNamed) {
  CreateTopic("orders", 5);
  const auto outcome = Produce({.topic = "orders", .records = EncodeValues({"v"}, "customer-7")});
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->ranges[0].partition, PartitionForKey("customer-7", 5));
}

TEST_F(ProducingTest, SpreadsRequestsWithoutKeysOverThePartitions) {
  CreateTopic("orders", 3);
  std::set<int32_t> used;
  for (int i = 0; i < 3; ++i) {
    used.insert(
        Produce({.topic = "orders", .records = EncodeValues({"a", "b"})})->ranges[0].partition);
  }
  EXPECT_EQ(used.size(), 3u);
}

TEST_F(ProducingTest, GivesARepetitionItsFirstPlacementThoughTheTopicGrew) {
  CreateTopic("orders", 2);
  const auto opened = hub_->producing().OpenProducer("p");
  ASSERT_TRUE(opened.ok());
  const auto command = [&] {
    ProduceCommand command{.topic = "orders"};
    std::string entries;
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      storage::AppendRecordEntry({.key = key, .value = "v"}, &entries);
    }
    storage::SliceBuffer buffer(entries.size());
    entries.copy(buffer.data(), entries.size());
    command.records = {buffer.Share(0, buffer.size()), 5};
    command.producer = {.producer_id = "p", .epoch = opened->state.epoch, .sequence = 1};
    return command;
  };
  const auto first = Produce(command());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(hub_->topics().Update("orders", {.partition_count = 7}).ok());
  const auto again = Produce(command());
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  ASSERT_EQ(again->ranges.size(), first->ranges.size());
  for (size_t i = 0; i < first->ranges.size(); ++i) {
    EXPECT_EQ(again->ranges[i].partition, first->ranges[i].partition);
    EXPECT_EQ(again->ranges[i].base_offset, first->ranges[i].base_offset);
    EXPECT_EQ(again->ranges[i].record_indexes, first->ranges[i].record_indexes);
  }
}

TEST_F(ProducingTest, MakesUpAProducerThatHasNoName) {
  const auto first = hub_->producing().OpenProducer("");
  const auto second = hub_->producing().OpenProducer("");
  EXPECT_NE(first->producer_id, second->producer_id);
  EXPECT_EQ(first->window, 128);
  EXPECT_EQ(ReasonOf(hub_->producing().OpenProducer("no slash").status()), Reason::kInvalidName);
}

TEST_F(ProducingTest, RefusesWhatCannotBePlaced) {
  CreateTopic("orders", 2);
  const auto reason = [&](ProduceCommand command) {
    command.records = EncodeValues({"v"});
    return ReasonOf(Produce(std::move(command)).status());
  };
  EXPECT_EQ(reason({.topic = "none"}), Reason::kTopicNotFound);
  EXPECT_EQ(reason({.topic = "no slash"}), Reason::kInvalidName);
  EXPECT_EQ(reason({.topic = "orders", .partition = 2}), Reason::kPartitionOutOfRange);
  EXPECT_EQ(reason({.topic = "orders", .partition = -1}), Reason::kPartitionOutOfRange);
  EXPECT_EQ(reason({.topic = "orders", .partition = 0, .expected_next_offset = Offset(5)}),
            Reason::kUnexpectedOffset);
}

TEST_F(ProducingTest, CreatesAMissingTopicWhereThatIsAllowedAndKeepsTheOrder) {
  Start({.topics = {.auto_create_partitions = 1}});
  constexpr int kRequests = 200;
  std::atomic<int> done = 0;
  std::promise<void> all_done;
  for (int i = 0; i < kRequests; ++i) {
    hub_->producing().Produce(
        {.topic = "made-up", .partition = 0, .records = EncodeValues({std::to_string(i)})},
        [&](absl::StatusOr<ProduceOutcome> outcome) {
          EXPECT_TRUE(outcome.ok()) << outcome.status();
          if (++done == kRequests) all_done.set_value();
        });
  }
  all_done.get_future().wait();
  FrameReader reader(Subscribe({.topics = {"made-up"}, .start = Earliest{}}));
  const Values records = reader.Records(kRequests);
  for (int i = 0; i < kRequests; ++i) {
    EXPECT_EQ(records[i], "0/" + std::to_string(i) + "=" + std::to_string(i));
  }
}

TEST_F(ProducingTest, TellsEveryWaitingRequestWhyATopicCannotBeCreated) {
  Start({.limits = {.max_topics = 0}, .topics = {.auto_create_partitions = 1}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReasonOf(Produce({.topic = "made-up", .records = EncodeValues({"v"})}).status()),
              Reason::kLimitExceeded);
  }
}

}  // namespace
}  // namespace millrace::hub
