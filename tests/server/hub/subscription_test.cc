#include "server/hub/subscription.h"

#include <gtest/gtest.h>

#include <future>
#include <limits>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;
using Values = std::vector<std::string>;

class SubscriptionTest : public HubFixture {};

SubscribeCommand FromTheBeginning(const std::string& topic) {
  return {.topics = {topic}, .start = Earliest{}};
}

TEST_F(SubscriptionTest, BeginsWithItsSessionAndEveryPartition) {
  CreateTopic("orders", 3);
  FrameReader reader(Subscribe({.topics = {"orders"}}));
  const auto started = reader.Expect<SessionStartedFrame>();
  EXPECT_EQ(started.session_id.size(), 32u);
  EXPECT_EQ(started.member_id, "");
  const auto assigned = reader.Expect<AssignedFrame>();
  ASSERT_EQ(assigned.assignments.size(), 3u);
  EXPECT_EQ(*assigned.assignments[2].name.topic, "orders");
  EXPECT_EQ(assigned.assignments[2].name.partition, 2);
  EXPECT_EQ(reader.Expect<CaughtUpFrame>().partitions.size(), 3u);
  EXPECT_FALSE(reader.HasFrame());
}

TEST_F(SubscriptionTest, DeliversWhatIsStoredAndThenWhatComes) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a", "b"});
  FrameReader reader(Subscribe(FromTheBeginning("orders")));
  EXPECT_EQ(reader.Records(2), (Values{"0/0=a", "0/1=b"}));
  reader.Expect<CaughtUpFrame>();
  EXPECT_FALSE(reader.HasFrame());
  ProduceValues("orders", 0, {"c"});
  EXPECT_EQ(reader.Records(1), (Values{"0/2=c"}));
}

TEST_F(SubscriptionTest, StartsAtTheEndUnlessToldOtherwise) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"old"});
  FrameReader reader(Subscribe({.topics = {"orders"}}));
  reader.Await<CaughtUpFrame>();
  ProduceValues("orders", 0, {"new"});
  EXPECT_EQ(reader.Records(1), (Values{"0/1=new"}));
}

TEST_F(SubscriptionTest, ReadsExactlyThePositionsAskedFor) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 0, {"a", "b", "c"});
  ProduceValues("orders", 1, {"x", "y"});
  FrameReader reader(
      Subscribe({.positions = {{.topic = "orders", .partition = 0, .offset = Offset(1)}}}));
  EXPECT_EQ(reader.Records(2), (Values{"0/1=b", "0/2=c"}));
  ProduceValues("orders", 1, {"z"});
  ProduceValues("orders", 0, {"d"});
  EXPECT_EQ(reader.Records(1), (Values{"0/3=d"}));
}

TEST_F(SubscriptionTest, HoldsFramesToTheBytesAskedFor) {
  CreateTopic("orders");
  const std::string kilobyte(1000, 'v');
  ProduceValues("orders", 0, Values(10, kilobyte));
  auto command = FromTheBeginning("orders");
  command.max_frame_bytes = 2500;
  FrameReader reader(Subscribe(command));
  int32_t delivered = 0;
  while (delivered < 10) {
    int32_t in_frame = 0;
    for (const auto& each : reader.Await<BatchesFrame>().batches) {
      in_frame += each.batch.record_count;
    }
    EXPECT_LE(in_frame, 2);
    delivered += in_frame;
  }
}

TEST_F(SubscriptionTest, GivesEveryPartitionItsTurn) {
  CreateTopic("orders", 2);
  const std::string kilobyte(1000, 'v');
  for (int i = 0; i < 20; ++i) ProduceValues("orders", 0, Values(10, kilobyte));
  ProduceValues("orders", 1, {"rare"});
  auto command = FromTheBeginning("orders");
  command.max_frame_bytes = 5000;
  FrameReader reader(Subscribe(command));
  Values first = reader.Records(5);
  const Values more = reader.Records(5);
  first.insert(first.end(), more.begin(), more.end());
  EXPECT_NE(std::find(first.begin(), first.end(), "1/0=rare"), first.end());
}

