// A member of a group: what it commits, and when, and what it is told.
#include "millrace/group_consumer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/monotonic.h"
#include "millrace/error.h"
#include "tests/support/fake_hub.h"

namespace millrace::client {
namespace {

using millrace::testing::FakeHub;

constexpr absl::Duration kLong = absl::Seconds(20);

class GroupConsumerTest : public ::testing::Test {
 protected:
  GroupConsumerTest() {
    hub_.CreateTopic("orders", 2);
    hub_.Append("orders", 0, {"1", "2", "3", "4"});
    hub_.SetBatchRecords(2);
  }

  ConsumerOptions InBilling() {
    return {.topics = {"orders"},
            .group = "billing",
            .heartbeat_interval = absl::Milliseconds(200),
            .on_event = [this](const ConsumerEvent& event) {
              repositioned_ += std::holds_alternative<PartitionRepositioned>(event);
            }};
  }

  GroupOptions Telling(absl::Duration commit_interval = absl::Hours(1)) {
    GroupOptions options;
    options.commit_interval = commit_interval;
    options.on_assigned = [this](const PartitionsAssigned&) { told_.push_back("assigned"); };
    options.on_revoking = [this](const PartitionsRevoking&) { told_.push_back("revoking"); };
    options.on_lost = [this](const PartitionsLost&) { told_.push_back("lost"); };
    options.on_commit_failed = [this](const absl::Status& status) {
      told_.push_back("failed:" + ReasonOf(status));
    };
    return options;
  }

  std::unique_ptr<GroupConsumer> Join(GroupOptions options, ConsumerOptions subscription) {
    auto consumer = GroupConsumer::Open(
        *Connection::Open(
            {.target = hub_.target(),
             .request_timeout = absl::Seconds(10),
             .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(10)}}),
        std::move(subscription), std::move(options));
    EXPECT_TRUE(consumer.ok()) << consumer.status();
    return consumer.ok() ? std::move(*consumer) : nullptr;
  }
  std::unique_ptr<GroupConsumer> Join(GroupOptions options) {
    return Join(std::move(options), InBilling());
  }

  // The next records, one or two of them.
  static std::vector<std::string> Take(GroupConsumer& consumer, size_t max = 2) {
    std::vector<std::string> values;
    const absl::Time give_up = MonotonicNow() + kLong;
    while (values.empty() && MonotonicNow() < give_up) {
      auto records = consumer.Poll(absl::Milliseconds(100), max);
      EXPECT_TRUE(records.ok()) << records.status();
      if (!records.ok()) break;
      for (const ReceivedRecord& record : *records) values.push_back(record.value.value_or(""));
    }
    return values;
  }

  // Polls until `done`.
  static bool PollUntil(GroupConsumer& consumer, const std::function<bool()>& done) {
    const absl::Time give_up = MonotonicNow() + kLong;
    while (!done()) {
      if (MonotonicNow() > give_up) return false;
      EXPECT_TRUE(consumer.Poll(absl::Milliseconds(10)).ok());
    }
    return true;
  }

  bool Told(const std::string& word) const {
    return std::find(told_.begin(), told_.end(), word) != told_.end();
  }

  FakeHub hub_;
  std::vector<std::string> told_;
  int repositioned_ = 0;
};

using Words = std::vector<std::string>;

TEST_F(GroupConsumerTest, CommitsWhatIsProcessedEveryInterval) {
  auto consumer = Join(Telling(absl::Milliseconds(20)));
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  EXPECT_TRUE(PollUntil(*consumer, [&] { return hub_.Committed("billing", "orders", 0) == 4; }));
}

TEST_F(GroupConsumerTest, CommitsNothingThatTheCallerStillWorksOn) {
  auto consumer = Join(Telling());
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  ASSERT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 2) << "3 and 4 are being worked on";
}

TEST_F(GroupConsumerTest, CommitsWhileAPollWaitsForRecords) {
  auto consumer = Join(Telling(absl::Milliseconds(20)));
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  std::atomic<bool> stopped = false;
  std::thread poller([&] {
    while (!stopped) (void)consumer->Poll(kLong);
  });
  EXPECT_TRUE(hub_.WaitFor([&] { return hub_.Committed("billing", "orders", 0) == 4; }));
  stopped = true;
  consumer->Stop();
  poller.join();
}

TEST_F(GroupConsumerTest, CommitsRevokedPartitionsAtOnceAndLosesThem) {
  auto consumer = Join(Telling());
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  hub_.Revoke("billing", "orders", 0);
  ASSERT_TRUE(PollUntil(*consumer, [&] { return Told("lost"); }));
  EXPECT_EQ(told_, (Words{"assigned", "revoking", "lost"}));
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 4) << "though the interval is an hour";
  hub_.Append("orders", 1, {"5"});
  EXPECT_EQ(Take(*consumer), Words{"5"}) << "the other partition goes on";
}

TEST_F(GroupConsumerTest, GivesUpWhatHasNothingToCommitWithoutBeingPolled) {
  hub_.Append("orders", 1, {"5", "6"});
  GroupOptions by_hand = Telling();
  by_hand.commit = CommitMode::kByHand;
  auto consumer = Join(std::move(by_hand));
  std::vector<std::string> values = Take(*consumer);
  ASSERT_TRUE(consumer->Commit().ok());
  for (int partition : {0, 1}) hub_.Revoke("billing", "orders", partition);
  EXPECT_TRUE(hub_.WaitFor([&] {
    int released = 0;
    for (const auto& request : hub_.commit_requests()) released += request.released_size();
    return released >= 2;
  }));
}

