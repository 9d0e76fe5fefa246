// Members of a group and transactions with the real hub, which is killed with kill -9 in the middle
// of them. MILLRACE_SERVER names the hub's program.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/monotonic.h"
#include "millrace/admin.h"
#include "millrace/error.h"
#include "millrace/group_consumer.h"
#include "millrace/producer.h"
#include "millrace/transactor.h"
#include "tests/support/hub_process.h"

namespace millrace::client {
namespace {

using millrace::testing::HubProcess;
using Values = std::array<std::vector<std::string>, 4>;  // Of each partition.

constexpr absl::Duration kLong = absl::Seconds(20);
constexpr int kPartitions = 4;

class RealHubGroupTest : public ::testing::Test {
 protected:
  RealHubGroupTest() {
    Admin admin(Connect());
    for (const char* topic : {"orders", "totals"}) {
      const auto created = admin.CreateTopic(topic, kPartitions);
      EXPECT_TRUE(created.ok()) << created.status();
    }
  }

  std::shared_ptr<Connection> Connect() {
    return *Connection::Open(
        {.target = hub_.target(),
         .backoff = {.initial = absl::Milliseconds(10), .max = absl::Milliseconds(200)}});
  }

  std::unique_ptr<GroupConsumer> Join(GroupOptions options) {
    auto consumer = GroupConsumer::Open(
        Connect(), {.topics = {"orders"}, .group = "billing", .max_batch_bytes = 512},
        std::move(options));
    EXPECT_TRUE(consumer.ok()) << consumer.status();
    return consumer.ok() ? *std::move(consumer) : nullptr;
  }

  // Sends 0 to count - 1, as values, to one partition after another.
  void Fill(int count) {
    auto producer = Producer::Open(Connect());
    ASSERT_TRUE(producer.ok()) << producer.status();
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE((*producer)->Send("orders", i % kPartitions, {.value = std::to_string(i)}).ok());
    }
    ASSERT_TRUE((*producer)->Flush(kLong).ok());
  }

  // Everything that a topic holds.
  void Read(const std::string& topic, Values& values) {
    auto reader =
        Consumer::Open(Connect(), {.topics = {topic}, .start = Earliest(), .end_at_current = true});
    ASSERT_TRUE(reader.ok()) << reader.status();
    const absl::Time give_up = MonotonicNow() + kLong;
    while (!(*reader)->ended()) {
      ASSERT_LT(MonotonicNow(), give_up);
      const auto records = (*reader)->Poll(absl::Milliseconds(100));
      ASSERT_TRUE(records.ok()) << records.status();
      for (const ReceivedRecord& record : *records) {
        values.at(record.partition).push_back(record.value.value_or(""));
      }
    }
  }

  HubProcess hub_{MILLRACE_SERVER};
};

// A member that notes what it has and what it was given.
struct Member {
  std::set<int32_t> partitions = {};
  std::set<std::string> values = {};
  std::unique_ptr<GroupConsumer> consumer = {};