TEST_F(SubscriptionTest, SaysWhichPartitionsAreCaughtUpWhileOthersGoOn) {
  CreateTopic("orders", 2);
  for (int i = 0; i < 50; ++i) ProduceValues("orders", 0, Values(10, std::string(1000, 'v')));
  ProduceValues("orders", 1, {"only"});
  auto command = FromTheBeginning("orders");
  command.max_frame_bytes = 5000;
  FrameReader reader(Subscribe(command));
  const auto first = reader.Await<CaughtUpFrame>();
  ASSERT_EQ(first.partitions.size(), 1u);
  EXPECT_EQ(first.partitions[0].partition, 1);
  const auto second = reader.Await<CaughtUpFrame>();
  ASSERT_EQ(second.partitions.size(), 1u);
  EXPECT_EQ(second.partitions[0].partition, 0);
}

TEST_F(SubscriptionTest, EndsWhenAllThatWasThereIsDelivered) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 0, {"a"});
  ProduceValues("orders", 1, {"b"});
  auto command = FromTheBeginning("orders");
  command.end_at_current = true;
  FrameReader reader(Subscribe(command));
  EXPECT_EQ(reader.Records(2).size(), 2u);
  const auto ending = reader.Await<EndingFrame>();
  EXPECT_EQ(ending.reason, EndingReason::kEndReached);
  EXPECT_TRUE(ending.status.ok());
  EXPECT_EQ(ending.resume_at.size(), 2u);
}

TEST_F(SubscriptionTest, EndsAtOnceWhereThereIsNothing) {
  CreateTopic("orders", 2);
  auto command = FromTheBeginning("orders");
  command.end_at_current = true;
  FrameReader reader(Subscribe(command));
  EXPECT_EQ(reader.Await<EndingFrame>().reason, EndingReason::kEndReached);
}

TEST_F(SubscriptionTest, TellsWhereToResumeWhenTheHubDrains) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a", "b"});
  FrameReader reader(Subscribe(FromTheBeginning("orders")));
  reader.Records(2);
  hub_->Drain();
  const auto ending = reader.Await<EndingFrame>();
  EXPECT_EQ(ending.reason, EndingReason::kDraining);
  EXPECT_EQ(ReasonOf(ending.status), Reason::kDraining);
  ASSERT_EQ(ending.resume_at.size(), 1u);
  EXPECT_EQ(ending.resume_at[0].offset, Offset(2));
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(FromTheBeginning("orders")).status()),
            Reason::kDraining);
}

TEST_F(SubscriptionTest, GoesOnElsewhereAfterASeek) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a", "b", "c"});
  const auto subscription = Subscribe(FromTheBeginning("orders"));
  FrameReader reader(subscription);
  reader.Records(3);
  reader.Expect<CaughtUpFrame>();
  const auto outcome = hub_->subscriptions().Seek(
      *subscription, {{.partition = {"orders", 0}, .target = Offset(1)}});
  ASSERT_TRUE(outcome[0].ok());
  const auto repositioned = reader.Expect<RepositionedFrame>();
  EXPECT_EQ(repositioned.from, Offset(3));
  EXPECT_EQ(repositioned.to, Offset(1));
  EXPECT_EQ(repositioned.position_epoch, outcome[0]->position_epoch);
  const auto batches = reader.Expect<BatchesFrame>();
  EXPECT_EQ(batches.batches[0].position_epoch, outcome[0]->position_epoch);
  EXPECT_EQ(batches.batches[0].batch.base_offset, Offset(1));
  reader.Expect<CaughtUpFrame>();
}

