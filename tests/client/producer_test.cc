// The producer against a hub that misbehaves: what is stored, in which order, and what is told.
#include "millrace/producer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "millrace/error.h"
#include "tests/support/fake_hub.h"

namespace millrace::client {
namespace {

using millrace::testing::FakeHub;
using millrace::testing::MakeRequestError;
using millrace::testing::ProduceVerdict;

constexpr absl::Duration kLong = absl::Seconds(20);

class ProducerTest : public ::testing::Test {
 protected:
  ProducerTest() { hub_.CreateTopic("orders", 3); }

  // One record a request, so that requests can be counted by records.
  static ProducerOptions OneByOne() {
    return {.linger = absl::ZeroDuration(), .batch_records = 1, .max_in_flight_requests = 4};
  }

  std::shared_ptr<Connection> Connect() {
    return *Connection::Open(
        {.target = hub_.target(),
         .request_timeout = absl::Seconds(10),
         .backoff = {.initial = absl::Milliseconds(5), .max = absl::Milliseconds(20)}});
  }

  std::unique_ptr<Producer> Open(ProducerOptions options = OneByOne()) {
    auto producer = Producer::Open(Connect(), std::move(options));
    EXPECT_TRUE(producer.ok()) << producer.status();
    return producer.ok() ? std::move(*producer) : nullptr;
  }

  // Sends "first" to "last", as values, and notes what becomes of each.
  void SendNumbers(Producer& producer, int first, int last, std::string_view topic = "orders",
                   std::optional<int32_t> partition = 0) {
    for (int i = first; i <= last; ++i) {
      const std::string value = std::to_string(i);
      const absl::Status sent = producer.Send(
          topic, partition, {.value = value}, [this, value](const absl::StatusOr<Delivery>& d) {
            std::lock_guard lock(mutex_);
            told_.push_back(d.ok() ? value : value + "!" + ReasonOf(d.status()));
            if (d.ok()) offsets_.push_back(d->offset);
          });
      ASSERT_TRUE(sent.ok()) << sent;
    }
  }

  static std::vector<std::string> Numbers(int first, int last) {
    std::vector<std::string> numbers;
    for (int i = first; i <= last; ++i) numbers.push_back(std::to_string(i));
    return numbers;
  }

  std::vector<std::string> told() {
    std::lock_guard lock(mutex_);
    return told_;
  }

  FakeHub hub_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  std::vector<int64_t> offsets_;
};

TEST_F(ProducerTest, DeliversInOrderAndTellsWhere) {
  auto producer = Open();
  SendNumbers(*producer, 1, 100);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 100));
  EXPECT_EQ(told(), Numbers(1, 100));
  ASSERT_EQ(offsets_.size(), 100u);
  EXPECT_EQ(offsets_.front(), 0);
  EXPECT_EQ(offsets_.back(), 99);
  EXPECT_EQ(producer->statistics().records_delivered, 100);
}

TEST_F(ProducerTest, TellsThePlaceOfEachRecordOfARequestThatWentToSeveralPartitions) {
  auto producer = Open({.linger = absl::Hours(1)});
  std::vector<std::future<absl::StatusOr<Delivery>>> deliveries;
  for (const char* key : {"2-a", "0-b", "2-c", "1-d", "2-e"}) {
    deliveries.push_back(producer->SendAsync("orders", {.key = key, .value = key}));
  }
  ASSERT_TRUE(producer->Flush(kLong).ok());
  const std::vector<std::pair<int, int>> places = {{2, 0}, {0, 0}, {2, 1}, {1, 0}, {2, 2}};
  for (size_t i = 0; i < deliveries.size(); ++i) {
    const absl::StatusOr<Delivery> delivery = deliveries[i].get();
    ASSERT_TRUE(delivery.ok());
    EXPECT_EQ(std::make_pair(delivery->partition, static_cast<int>(delivery->offset)), places[i])
        << i;
  }
  EXPECT_EQ(hub_.produce_requests().size(), 1u);
}