  GroupOptions Options() {
    GroupOptions options;
    options.on_assigned = [this](const PartitionsAssigned& assigned) {
      for (const auto& partition : assigned.partitions)
        partitions.insert(partition.partition.partition);
    };
    options.on_lost = [this](const PartitionsLost& lost) {
      for (const TopicPartition& partition : lost.partitions) partitions.erase(partition.partition);
    };
    return options;
  }
  void Poll() {
    const auto records = consumer->Poll(absl::Milliseconds(20));
    ASSERT_TRUE(records.ok()) << records.status();
    for (const ReceivedRecord& record : *records) values.insert(record.value.value_or(""));
  }
};

TEST_F(RealHubGroupTest, SharesPartitionsAndHandsThemOnWhenAMemberCloses) {
  constexpr size_t kRecords = 2'000;
  Fill(kRecords);
  Member first;
  Member second;
  first.consumer = Join(first.Options());
  ASSERT_NE(first.consumer, nullptr);
  const absl::Time give_up = MonotonicNow() + kLong;
  while (first.partitions.size() < 4) {
    ASSERT_LT(MonotonicNow(), give_up);
    first.Poll();
  }
  second.consumer = Join(second.Options());
  ASSERT_NE(second.consumer, nullptr);
  while (first.partitions.size() != 2 || second.partitions.size() != 2) {
    ASSERT_LT(MonotonicNow(), give_up);
    first.Poll();
    second.Poll();
  }
  ASSERT_TRUE(first.consumer->Close().ok());
  const absl::Time closed = MonotonicNow();
  while (second.partitions.size() < 4) {
    ASSERT_LT(MonotonicNow(), closed + absl::Seconds(10)) << "not handed on at once";
    second.Poll();
  }
  // A clean hand-over repeats nothing and leaves nothing out.
  while (first.values.size() + second.values.size() < kRecords) {
    ASSERT_LT(MonotonicNow(), give_up);
    second.Poll();
  }
  for (const std::string& value : first.values) EXPECT_FALSE(second.values.contains(value));
}

TEST_F(RealHubGroupTest, ReadsAgainWhatARefusedTransactionDidNotStore) {
  Fill(kPartitions);
  auto transactor = Transactor::Open(Connect(), {.producer_id = "totals-1"});
  ASSERT_TRUE(transactor.ok()) << transactor.status();
  auto consumer = Join({.commit = CommitMode::kByHand});
  ASSERT_NE(consumer, nullptr);
  const absl::Time give_up = MonotonicNow() + kLong;
  const auto take = [&](std::set<std::string>& values) {
    while (values.size() < kPartitions) {
      ASSERT_LT(MonotonicNow(), give_up);
      const auto records = consumer->Poll(absl::Milliseconds(100));
      ASSERT_TRUE(records.ok()) << records.status();
      for (const ReceivedRecord& record : *records) values.insert(record.value.value_or(""));
    }
  };
  std::set<std::string> first;
  take(first);
  const auto refused =
      (*transactor)->Transact({{.topic = "none", .records = {{.value = "x"}}}}, *consumer);
  EXPECT_EQ(ReasonOf(refused.status()), "TOPIC_NOT_FOUND");
  std::set<std::string> again;
  take(again);
  EXPECT_EQ(again, first) << "nothing was committed before";
  const auto stored =
      (*transactor)->Transact({{.topic = "totals", .records = {{.value = "x"}}}}, *consumer);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->committed.size(), static_cast<size_t>(kPartitions));
  EXPECT_EQ((*transactor)->last_sequence(), 1);
}

TEST_F(RealHubGroupTest, WritesEachRecordOnceThoughItIsKilledDuringTransactions) {
  constexpr int kRecords = 8'000;
  Fill(kRecords);
  std::atomic<int> stored = 0;
  std::jthread worker([&] {
    auto transactor = Transactor::Open(Connect(), {.producer_id = "totals-1"});
    ASSERT_TRUE(transactor.ok()) << transactor.status();
    auto consumer = Join({.commit = CommitMode::kByHand});
    ASSERT_NE(consumer, nullptr);
    const absl::Time give_up = MonotonicNow() + kLong;
    while (stored < kRecords && MonotonicNow() < give_up) {
      const auto records = consumer->Poll(absl::Milliseconds(100), 20);
      ASSERT_TRUE(records.ok()) << records.status();
      std::vector<Append> appends(kPartitions);
      for (int i = 0; i < kPartitions; ++i) {
        appends[i].topic = "totals";
        appends[i].partition = i;
      }
      for (const ReceivedRecord& record : *records) {
        appends[record.partition].records.push_back({.value = record.value});
      }
      const auto result = (*transactor)->Transact(appends, *consumer);
      if (result.ok()) {
        stored += static_cast<int>(records->size());
      } else {
        ASSERT_TRUE(absl::IsAborted(result.status())) << result.status();
      }
    }
  });
  const absl::Time give_up = MonotonicNow() + kLong;
  for (const int when : {kRecords / 10, kRecords / 4, kRecords / 2, kRecords * 3 / 4}) {
    while (stored < when && MonotonicNow() < give_up) std::this_thread::yield();
    hub_.Kill();
    hub_.Start();
  }
  worker.join();
  EXPECT_EQ(stored, kRecords);
  Values input;
  Values output;
  Read("orders", input);
  Read("totals", output);
  EXPECT_EQ(input.at(0).size(), static_cast<size_t>(kRecords / kPartitions));
  EXPECT_EQ(output, input);
}

}  // namespace
}  // namespace millrace::client
