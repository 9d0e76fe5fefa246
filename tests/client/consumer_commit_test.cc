// The consumer in a group: where it begins and goes on, and what it commits, over disconnects.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "millrace/consumer.h"
#include "tests/client/consumer_fixture.h"

namespace millrace::client {
namespace {

TEST_F(ConsumerTest, BeginsWhereItsGroupStopped) {
  hub_.Append("orders", 0, Numbers(1, 10));
  auto first = Open(InGroup());
  EXPECT_EQ(Take(*first, 4), Numbers(1, 4));
  ASSERT_TRUE(first->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 4);
  EXPECT_EQ(Take(*first, 2), Numbers(5, 6));
  first.reset();
  ASSERT_TRUE(hub_.WaitFor([&] { return !hub_.HasSessions(); }));
  auto second = Open(InGroup());
  EXPECT_EQ(Take(*second, 6), Numbers(5, 10));
}

// A group's new session begins at the committed offset, but this consumer has returned more.
TEST_F(ConsumerTest, RepeatsNothingThatItReturnedBeforeAReconnectOfItsGroup) {
  for (int cut = 0; cut < 8; ++cut) {
    FakeHub hub;
    hub.CreateTopic("orders", 1);
    hub.SetBatchRecords(3);
    hub.Append("orders", 0, Numbers(1, 10));
    hub.SetFrameScript([cut](const v1::SubscribeResponse&, int stream, int index) {
      return stream == 1 && index == cut;
    });
    auto consumer = Consumer::Open(
        ConnectTo(hub),
        {.topics = {"orders"}, .group = "billing", .heartbeat_interval = absl::Milliseconds(100)});
    ASSERT_TRUE(consumer.ok()) << consumer.status();
    EXPECT_EQ(Take(**consumer, 4), Numbers(1, 4)) << "cut at " << cut;
    ASSERT_TRUE((*consumer)->Commit().ok()) << "cut at " << cut;
    EXPECT_EQ(Take(**consumer, 6), Numbers(5, 10)) << "cut at " << cut;
    ASSERT_TRUE(hub.WaitFor([&] { return hub.subscribe_requests().size() == 2; })) << cut;
    hub.Append("orders", 0, Numbers(11, 12));
    EXPECT_EQ(Take(**consumer, 2), Numbers(11, 12)) << "cut at " << cut;
    ASSERT_TRUE((*consumer)->Commit().ok());
    EXPECT_EQ(hub.Committed("billing", "orders", 0), 12);
  }
}

TEST_F(ConsumerTest, FollowsAResetOfItsGroupThatCameWhileItWasAway) {
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  ASSERT_TRUE(consumer->Commit().ok());
  hub_.Kill();
  hub_.SetCommitted("billing", "orders", 0, 7);
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 3), Numbers(8, 10));
  EXPECT_EQ(std::count(events_.begin(), events_.end(), "repositioned:0:10->7"), 1);
}

TEST_F(ConsumerTest, FollowsAnotherMemberThatWentFurtherWhileItWasAway) {
  hub_.SetBatchRecords(5);
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  hub_.Kill();
  hub_.Append("orders", 0, Numbers(11, 20));
  hub_.SetCommitted("billing", "orders", 0, 15);
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 5), Numbers(16, 20));
}

TEST_F(ConsumerTest, GoesBackToTheGroupsPositionWhenTheLogWasReplaced) {
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  hub_.Kill();
  hub_.ReplaceTopic("orders");
  hub_.Append("orders", 0, Numbers(50, 64));
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 15), Numbers(50, 64));
  EXPECT_EQ(std::count(events_.begin(), events_.end(), "repositioned:0:10->0"), 1);
}

TEST_F(ConsumerTest, CommitsWhatWasReturnedAndNotWhatIsBuffered) {
  hub_.SetBatchRecords(10);
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 3), Numbers(1, 3));
  absl::Status committed = absl::UnknownError("not called");
  std::mutex mutex;
  std::condition_variable told;
  consumer->CommitAsync([&](const absl::Status& status) {
    std::lock_guard lock(mutex);
    committed = status;
    told.notify_all();
  });
  std::unique_lock lock(mutex);
  EXPECT_TRUE(told.wait_for(lock, std::chrono::seconds(10),
                            [&] { return committed.code() != absl::StatusCode::kUnknown; }));
  EXPECT_TRUE(committed.ok()) << committed;
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 3);
}

TEST_F(ConsumerTest, CommitsOverARestartOfTheHub) {
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  hub_.Kill();
  std::thread restarter([&] { hub_.Restart(); });
  EXPECT_TRUE(consumer->Commit().ok());
  restarter.join();
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 10);
}

TEST_F(ConsumerTest, CommitsAfterItsStreamCameToTheEnd) {
  hub_.Append("orders", 0, Numbers(1, 10));
  ConsumerOptions options = InGroup();
  options.end_at_current = true;
  auto consumer = Open(std::move(options));
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  while (!consumer->ended()) ASSERT_TRUE(consumer->Poll(kLong).ok());
  EXPECT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 10);
}

// The hub ends the subscription as soon as it has sent all; the end waits behind a full buffer.
TEST_F(ConsumerTest, CommitsThoughTheEndOfItsStreamIsNotReadYet) {
  hub_.SetBatchRecords(1);
  hub_.Append("orders", 0, std::vector<std::string>(20, std::string(1000, 'x')));
  ConsumerOptions options = InGroup();
  options.end_at_current = true;
  options.prefetch_bytes = 2000;
  auto consumer = Open(std::move(options));
  EXPECT_EQ(Take(*consumer, 2).size(), 2u);
  ASSERT_TRUE(hub_.WaitFor([&] { return !hub_.HasSessions(); }));
  EXPECT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 2);
  EXPECT_EQ(Take(*consumer, 18).size(), 18u);
}