TEST_F(SubscriptionTest, RefusesToSeekOutsideAPartition) {
  CreateTopic("orders");
  const auto subscription = Subscribe(FromTheBeginning("orders"));
  const auto outcomes = hub_->subscriptions().Seek(
      *subscription, {{.partition = {"orders", 0}, .target = Offset(1)},
                      {.partition = {"orders", 7}, .target = Offset(0)},
                      {.partition = {"others", 0}, .target = Offset(0)}});
  EXPECT_EQ(ReasonOf(outcomes[0].status()), Reason::kOffsetOutOfRange);
  EXPECT_EQ(ReasonOf(outcomes[1].status()), Reason::kPartitionOutOfRange);
  EXPECT_EQ(ReasonOf(outcomes[2].status()), Reason::kTopicNotFound);
}

TEST_F(SubscriptionTest, HoldsPausedPartitionsAndNoOthers) {
  CreateTopic("orders", 2);
  const auto subscription = Subscribe({.topics = {"orders"}});
  FrameReader reader(subscription);
  reader.Await<CaughtUpFrame>();
  ASSERT_EQ(subscription->SetPaused({{"orders", 0}}, true)->size(), 1u);
  ProduceValues("orders", 0, {"held"});
  ProduceValues("orders", 1, {"flows"});
  EXPECT_EQ(reader.Records(1), (Values{"1/0=flows"}));
  EXPECT_FALSE(reader.HasFrame());
  ASSERT_EQ(subscription->SetPaused({}, false)->size(), 0u);
  EXPECT_EQ(reader.Records(1), (Values{"0/0=held"}));
}

TEST_F(SubscriptionTest, ChangesNothingWhereOneOfThePartitionsIsNotItsOwn) {
  CreateTopic("orders");
  const auto subscription = Subscribe({.topics = {"orders"}});
  EXPECT_EQ(ReasonOf(subscription->SetPaused({{"orders", 0}, {"orders", 1}}, true).status()),
            Reason::kPartitionNotAssigned);
  EXPECT_EQ(subscription->SetPaused({}, false)->size(), 0u);
}

TEST_F(SubscriptionTest, DeliversNoMoreThanItsCredit) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a", "b", "c"});
  ProduceValues("orders", 0, {"d", "e"});
  SubscribeCommand command = FromTheBeginning("orders");
  command.credit_records = 2;
  const auto subscription = Subscribe(command);
  FrameReader reader(subscription);
  EXPECT_EQ(reader.Records(2), (Values{"0/0=a", "0/1=b"}));
  EXPECT_FALSE(reader.HasFrame());
  subscription->AddCredit(2);  // Over the edge of a stored batch.
  EXPECT_EQ(reader.Records(2), (Values{"0/2=c", "0/3=d"}));
  EXPECT_FALSE(reader.HasFrame());
  ProduceValues("orders", 0, {"f"});
  EXPECT_FALSE(reader.HasFrame());
  subscription->AddCredit(std::numeric_limits<int64_t>::max());
  subscription->AddCredit(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(reader.Records(2), (Values{"0/4=e", "0/5=f"}));
}

TEST_F(SubscriptionTest, SharesItsCreditAmongPartitions) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 0, {"a", "b", "c"});
  ProduceValues("orders", 1, {"d", "e", "f"});
  SubscribeCommand command = FromTheBeginning("orders");
  command.credit_records = 4;
  const auto subscription = Subscribe(command);
  FrameReader reader(subscription);
  EXPECT_EQ(reader.Records(4).size(), 4u);
  reader.Expect<CaughtUpFrame>();  // Of one of them.
  EXPECT_FALSE(reader.HasFrame());
  subscription->AddCredit(2);
  EXPECT_EQ(reader.Records(2).size(), 2u);
}

TEST_F(SubscriptionTest, GoesOnWithOtherFramesWithoutCredit) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a"});
  SubscribeCommand command = FromTheBeginning("orders");
  command.credit_records = 0;
  command.heartbeat_interval = absl::Milliseconds(100);
  FrameReader reader(Subscribe(command));
  reader.Expect<SessionStartedFrame>();
  reader.Expect<AssignedFrame>();
  EXPECT_TRUE(reader.Expect<HeartbeatFrame>().waiting_for_commit.empty());
  EXPECT_TRUE(reader.Expect<HeartbeatFrame>().waiting_for_commit.empty());
}

