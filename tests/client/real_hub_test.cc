// The client and the real hub, which is killed with kill -9 in the middle of the work and started
// again: nothing is lost, doubled or reordered. MILLRACE_SERVER names the hub's program.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/monotonic.h"
#include "millrace/admin.h"
#include "millrace/consumer.h"
#include "millrace/error.h"
#include "millrace/producer.h"
#include "tests/support/hub_process.h"

namespace millrace::client {
namespace {

using millrace::testing::HubProcess;

constexpr absl::Duration kLong = absl::Seconds(60);
constexpr int kPartitions = 3;

class RealHubTest : public ::testing::Test {
 protected:
  RealHubTest() {
    Admin admin(Connect());
    const auto topic = admin.CreateTopic("orders", kPartitions);
    EXPECT_TRUE(topic.ok()) << topic.status();
  }

  std::shared_ptr<Connection> Connect() {
    return *Connection::Open(
        {.target = hub_.target(),
         .backoff = {.initial = absl::Milliseconds(10), .max = absl::Milliseconds(200)}});
  }

  std::unique_ptr<Consumer> Subscribe(ConsumerOptions options) {
    options.topics = {"orders"};
    auto consumer = Consumer::Open(Connect(), std::move(options));
    EXPECT_TRUE(consumer.ok()) << consumer.status();
    return consumer.ok() ? std::move(*consumer) : nullptr;
  }

  // Sends 0 to count - 1, as values, to one partition after another.
  static void SendNumbers(Producer& producer, int count, std::atomic<int>& delivered) {
    for (int i = 0; i < count; ++i) {
      const absl::Status sent =
          producer.Send("orders", i % kPartitions, {.value = std::to_string(i)},
                        [&](const absl::StatusOr<Delivery>& delivery) {
                          EXPECT_TRUE(delivery.ok()) << delivery.status();
                          ++delivered;
                        });
      ASSERT_TRUE(sent.ok()) << sent;
    }
  }

  void Fill(int count) {
    std::atomic<int> delivered = 0;
    auto producer = Producer::Open(Connect());
    ASSERT_TRUE(producer.ok()) << producer.status();
    SendNumbers(**producer, count, delivered);
    ASSERT_TRUE((*producer)->Flush(kLong).ok());
    ASSERT_EQ(delivered, count);
  }

  // Takes at least `count` records, and checks that each partition's numbers follow one another.
  void Take(Consumer& consumer, int count) {
    const absl::Time give_up = MonotonicNow() + kLong;
    for (int taken = 0; taken < count;) {
      ASSERT_LT(MonotonicNow(), give_up);
      const auto records = consumer.Poll(absl::Milliseconds(100), 500);
      ASSERT_TRUE(records.ok()) << records.status();
      for (const ReceivedRecord& record : *records) {
        Position& next = next_[record.partition];
        ASSERT_EQ(record.offset, next.offset) << "partition " << record.partition;
        ASSERT_EQ(record.value, std::to_string(next.offset * kPartitions + record.partition));
        ++next.offset;
        ++taken;
      }
    }
  }

  int taken() const {
    int64_t all = 0;
    for (const auto& [partition, next] : next_) all += next.offset;
    return static_cast<int>(all);
  }

  void KillAndRestart() {
    hub_.Kill();
    hub_.Start();
  }

  HubProcess hub_{MILLRACE_SERVER};
  std::map<int, Position> next_;
};

TEST_F(RealHubTest, StoresEverythingOnceThoughItIsKilledWhileProducing) {
  constexpr int kRecords = 60'000;
  std::atomic<int> delivered = 0;
  auto producer = Producer::Open(Connect(), {.linger = absl::ZeroDuration(), .batch_records = 20});
  ASSERT_TRUE(producer.ok()) << producer.status();
  std::jthread sender([&] { SendNumbers(**producer, kRecords, delivered); });
  for (const int when : {kRecords / 10, kRecords / 3, kRecords / 2}) {
    while (delivered < when) std::this_thread::yield();
    KillAndRestart();
  }
  sender.join();
  ASSERT_TRUE((*producer)->Flush(kLong).ok());
  EXPECT_EQ(delivered, kRecords);
  EXPECT_GE((*producer)->statistics().reconnects, 3);
  auto consumer = Subscribe({.start = Earliest(), .end_at_current = true});
  Take(*consumer, kRecords);
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(200))->empty());
  EXPECT_EQ(taken(), kRecords);
}

TEST_F(RealHubTest, DeliversEverythingOnceThoughItIsKilledWhileConsuming) {
  constexpr int kRecords = 60'000;
  Fill(kRecords);
  auto consumer =
      Subscribe({.start = Earliest(), .max_batch_bytes = 4096, .prefetch_bytes = 64 << 10});
  for (int i = 0; i < 4; ++i) {
    Take(*consumer, kRecords / 6);
    KillAndRestart();
  }
  Take(*consumer, kRecords - taken());
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(200))->empty());
}

TEST_F(RealHubTest, FollowsAProducerOverKills) {
  constexpr int kRecords = 30'000;
  auto consumer = Subscribe({.start = Earliest()});
  std::atomic<int> delivered = 0;
  auto producer = Producer::Open(Connect(), {.linger = absl::ZeroDuration(), .batch_records = 10});
  ASSERT_TRUE(producer.ok()) << producer.status();
  std::jthread sender([&] { SendNumbers(**producer, kRecords, delivered); });
  for (int i = 0; i < 3; ++i) {
    Take(*consumer, kRecords / 5);
    KillAndRestart();
  }
  Take(*consumer, kRecords - taken());
  sender.join();
  ASSERT_TRUE((*producer)->Flush(kLong).ok());
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(200))->empty());
}