TEST_F(ConsumerTest, CommitsOverARestartOfTheHubThoughItsBufferIsFull) {
  hub_.SetBatchRecords(1);
  hub_.Append("orders", 0, std::vector<std::string>(50, std::string(1000, 'x')));
  std::atomic<int> sent = 0;
  hub_.SetFrameScript([&](const v1::SubscribeResponse& frame, int, int) {
    sent += frame.has_batches();
    return false;
  });
  ConsumerOptions options = InGroup();
  options.prefetch_bytes = 2000;
  auto consumer = Open(std::move(options));
  EXPECT_EQ(Take(*consumer, 1).size(), 1u);
  ASSERT_TRUE(hub_.WaitFor([&] { return sent >= 4; }));
  hub_.Kill();
  hub_.Restart();
  EXPECT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 1);
  EXPECT_EQ(hub_.subscribe_requests().size(), 2u);
  EXPECT_EQ(Take(*consumer, 49).size(), 49u);
}

TEST_F(ConsumerTest, CommitsTheOffsetsItIsGiven) {
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  const auto results =
      consumer->Commit({{.topic = "orders", .partition = 0, .next_offset = 6, .metadata = "note"}});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 1u);
  EXPECT_EQ(results->at(0).committed_next_offset, 6);
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 6);
  EXPECT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 10);
}

// Another member had the partition while this one was away, and committed all of it.
TEST_F(ConsumerTest, DoesNotTakeBackWhatAnotherMemberCommittedWhileItsCommitWaited) {
  hub_.SetBatchRecords(10);
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 3), Numbers(1, 3));
  hub_.Kill();
  hub_.SetCommitted("billing", "orders", 0, 10);
  std::jthread commit([&] {
    const auto results = consumer->Commit({{.topic = "orders", .partition = 0, .next_offset = 3}});
    ASSERT_TRUE(results.ok()) << results.status();
    EXPECT_EQ(ReasonOf(results->at(0).status), "SUPERSEDED");
  });
  hub_.Restart();
  commit.join();
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 10);
  hub_.Append("orders", 0, Numbers(11, 12));
  EXPECT_EQ(Take(*consumer, 2), Numbers(11, 12)) << "what the other one did comes no more";
}

// The same, and all that before the commit was asked for: the caller has not heard of it.
TEST_F(ConsumerTest, DoesNotTakeBackWhatAnotherMemberCommittedBeforeItIsTold) {
  hub_.SetBatchRecords(10);
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 3), Numbers(1, 3));
  hub_.Kill();
  hub_.SetCommitted("billing", "orders", 0, 10);
  hub_.Restart();
  const absl::Time give_up = MonotonicNow() + kLong;
  while (consumer->Positions().at(0).offset != 10 && MonotonicNow() < give_up) {
    std::this_thread::yield();
  }
  const std::vector<OffsetCommit> stale = {{.topic = "orders", .partition = 0, .next_offset = 3}};
  const auto results = consumer->Commit(stale);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 1u);
  EXPECT_EQ(ReasonOf(results->at(0).status), "SUPERSEDED");
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 10);
  // Whoever was told may want just that.
  EXPECT_TRUE(SawEvent(*consumer, "repositioned:0:3->10"));
  ASSERT_TRUE(consumer->Commit(stale)->at(0).status.ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 3);
}

TEST_F(ConsumerTest, CommitsForANewSessionOnceItKnowsWhatThatHas) {
  hub_.SetBatchRecords(10);
  hub_.Append("orders", 0, Numbers(1, 10));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
  hub_.SetFrameScript([this](const v1::SubscribeResponse& frame, int stream, int) {
    // Held back for a while, in which nothing is to be asked.
    const absl::Time until = MonotonicNow() + absl::Milliseconds(200);
    while (stream > 1 && frame.has_assigned() && hub_.commit_requests().empty() &&
           MonotonicNow() < until) {
      std::this_thread::yield();
    }
    return false;
  });
  hub_.Kill();
  ASSERT_TRUE(SawEvent(*consumer, "disconnected"));
  std::jthread restart([this] { hub_.Restart(); });
  EXPECT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 10);
  EXPECT_EQ(hub_.commit_requests().size(), 1U) << "one of them for a position of the last session";
}

TEST_F(ConsumerTest, HasNothingToCommitWithoutAGroup) {
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(consumer->Commit().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ConsumerTest, WaitsForItsOwnPlaceInTheGroupAfterABreak) {
  hub_.Append("orders", 0, Numbers(1, 2));
  auto consumer = Open(InGroup());
  EXPECT_EQ(Take(*consumer, 2), Numbers(1, 2));
  hub_.Kill();
  std::atomic<int> refusals = 3;
  hub_.SetSubscribeScript([&](grpc::ServerContext&, const v1::SubscribeRequest& request, int,
                              FakeHub::SubscribeWriter&) {
    EXPECT_EQ(request.resume_member_id(), "member-session-1");
    if (--refusals == 0) hub_.SetSubscribeScript(nullptr);
    return millrace::testing::ToStatus(MakeRequestError(9, "GROUP_HAS_MEMBERS"));
  });
  hub_.Append("orders", 0, Numbers(3, 4));
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 2), Numbers(3, 4));
  EXPECT_EQ(refusals, 0);
}

}  // namespace
}  // namespace millrace::client