TEST_F(SubscriptionTest, RefusesAPositionOutsideThePartition) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a"});
  SubscribeCommand command{.positions = {{.topic = "orders", .partition = 0, .offset = Offset(2)}}};
  const absl::Status status = hub_->subscriptions().Open(command).status();
  EXPECT_EQ(ReasonOf(status), Reason::kOffsetOutOfRange);
  EXPECT_EQ(storage::MetadataOf(status)["latest"], "1");
}

TEST_F(SubscriptionTest, MovesAPositionOutsideThePartitionWhereThePolicySaysSo) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a", "b"});
  ASSERT_TRUE(hub_->topics().Truncate("orders", {{0, Offset(1)}}).ok());
  FrameReader reader(Subscribe({.positions = {{.topic = "orders", .partition = 0}},
                                .out_of_range = OutOfRangePolicy::kEarliest}));
  reader.Expect<SessionStartedFrame>();
  reader.Expect<AssignedFrame>();
  const auto repositioned = reader.Expect<RepositionedFrame>();
  EXPECT_EQ(repositioned.from, Offset(0));
  EXPECT_EQ(repositioned.to, Offset(1));
  EXPECT_EQ(repositioned.cause, RepositionCause::kOutOfRange);
  EXPECT_EQ(reader.Records(1), (Values{"0/1=b"}));
}

TEST_F(SubscriptionTest, IsToldWhenRetentionOvertakesItWhileOthersGoOn) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 0, {"a", "b", "c"});
  const auto subscription = Subscribe(FromTheBeginning("orders"));
  ASSERT_TRUE(subscription->SetPaused({{"orders", 0}}, true).ok());
  ASSERT_TRUE(hub_->topics().Truncate("orders", {{0, Offset(2)}}).ok());
  ASSERT_TRUE(subscription->SetPaused({}, false).ok());
  FrameReader reader(subscription);
  const auto error = reader.Await<PartitionErrorFrame>();
  EXPECT_EQ(ReasonOf(error.error), Reason::kOffsetOutOfRange);
  EXPECT_EQ(error.earliest, Offset(2));
  EXPECT_EQ(error.latest, Offset(3));
  ProduceValues("orders", 1, {"x"});
  EXPECT_EQ(reader.Records(1), (Values{"1/0=x"}));
  ASSERT_TRUE(subscription->Seek({"orders", 0}, Offset(2)).ok());
  EXPECT_EQ(reader.Records(1), (Values{"0/2=c"}));
}

TEST_F(SubscriptionTest, IsToldWhenItsTopicIsDeleted) {
  CreateTopic("orders");
  CreateTopic("others");
  FrameReader reader(Subscribe({.topics = {"orders", "others"}}));
  reader.Await<CaughtUpFrame>();
  ASSERT_TRUE(hub_->topics().Delete("orders").ok());
  EXPECT_EQ(ReasonOf(reader.Await<PartitionErrorFrame>().error), Reason::kTopicNotFound);
  ProduceValues("others", 0, {"x"});
  EXPECT_EQ(reader.Records(1), (Values{"0/0=x"}));
}

TEST_F(SubscriptionTest, FollowsATopicThatGrows) {
  CreateTopic("orders");
  FrameReader reader(Subscribe({.topics = {"orders"}}));
  reader.Await<CaughtUpFrame>();
  ASSERT_TRUE(hub_->topics().Update("orders", {.partition_count = 2}).ok());
  const auto assigned = reader.Await<AssignedFrame>();
  ASSERT_EQ(assigned.assignments.size(), 1u);
  EXPECT_EQ(assigned.assignments[0].name.partition, 1);
  ProduceValues("orders", 1, {"x"});
  EXPECT_EQ(reader.Records(1), (Values{"1/0=x"}));
}