TEST_F(GroupConsumerTest, LeavesRevokedPartitionsToACallerThatCommitsByHand) {
  GroupOptions by_hand = Telling();
  by_hand.commit = CommitMode::kByHand;
  auto consumer = Join(std::move(by_hand));
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  hub_.Revoke("billing", "orders", 0);
  ASSERT_TRUE(PollUntil(*consumer, [&] { return Told("revoking"); }));
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(50)).ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), std::nullopt);
  EXPECT_TRUE(consumer->Commit({{.topic = "orders", .partition = 0, .next_offset = 2}}).ok());
  ASSERT_TRUE(PollUntil(*consumer, [&] { return Told("lost"); }));
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 2);
}

TEST_F(GroupConsumerTest, CommitsAndLeavesWhenItIsClosed) {
  auto consumer = Join(Telling());
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_TRUE(consumer->Close().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 2);
  EXPECT_TRUE(hub_.commit_requests().back().leave());
  EXPECT_EQ(hub_.commit_requests().back().member_id(), "member-session-1");
  EXPECT_TRUE(consumer->Close().ok()) << "a second time, too";
}

TEST_F(GroupConsumerTest, LeavesTheLastRecordsToItsSuccessorWhenItIsOnlyDestroyed) {
  auto consumer = Join(Telling());
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  consumer.reset();
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 2);
  EXPECT_TRUE(hub_.commit_requests().back().leave());
}

TEST_F(GroupConsumerTest, LeavesAfterItsSubscriptionCameToTheEnd) {
  ConsumerOptions options = InBilling();
  options.end_at_current = true;
  auto consumer = Join(Telling(), std::move(options));
  ASSERT_TRUE(PollUntil(*consumer, [&] { return consumer->consumer().ended(); }));
  EXPECT_TRUE(consumer->Close().ok());
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 4);
  EXPECT_TRUE(hub_.commit_requests().back().leave());
}

TEST_F(GroupConsumerTest, ComesBackAsTheMemberItWas) {
  ConsumerOptions options = InBilling();
  options.instance_id = "pod-7";
  auto consumer = Join(Telling(), std::move(options));
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  hub_.Kill();
  hub_.Append("orders", 0, {"5"});
  hub_.Restart();
  EXPECT_EQ(Take(*consumer), Words{"5"});
  const v1::SubscribeRequest request = hub_.subscribe_requests().back();
  EXPECT_EQ(request.resume_member_id(), "member-session-1");
  EXPECT_EQ(request.instance_id(), "pod-7");
  EXPECT_EQ(repositioned_, 0) << "its own way back is nothing to tell of";
}

TEST_F(GroupConsumerTest, GoesOnWithItsOtherPartitionsWhenOneIsLost) {
  GroupOptions options = Telling(absl::Milliseconds(1));
  auto consumer = Join(std::move(options));
  hub_.Append("orders", 1, {"a", "b"});
  ASSERT_TRUE(PollUntil(*consumer, [&] { return hub_.Committed("billing", "orders", 1) == 2; }));
  hub_.Revoke("billing", "orders", 0);
  ASSERT_TRUE(PollUntil(*consumer, [&] { return Told("lost"); }));
  hub_.Append("orders", 1, {"c"});
  EXPECT_EQ(Take(*consumer), Words{"c"});
}

TEST_F(GroupConsumerTest, EndsForGoodWhenAnotherProcessTakesItsPlace) {
  hub_.SetSubscribeScript([&](grpc::ServerContext&, const v1::SubscribeRequest&, int,
                              FakeHub::SubscribeWriter& writer) {
    v1::SubscribeResponse frame;
    frame.mutable_session_started()->set_session_id("s");
    writer.Write(frame);
    frame.mutable_ending()->set_reason(v1::ENDING_REASON_INSTANCE_REPLACED);
    writer.Write(frame);
    return grpc::Status::OK;
  });
  auto consumer = GroupConsumer::Open(*Connection::Open({.target = hub_.target()}), InBilling());
  absl::Status status = consumer.status();
  while (status.ok()) status = (*consumer)->Poll(kLong).status();
  EXPECT_EQ(ReasonOf(status), "INSTANCE_REPLACED");
  EXPECT_EQ(hub_.subscribe_requests().size(), 1u);
}

TEST_F(GroupConsumerTest, RunsUntilItIsStoppedAndCommitsWhatTheHandlerTook) {
  auto consumer = Join(Telling());
  int taken = 0;
  const absl::Status status = consumer->Run([&](const std::vector<ReceivedRecord>& records) {
    taken += static_cast<int>(records.size());
    if (taken == 4) consumer->Stop();
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(hub_.Committed("billing", "orders", 0), 4);
}

TEST_F(GroupConsumerTest, LeavesWhatAHandlerRefusedToItsSuccessor) {
  auto consumer = Join(Telling());
  const absl::Status status = consumer->Run([&](const std::vector<ReceivedRecord>& records) {
    return records.back().value != "4" ? absl::OkStatus() : absl::InternalError("no");
  });
  EXPECT_EQ(status.message(), "no");
  EXPECT_LT(hub_.Committed("billing", "orders", 0).value_or(0), 4);
}

TEST_F(GroupConsumerTest, GoesBackToWhatTheGroupCommitted) {
  GroupOptions by_hand = Telling();
  by_hand.commit = CommitMode::kByHand;
  auto consumer = Join(std::move(by_hand));
  EXPECT_EQ(Take(*consumer), (Words{"1", "2"}));
  ASSERT_TRUE(consumer->Commit().ok());
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
  ASSERT_TRUE(consumer->consumer().SeekToCommitted().ok());
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
}

}  // namespace
}  // namespace millrace::client