TEST_F(ProducerTest, LosesAndDoublesNothingWhereverTheStreamIsCut) {
  for (const auto action : {ProduceVerdict::kCutBeforeStore, ProduceVerdict::kCutAfterStore}) {
    for (int cut = 1; cut <= 12; ++cut) {
      FakeHub hub;
      hub.CreateTopic("orders", 1);
      hub.SetProduceScript([&](const v1::ProduceRequest&, int count) {
        return ProduceVerdict{count == cut ? action : ProduceVerdict::kHandle};
      });
      auto producer = Producer::Open(
          *Connection::Open(
              {.target = hub.target(),
               .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(5)}}),
          OneByOne());
      ASSERT_TRUE(producer.ok()) << producer.status();
      for (const std::string& value : Numbers(1, 12)) {
        ASSERT_TRUE((*producer)->Send("orders", 0, {.value = value}).ok());
      }
      ASSERT_TRUE((*producer)->Flush(kLong).ok());
      EXPECT_EQ(hub.Values("orders", 0), Numbers(1, 12)) << "cut at " << cut;
      EXPECT_EQ((*producer)->statistics().reconnects, 1);
      EXPECT_EQ(hub.opened_epochs(), 1);
    }
  }
}

TEST_F(ProducerTest, LosesAndDoublesNothingWhenEverySeventhRequestIsCutAfterItWasStored) {
  hub_.SetProduceScript([&](const v1::ProduceRequest&, int count) {
    return ProduceVerdict{count % 7 == 0 ? ProduceVerdict::kCutAfterStore
                                         : ProduceVerdict::kHandle};
  });
  auto producer = Open();
  SendNumbers(*producer, 1, 60);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 60));
  EXPECT_EQ(told(), Numbers(1, 60));
  EXPECT_GT(producer->statistics().duplicates, 0);
}

TEST_F(ProducerTest, GoesOnWhenTheHubIsKilledAndComesBack) {
  auto producer = Open();
  SendNumbers(*producer, 1, 50);
  ASSERT_TRUE(hub_.WaitFor([&] { return hub_.Values("orders", 0).size() >= 10; }));
  hub_.Kill();
  SendNumbers(*producer, 51, 100);
  hub_.Restart();
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 100));
  EXPECT_EQ(told(), Numbers(1, 100));
}

TEST_F(ProducerTest, FailsOnlyTheRecordsOfARefusedRequest) {
  auto producer = Open();
  SendNumbers(*producer, 1, 5);
  SendNumbers(*producer, 6, 7, "no-such-topic");
  SendNumbers(*producer, 8, 20);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  std::vector<std::string> stored = Numbers(1, 5);
  for (const std::string& number : Numbers(8, 20)) stored.push_back(number);
  EXPECT_EQ(hub_.Values("orders", 0), stored);
  const std::vector<std::string> all = told();
  EXPECT_EQ(std::count(all.begin(), all.end(), "6!TOPIC_NOT_FOUND"), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), "7!TOPIC_NOT_FOUND"), 1);
  EXPECT_EQ(all.size(), 20u);
}

TEST_F(ProducerTest, KeepsOrderWhenRefusalsAndCutsComeTogether) {
  hub_.SetProduceScript([&](const v1::ProduceRequest& request, int count) {
    if (count % 11 == 0) return ProduceVerdict{ProduceVerdict::kCutAfterStore};
    if (count % 13 == 0) return ProduceVerdict{ProduceVerdict::kCutBeforeStore};
    return ProduceVerdict{};
  });
  auto producer = Open();
  std::vector<std::string> stored;
  for (int i = 1; i <= 90; ++i) {
    const bool refused = i % 5 == 0;
    SendNumbers(*producer, i, i, refused ? "no-such-topic" : "orders");
    if (!refused) stored.push_back(std::to_string(i));
  }
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), stored);
  EXPECT_EQ(told().size(), 90u);
}