TEST_F(RealHubTest, ResumesAGroupBehindItsLastRecordAndANewMemberAtTheCommit) {
  constexpr int kRecords = 30'000;
  Fill(kRecords);
  auto consumer = Subscribe({.group = "billing", .max_batch_bytes = 4096});
  Take(*consumer, kRecords / 3);
  ASSERT_TRUE(consumer->Commit().ok());
  const auto committed = next_;
  Take(*consumer, kRecords / 10);  // Returned, not committed.
  KillAndRestart();
  Take(*consumer, kRecords / 10);  // Nothing of it again.
  consumer.reset();

  next_ = committed;
  auto successor = Subscribe({.group = "billing"});
  Take(*successor, kRecords - taken());
  const absl::Status status = successor->Commit();
  EXPECT_TRUE(status.ok()) << status;
  const auto offsets = Admin(Connect()).GetCommittedOffsets("billing");
  ASSERT_TRUE(offsets.ok()) << offsets.status();
  ASSERT_EQ(offsets->size(), static_cast<size_t>(kPartitions));
  for (const CommittedOffset& offset : *offsets) EXPECT_EQ(offset.next_offset, kRecords / 3);
}

TEST_F(RealHubTest, TellsItsClientsToComeBackWhenItIsStopped) {
  Fill(3'000);
  auto consumer = Subscribe({.start = Earliest(), .max_batch_bytes = 4096});
  Take(*consumer, 1'000);
  EXPECT_EQ(hub_.Stop(), 0);
  hub_.Start();
  Take(*consumer, 3'000 - taken());
}

TEST_F(RealHubTest, SeeksAndPausesInTheRealHub) {
  Fill(3'000);
  auto consumer = Subscribe({.start = Earliest(), .max_batch_bytes = 4096});
  Take(*consumer, 3'000);
  const auto sought =
      consumer->Seek({{.partition = {"orders", 1}, .target = int64_t{500}},
                      {.partition = {"orders", 2}, .target = StartPosition(Earliest())},
                      {.partition = {"orders", 0}, .target = int64_t{1'000'000}}});
  ASSERT_TRUE(sought.ok()) << sought.status();
  EXPECT_EQ(ReasonOf(sought->at(2).status), "OFFSET_OUT_OF_RANGE");
  next_[1].offset = 500;
  next_[2].offset = 0;
  Take(*consumer, 1'500);
  ASSERT_TRUE(consumer->Pause({{"orders", 0}}).ok());
  EXPECT_EQ(ReasonOf(consumer->Pause({{"orders", 9}})), "PARTITION_NOT_ASSIGNED");
}

TEST_F(RealHubTest, KeepsTheOrderAroundRefusedRequests) {
  std::atomic<int> refused = 0;
  auto producer = Producer::Open(Connect(), {.linger = absl::ZeroDuration(), .batch_records = 1});
  ASSERT_TRUE(producer.ok()) << producer.status();
  for (int i = 0; i < 300; ++i) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      const std::string value = std::to_string(i * kPartitions + partition);
      ASSERT_TRUE((*producer)->Send("orders", partition, {.value = value}).ok());
    }
    ASSERT_TRUE((*producer)
                    ->Send("none", {.value = "x"},
                           [&](const absl::StatusOr<Delivery>& delivery) {
                             refused += ReasonOf(delivery.status()) == reason::kTopicNotFound;
                           })
                    .ok());
  }
  const absl::Status flushed = (*producer)->Flush(kLong);
  EXPECT_TRUE(flushed.ok()) << flushed;
  EXPECT_EQ(refused, 300);
  EXPECT_GT((*producer)->statistics().requests_repeated, 0);
  auto consumer = Subscribe({.start = Earliest(), .end_at_current = true});
  Take(*consumer, 900);
}

TEST_F(RealHubTest, ReportsWhatItRefuses) {
  Admin admin(Connect());
  EXPECT_EQ(ReasonOf(admin.CreateTopic("orders").status()), "TOPIC_EXISTS");
  EXPECT_EQ(ReasonOf(admin.GetTopic("none").status()), "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Consumer::Open(Connect(), {.topics = {"none"}}).status()), "TOPIC_NOT_FOUND");
  const auto hub = admin.GetHub();
  ASSERT_TRUE(hub.ok()) << hub.status();
  auto producer = Producer::Open(Connect());
  ASSERT_TRUE(producer.ok());
  EXPECT_EQ(ReasonOf((*producer)->Send("orders",
                                       {.value = std::string(hub->limits.max_record_bytes, 'x')})),
            "RECORD_TOO_LARGE");
  EXPECT_TRUE((*producer)
                  ->Send("orders", {.value = std::string(hub->limits.max_record_bytes - 10, 'x')})
                  .ok());
  EXPECT_TRUE((*producer)->Flush(kLong).ok());
  EXPECT_EQ(ReasonOf((*producer)->SendAsync("none", {.value = "x"}).get().status()),
            "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonOf((*producer)->SendAsync("orders", {.value = "x"}, 7).get().status()),
            "PARTITION_OUT_OF_RANGE");
}

}  // namespace
}  // namespace millrace::client
