// Transactions over a hub that misbehaves: each is stored once, together with what it commits.
#include "millrace/transactor.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client/cpp/monotonic.h"
#include "millrace/error.h"
#include "tests/support/fake_hub.h"

namespace millrace::client {
namespace {

using millrace::testing::FakeHub;
using millrace::testing::MakeRequestError;
using millrace::testing::ProduceVerdict;
using Words = std::vector<std::string>;

class TransactorTest : public ::testing::Test {
 protected:
  TransactorTest() {
    hub_.CreateTopic("orders", 1);
    hub_.CreateTopic("totals", 1);
    hub_.Append("orders", 0, {"1", "2", "3", "4"});
    hub_.SetBatchRecords(2);
  }

  std::shared_ptr<Connection> Connect() {
    return *Connection::Open(
        {.target = hub_.target(),
         .request_timeout = absl::Seconds(10),
         .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(10)}});
  }
  std::unique_ptr<Transactor> Open(TransactorOptions options = {.producer_id = "totals-1"}) {
    auto transactor = Transactor::Open(Connect(), std::move(options));
    EXPECT_TRUE(transactor.ok()) << transactor.status();
    return *std::move(transactor);
  }
  std::unique_ptr<GroupConsumer> Join() {
    auto consumer = GroupConsumer::Open(Connect(), {.topics = {"orders"}, .group = "totals"},
                                        {.commit = CommitMode::kByHand});
    EXPECT_TRUE(consumer.ok()) << consumer.status();
    return *std::move(consumer);
  }

  static Words Take(GroupConsumer& consumer) {
    Words values;
    const absl::Time give_up = MonotonicNow() + absl::Seconds(20);
    while (values.empty() && MonotonicNow() < give_up) {
      auto records = consumer.Poll(absl::Milliseconds(100), 2);
      EXPECT_TRUE(records.ok()) << records.status();
      if (!records.ok()) break;
      for (const ReceivedRecord& record : *records) values.push_back(record.value.value_or(""));
    }
    return values;
  }

  // What is to be written for records that were read.
  static std::vector<Append> Doubled(const Words& values) {
    Append append{.topic = "totals", .partition = 0};
    for (const std::string& value : values) append.records.push_back({.value = value + value});
    return {append};
  }

  FakeHub hub_;
};

TEST_F(TransactorTest, StoresWhatIsWrittenAndCommittedTogether) {
  auto transactor = Open();
  auto consumer = Join();
  for (int i = 0; i < 2; ++i) {
    const auto stored = transactor->Transact(Doubled(Take(*consumer)), *consumer);
    ASSERT_TRUE(stored.ok()) << stored.status();
    EXPECT_EQ(stored->appended.at(0).at(0).base_offset, 2 * i);
    EXPECT_EQ(stored->committed.at(0).committed_next_offset, 2 * i + 2);
  }
  EXPECT_EQ(hub_.Values("totals", 0), (Words{"11", "22", "33", "44"}));
  EXPECT_EQ(transactor->last_sequence(), 2);
  EXPECT_TRUE(consumer->Close().ok());
  EXPECT_EQ(hub_.Committed("totals", "orders", 0), 4);
}

TEST_F(TransactorTest, StoresATransactionOnceThoughItsAnswerWasLost) {
  for (const auto cut : {ProduceVerdict::kCutBeforeStore, ProduceVerdict::kCutAfterStore}) {
    hub_.SetTransactScript([cut](const v1::TransactRequest&, int count) {
      return ProduceVerdict{.action = count % 2 == 1 ? cut : ProduceVerdict::kHandle};
    });
    auto transactor = Open();
    const auto stored = transactor->Transact(Doubled({"a"}));
    ASSERT_TRUE(stored.ok()) << stored.status();
    EXPECT_EQ(stored->duplicate, cut == ProduceVerdict::kCutAfterStore);
  }
  EXPECT_EQ(hub_.Values("totals", 0), (Words{"aa", "aa"}));
  const auto requests = hub_.transact_requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[0].sequence().sequence(), requests[1].sequence().sequence());
  EXPECT_EQ(requests[2].sequence().sequence(), 2) << "a new epoch goes on where the last stood";
}

TEST_F(TransactorTest, StoresATransactionOnceOverAKillOfTheHub) {
  auto transactor = Open();
  auto consumer = Join();
  const Words values = Take(*consumer);
  hub_.Kill();
  std::thread restarter([&] { hub_.Restart(); });
  const auto stored = transactor->Transact(Doubled(values), *consumer);
  restarter.join();
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(hub_.Values("totals", 0), (Words{"11", "22"}));
  EXPECT_EQ(hub_.Committed("totals", "orders", 0), 2);
  EXPECT_EQ(Take(*consumer), (Words{"3", "4"}));
}

TEST_F(TransactorTest, GoesBackToWhatIsCommittedWhenATransactionIsRefused) {
  auto transactor = Open();
  auto consumer = Join();
  const Words values = Take(*consumer);
  const auto refused = transactor->Transact(
      {{.topic = "totals", .partition = 0, .records = {{.value = "x"}}}},
      GroupCommit{
          .group = "totals", .member_id = "somebody-else", .offsets = {{.topic = "orders"}}});
  EXPECT_EQ(ReasonOf(refused.status()), "MEMBER_FENCED");
  hub_.SetTransactScript([&](const v1::TransactRequest&, int) {
    return ProduceVerdict{.action = ProduceVerdict::kRefuse,
                          .error = MakeRequestError(10, "SUPERSEDED")};
  });
  EXPECT_EQ(ReasonOf(transactor->Transact(Doubled(values), *consumer).status()), "SUPERSEDED");
  hub_.SetTransactScript(nullptr);
  const Words again = Take(*consumer);
  EXPECT_EQ(again, values);
  ASSERT_TRUE(transactor->Transact(Doubled(again), *consumer).ok());
  EXPECT_EQ(hub_.Values("totals", 0), (Words{"11", "22"}));
}