TEST_F(ProducerTest, RepeatsInOrderWhatTheHubCouldNotTakeYet) {
  std::atomic<int> refusals = 3;
  hub_.SetProduceScript([&](const v1::ProduceRequest& request, int count) {
    if (count < 3 || refusals-- <= 0) return ProduceVerdict{};
    v1::RequestError full = MakeRequestError(8, "DISK_FULL");
    full.mutable_retry_after()->set_nanos(1000000);
    return ProduceVerdict{ProduceVerdict::kRefuse, full};
  });
  auto producer = Open();
  SendNumbers(*producer, 1, 30);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 30));
  EXPECT_EQ(told(), Numbers(1, 30));
}

TEST_F(ProducerTest, IsStoppedForGoodByItsSuccessor) {
  auto producer = Open();
  SendNumbers(*producer, 1, 3);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  hub_.FenceProducers();
  SendNumbers(*producer, 4, 4);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(told().back(), "4!PRODUCER_FENCED");
  EXPECT_EQ(ReasonOf(producer->Send("orders", {.value = "5"})), "PRODUCER_FENCED");
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 3));
}

TEST_F(ProducerTest, OpensItselfAnewAtAHubThatForgotIt) {
  auto producer = Open();
  SendNumbers(*producer, 1, 3);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  hub_.ForgetProducers();
  SendNumbers(*producer, 4, 20);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 20));
  EXPECT_EQ(hub_.opened_epochs(), 2);
}

TEST_F(ProducerTest, GoesOnUnderAStableNameWhereItsPredecessorStopped) {
  ProducerOptions options = OneByOne();
  options.producer_id = "importer";
  auto first = Open(options);
  SendNumbers(*first, 1, 5);
  ASSERT_TRUE(first->Close(kLong).ok());
  auto second = Open(options);
  EXPECT_EQ(second->producer_id(), "importer");
  SendNumbers(*second, 6, 9);
  ASSERT_TRUE(second->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 9));
  EXPECT_EQ(hub_.produce_requests().back().sequence().sequence(), 9);
}

TEST_F(ProducerTest, CollectsRecordsIntoOneRequestWhileTheyLinger) {
  auto producer = Open({.linger = absl::Hours(1)});
  SendNumbers(*producer, 1, 1000);
  EXPECT_TRUE(hub_.produce_requests().empty());
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.produce_requests().size(), 1u);
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 1000));
}

TEST_F(ProducerTest, SendsWhatHasLingeredWithoutBeingAsked) {
  auto producer = Open({.linger = absl::Milliseconds(1)});
  SendNumbers(*producer, 1, 1);
  EXPECT_TRUE(hub_.WaitFor([&] { return hub_.Values("orders", 0).size() == 1; }));
}

TEST_F(ProducerTest, ForgetsNoLingeringRecordWhileItWrites) {
  auto producer = Open({.linger = absl::Milliseconds(1), .delivery_timeout = absl::Seconds(5)});
  for (int i = 0; i < 300; ++i) {
    const absl::StatusOr<Delivery> delivery =
        producer->SendAsync("orders", {.value = "x"}, 0).get();
    ASSERT_TRUE(delivery.ok()) << delivery.status();
    ASSERT_EQ(delivery->offset, i);
  }
}

TEST_F(ProducerTest, SendsAFullBatchWithoutLingering) {
  auto producer = Open({.linger = absl::Hours(1), .batch_bytes = 1000});
  SendNumbers(*producer, 1000, 1999);
  ASSERT_TRUE(hub_.WaitFor([&] { return hub_.Values("orders", 0).size() >= 900; }));
  for (const v1::ProduceRequest& request : hub_.produce_requests()) {
    EXPECT_LE(request.ByteSizeLong(), 1000u + 100);
  }
  producer = Open({.linger = absl::Hours(1), .batch_records = 10});
  SendNumbers(*producer, 1, 10);
  ASSERT_TRUE(hub_.WaitFor([&] { return hub_.produce_requests().back().records_size() == 10; }));
}