TEST_F(SubscriptionTest, WaitsForATopicThatDoesNotExistYet) {
  FrameReader reader(Subscribe({.topics = {"later"}, .allow_missing_topics = true}));
  EXPECT_EQ(reader.Expect<SessionStartedFrame>().missing_topics, (Values{"later"}));
  CreateTopic("later");
  reader.Await<AssignedFrame>();
  ProduceValues("later", 0, {"x"});
  EXPECT_EQ(reader.Records(1), (Values{"0/0=x"}));
}

TEST_F(SubscriptionTest, IsNeverSilentForLongerThanItsInterval) {
  CreateTopic("orders");
  SubscribeCommand command{.topics = {"orders"}};
  command.heartbeat_interval = absl::Milliseconds(20);
  FrameReader reader(Subscribe(command));
  reader.Await<CaughtUpFrame>();
  reader.Expect<HeartbeatFrame>();
  reader.Expect<HeartbeatFrame>();
}

TEST_F(SubscriptionTest, TellsInAHeartbeatWhatHeldPartitionsMiss) {
  CreateTopic("orders");
  SubscribeCommand command{.topics = {"orders"}};
  command.heartbeat_interval = absl::Milliseconds(20);
  const auto subscription = Subscribe(command);
  FrameReader reader(subscription);
  reader.Await<CaughtUpFrame>();
  ASSERT_TRUE(subscription->SetPaused({}, true).ok());
  ProduceValues("orders", 0, {"a", "b"});
  for (;;) {
    const auto heartbeat = reader.Await<HeartbeatFrame>();
    if (heartbeat.changed.empty()) continue;
    EXPECT_EQ(heartbeat.changed[0].high_watermark, Offset(2));
    EXPECT_EQ(heartbeat.changed[0].next_offset, Offset(0));
    break;
  }
}

TEST_F(SubscriptionTest, RefusesAPositionOfATopicThatWasRecreated) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {"a"});
  FrameReader reader(Subscribe(FromTheBeginning("orders")));
  const auto batches = reader.Await<BatchesFrame>();
  const storage::LogEpoch epoch = batches.batches[0].batch.log_epoch;
  ASSERT_TRUE(hub_->topics().Delete("orders").ok());
  CreateTopic("orders");
  ProduceValues("orders", 0, {"another", "one"});
  SubscribeCommand command{
      .positions = {{.topic = "orders", .partition = 0, .offset = Offset(1), .log_epoch = epoch}}};
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(command).status()), Reason::kLogEpochChanged);
}

TEST_F(SubscriptionTest, RefusesRequestsThatMakeNoSense) {
  CreateTopic("orders");
  const auto reason = [&](SubscribeCommand command) {
    return ReasonOf(hub_->subscriptions().Open(command).status());
  };
  EXPECT_EQ(reason({}), Reason::kEmptyRequest);
  EXPECT_EQ(reason({.topics = {"none"}}), Reason::kTopicNotFound);
  EXPECT_EQ(reason({.topics = {"no/slash"}}), Reason::kInvalidName);
  EXPECT_EQ(reason({.topics = {"orders"}, .group = "no slash"}), Reason::kInvalidName);
  EXPECT_EQ(reason({.positions = {{.topic = "orders", .partition = 4}}}),
            Reason::kPartitionOutOfRange);
  EXPECT_EQ(reason({.group = "g", .positions = {{.topic = "orders"}}}),
            Reason::kPositionsWithGroup);
  EXPECT_EQ(reason({.topics = {"orders"}, .max_frame_bytes = int64_t{1} << 40}),
            Reason::kInvalidConfig);
}

TEST_F(SubscriptionTest, IsRefusedBeyondTheLimit) {
  Start({.limits = {.max_subscriptions = 1}});
  CreateTopic("orders");
  const auto first = Subscribe({.topics = {"orders"}});
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open({.topics = {"orders"}}).status()),
            Reason::kLimitExceeded);
  hub_->subscriptions().Close(first);
  EXPECT_NE(Subscribe({.topics = {"orders"}}), nullptr);
}