TEST_F(TransactorTest, LeavesRevokedPartitionsOfARefusedTransactionToTheirNextOwner) {
  auto transactor = Open();
  bool told = false;
  auto consumer =
      GroupConsumer::Open(Connect(), {.topics = {"orders"}, .group = "totals"},
                          {.commit = CommitMode::kByHand,
                           .on_revoking = [&](const PartitionsRevoking&) { told = true; }});
  ASSERT_TRUE(consumer.ok()) << consumer.status();
  const Words values = Take(**consumer);
  hub_.Revoke("totals", "orders", 0);
  const absl::Time give_up = MonotonicNow() + absl::Seconds(20);
  while (!told && MonotonicNow() < give_up) (void)(*consumer)->Poll(absl::Milliseconds(10));
  ASSERT_TRUE(told);
  hub_.SetTransactScript([&](const v1::TransactRequest&, int) {
    return ProduceVerdict{.action = ProduceVerdict::kRefuse,
                          .error = MakeRequestError(5, "TOPIC_NOT_FOUND")};
  });
  EXPECT_FALSE(transactor->Transact(Doubled(values), **consumer).ok());
  hub_.SetTransactScript(nullptr);
  EXPECT_TRUE(transactor->Transact(Doubled({"x"}), **consumer).ok());
  EXPECT_EQ(hub_.Committed("totals", "orders", 0).value_or(0), 0) << "1 and 2 were not stored";
}

// It was away, and another member has handled some, all or more of what it had read.
TEST_F(TransactorTest, StoresNothingThatAnotherMemberHandledMeanwhile) {
  for (const int committed : {1, 2, 4}) {
    const std::string group = "group-" + std::to_string(committed);
    auto transactor = Open();
    auto opened = GroupConsumer::Open(Connect(), {.topics = {"orders"}, .group = group},
                                      {.commit = CommitMode::kByHand});
    ASSERT_TRUE(opened.ok()) << opened.status();
    GroupConsumer& consumer = **opened;
    const Words read = Take(consumer);
    EXPECT_EQ(read, (Words{"1", "2"}));
    hub_.Kill();
    hub_.SetCommitted(group, "orders", 0, committed);
    hub_.Restart();
    EXPECT_TRUE(hub_.WaitFor([&] { return hub_.HasSessions(); }));
    EXPECT_TRUE(absl::IsAborted(transactor->Transact(Doubled(read), consumer).status()));
    EXPECT_EQ(hub_.Values("totals", 0), Words{}) << "committed were " << committed;
    EXPECT_EQ(hub_.Committed(group, "orders", 0), committed);
    if (committed == 4) continue;
    EXPECT_EQ(Take(consumer), committed == 1 ? (Words{"2", "3"}) : (Words{"3", "4"}));
  }
}

TEST_F(TransactorTest, IsFencedForGoodByItsSuccessor) {
  auto transactor = Open();
  auto successor = Open();
  EXPECT_EQ(ReasonOf(transactor->Transact(Doubled({"a"})).status()), "PRODUCER_FENCED");
  EXPECT_TRUE(successor->Transact(Doubled({"b"})).ok());
  EXPECT_EQ(ReasonOf(transactor->Transact(Doubled({"a"})).status()), "PRODUCER_FENCED");
  EXPECT_EQ(hub_.transact_requests().size(), 2u);
}

TEST_F(TransactorTest, EndsWhenItCannotKnowWhetherATransactionIsStored) {
  hub_.SetTransactScript([&](const v1::TransactRequest&, int) {
    return ProduceVerdict{.action = ProduceVerdict::kCutAfterStore};
  });
  auto transactor = Open({.producer_id = "totals-1", .timeout = absl::Milliseconds(50)});
  EXPECT_EQ(transactor->Transact(Doubled({"a"})).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(transactor->Transact(Doubled({"b"})).ok());
  hub_.SetTransactScript(nullptr);
  auto successor = Open();
  EXPECT_EQ(successor->last_sequence(), 1);
  EXPECT_TRUE(successor->Transact(Doubled({"b"})).ok());
  EXPECT_EQ(hub_.Values("totals", 0), (Words{"aa", "bb"}));
}

TEST_F(TransactorTest, GoesOnWhereTheHubStandsAfterItLostTheLastTransactions) {
  auto transactor = Open();
  ASSERT_TRUE(transactor->Transact(Doubled({"a"})).ok());
  ASSERT_TRUE(transactor->Transact(Doubled({"b"})).ok());
  hub_.SetTransactScript([](const v1::TransactRequest&, int count) {
    if (count > 3) return ProduceVerdict{};
    ProduceVerdict gap{.action = ProduceVerdict::kRefuse,
                       .error = MakeRequestError(9, "SEQUENCE_GAP")};
    (*gap.error.mutable_metadata())["expected_sequence"] = "2";
    return gap;
  });
  (void)transactor->Transact(Doubled({"c"}));
  EXPECT_EQ(hub_.transact_requests().back().sequence().sequence(), 2);
}

TEST_F(TransactorTest, RefusesAConsumerThatCommitsByItself) {
  auto transactor = Open();
  auto consumer = GroupConsumer::Open(Connect(), {.topics = {"orders"}, .group = "totals"});
  ASSERT_TRUE(consumer.ok());
  EXPECT_EQ(transactor->Transact({}, **consumer).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace millrace::client