TEST_F(ProducerTest, KeepsRequestsUnderTheHubsLimits) {
  v1::Limits limits;
  limits.set_max_request_bytes(5000);
  limits.set_max_request_records(7);
  hub_.SetLimits(limits);
  auto producer = Open({.linger = absl::Hours(1)});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(producer->Send("orders", 0, {.value = std::string(i * 10, 'x')}).ok());
  }
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0).size(), 100u);
  for (const v1::ProduceRequest& request : hub_.produce_requests()) {
    EXPECT_LE(request.ByteSizeLong(), 5000u);
    EXPECT_LE(request.records_size(), 7);
  }
}

TEST_F(ProducerTest, RefusesARecordOverTheHubsLimitsAtOnce) {
  v1::Limits limits;
  limits.set_max_record_bytes(100);
  limits.set_max_key_bytes(10);
  limits.set_max_record_headers(1);
  hub_.SetLimits(limits);
  auto producer = Open();
  // 98 bytes, a tag and a length.
  EXPECT_TRUE(producer->Send("orders", {.value = std::string(98, 'x')}).ok());
  EXPECT_EQ(ReasonOf(producer->Send("orders", {.value = std::string(99, 'x')})),
            "RECORD_TOO_LARGE");
  EXPECT_EQ(ReasonOf(producer->Send("orders", {.key = "12345678901"})), "RECORD_TOO_LARGE");
  EXPECT_EQ(ReasonOf(producer->Send("orders", {.headers = {{"a", ""}, {"b", ""}}})),
            "RECORD_TOO_LARGE");
  EXPECT_EQ(producer->Send("orders", {.headers = {{"\xff", ""}}}).code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0).size(), 1u);
}

TEST_F(ProducerTest, BoundsItsBufferAndTakesMoreWhenAnswersCome) {
  hub_.SetProduceScript(
      [](const v1::ProduceRequest&, int) { return ProduceVerdict{ProduceVerdict::kHold}; });
  ProducerOptions options = OneByOne();
  options.max_buffered_bytes = 1000;
  auto producer = Open(options);
  const Record record{.value = std::string(100, 'x')};
  int accepted = 0;
  absl::Status refused;
  while ((refused = producer->TrySend("orders", 0, record)).ok()) ++accepted;
  EXPECT_EQ(ReasonOf(refused), "BUFFER_FULL");
  EXPECT_EQ(accepted, 9);
  std::thread releaser([&] { hub_.ReleaseHeld(); });
  EXPECT_TRUE(producer->Send("orders", 0, record).ok());
  releaser.join();
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0).size(), 10u);
}

TEST_F(ProducerTest, NeverHasMoreRequestsUnansweredThanItsWindow) {
  hub_.SetProduceScript(
      [](const v1::ProduceRequest&, int) { return ProduceVerdict{ProduceVerdict::kHold}; });
  auto producer = Open();
  SendNumbers(*producer, 1, 20);
  ASSERT_TRUE(hub_.WaitFor([&] { return !hub_.produce_requests().empty(); }));
  EXPECT_FALSE(producer->Flush(absl::Milliseconds(50)).ok());
  EXPECT_EQ(producer->statistics().requests_sent, 4);
  hub_.ReleaseHeld();
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 20));
}

TEST_F(ProducerTest, GivesUpRecordsAfterTheDeliveryTimeout) {
  auto producer =
      Open({.linger = absl::ZeroDuration(), .delivery_timeout = absl::Milliseconds(100)});
  hub_.Kill();
  SendNumbers(*producer, 1, 2);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(told(), (std::vector<std::string>{"1!DELIVERY_TIMEOUT", "2!DELIVERY_TIMEOUT"}));
  hub_.Restart();
  const absl::Time give_up = absl::Now() + kLong;
  while (hub_.Values("orders", 0).empty() && absl::Now() < give_up) {
    SendNumbers(*producer, 3, 3);
    (void)producer->Flush(kLong);
  }
  EXPECT_EQ(told().back(), "3");
}