TEST_F(SubscriptionTest, CountsWhatEachReaderIsSent) {
  CreateTopic("orders", 2);
  ProduceValues("orders", 1, {"a", "b", "c"});
  const auto delivered = [&] {
    const auto topic = hub_->topics().Find("orders");
    return (*hub_->topics().Partitions(**topic))[1].delivered_records;
  };
  EXPECT_EQ(delivered(), 0);
  for (int64_t readers = 1; readers <= 2; ++readers) {
    const auto subscription = Subscribe(FromTheBeginning("orders"));
    FrameReader reader(subscription);
    EXPECT_EQ(reader.Records(3), (Values{"1/0=a", "1/1=b", "1/2=c"}));
    EXPECT_EQ(delivered(), 3 * readers);
    hub_->subscriptions().Close(subscription);
    EXPECT_EQ(delivered(), 3 * readers);
  }
  ASSERT_TRUE(hub_->topics().Delete("orders").ok());
  CreateTopic("orders", 2);
  EXPECT_EQ(delivered(), 0);
}

TEST_F(SubscriptionTest, GivesItsFrameBudgetBack) {
  CreateTopic("orders");
  ProduceValues("orders", 0, {std::string(1000, 'v')});
  FrameBudget budget(1 << 20);
  DeliveryCounts counts;
  {
    auto subscription = std::make_shared<Subscription>(
        SubscriptionContext{*engine_, storage::Clock::System(), hub_->workers(), budget, counts},
        SubscriptionOptions{});
    const auto topic = hub_->topics().Find("orders");
    subscription->Assign({{.name = {std::make_shared<const std::string>("orders"), 0},
                           .id = (*topic)->partitions[0],
                           .offset = Offset(0),
                           .position_epoch = storage::PositionEpoch(1),
                           .repositioned_from = std::nullopt}});
    FrameReader reader(subscription);
    reader.Await<BatchesFrame>();
    EXPECT_GE(budget.outstanding_bytes(), 1000);
    reader.Await<CaughtUpFrame>();
    EXPECT_EQ(budget.outstanding_bytes(), 0);
  }
}

TEST_F(SubscriptionTest, CallsBackOnTheThreadThatTheCommandNames) {
  CreateTopic("orders");
  Executor own("own", 1);
  std::promise<std::thread::id> own_thread;
  own.Post([&] { own_thread.set_value(std::this_thread::get_id()); });
  auto command = FromTheBeginning("orders");
  command.deliveries = &own;
  const auto subscription = Subscribe(command);
  bool caught_up = false;  // What is there already is handed over inside the call.
  while (!caught_up) {
    subscription->Next(
        [&](const Frame& frame) { caught_up = std::holds_alternative<CaughtUpFrame>(frame); });
  }
  std::promise<std::thread::id> called_on;
  subscription->Next([&](const Frame&) { called_on.set_value(std::this_thread::get_id()); });
  ProduceValues("orders", 0, {"a"});
  EXPECT_EQ(called_on.get_future().get(), own_thread.get_future().get());
  hub_->subscriptions().Close(subscription);
}

TEST(FrameBudget, ShrinksFramesAsItFills) {
  FrameBudget budget(1 << 20, 1 << 10);
  EXPECT_EQ(budget.Allowance(1 << 18), 1 << 18);
  budget.Take(3 << 18);
  EXPECT_EQ(budget.Allowance(1 << 18), (1 << 18) / 64);
  budget.Take(1 << 18);
  EXPECT_EQ(budget.Allowance(1 << 18), 1 << 10);
  budget.Return(1 << 20);
  EXPECT_EQ(budget.Allowance(1 << 18), 1 << 18);
}

}  // namespace
}  // namespace millrace::hub