TEST_F(ProducerTest, FlushTellsTheFirstErrorThatNoCallbackHeard) {
  auto producer = Open();
  ASSERT_TRUE(producer->Send("no-such-topic", {.value = "1"}).ok());
  EXPECT_EQ(ReasonOf(producer->Flush(kLong)), "TOPIC_NOT_FOUND");
  EXPECT_TRUE(producer->Flush(kLong).ok());
}

TEST_F(ProducerTest, CloseDeliversWhatWasTakenInAndRefusesTheRest) {
  auto producer = Open({.linger = absl::Hours(1)});
  SendNumbers(*producer, 1, 10);
  EXPECT_TRUE(producer->Close(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 10));
  EXPECT_EQ(ReasonOf(producer->Send("orders", {.value = "11"})), "CLOSED");
  EXPECT_TRUE(producer->Close(kLong).ok());
}

TEST_F(ProducerTest, CloseInTimeFailsWhatIsNotDelivered) {
  hub_.SetProduceScript(
      [](const v1::ProduceRequest&, int) { return ProduceVerdict{ProduceVerdict::kHold}; });
  auto producer = Open();
  SendNumbers(*producer, 1, 3);
  EXPECT_FALSE(producer->Close(absl::Milliseconds(20)).ok());
  EXPECT_EQ(told(), (std::vector<std::string>{"1!CLOSED", "2!CLOSED", "3!CLOSED"}));
}

TEST_F(ProducerTest, WaitsForAHubThatIsNotThereYet) {
  hub_.Kill();
  std::thread restarter([&] { hub_.Restart(); });
  auto producer = Open();
  restarter.join();
  SendNumbers(*producer, 1, 1);
  EXPECT_TRUE(producer->Flush(kLong).ok());
}

TEST_F(ProducerTest, SaysSoWhenThereIsNoHub) {
  auto connection =
      *Connection::Open({.target = "127.0.0.1:1", .request_timeout = absl::Milliseconds(200)});
  EXPECT_EQ(Producer::Open(connection).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ProducerTest, SendsWithoutNumbersWhereTheEngineKeepsNone) {
  hub_.SetProducerSequences(false);
  auto producer = Open();
  EXPECT_EQ(producer->producer_id(), "");
  SendNumbers(*producer, 1, 10);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.Values("orders", 0), Numbers(1, 10));
  EXPECT_FALSE(hub_.produce_requests().front().has_sequence());
  hub_.SetProduceScript([](const v1::ProduceRequest&, int) {
    return ProduceVerdict{ProduceVerdict::kCutBeforeStore};
  });
  SendNumbers(*producer, 11, 11);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(told().back(), "11!");
}

TEST_F(ProducerTest, AsksForTheDurabilityThatItWasGiven) {
  ProducerOptions options = OneByOne();
  options.durability = Durability::kBuffered;
  auto producer = Open(options);
  SendNumbers(*producer, 1, 1);
  ASSERT_TRUE(producer->Flush(kLong).ok());
  EXPECT_EQ(hub_.produce_requests().front().durability(), v1::DURABILITY_BUFFERED);
}

TEST_F(ProducerTest, TakesRecordsFromManyThreads) {
  auto producer = Open({.linger = absl::Milliseconds(1), .batch_bytes = 500});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i) {
        const std::string value = std::to_string(thread) + "-" + std::to_string(i);
        EXPECT_TRUE(producer->SendBytes("orders", 0, std::nullopt, value).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(producer->Flush(kLong).ok());
  std::vector<int> next(4, 0);
  for (const std::string& value : hub_.Values("orders", 0)) {
    EXPECT_EQ(value.substr(2), std::to_string(next[value[0] - '0']++));
  }
  EXPECT_EQ(next, std::vector<int>(4, 500));
}

}  // namespace
}  // namespace millrace::client
