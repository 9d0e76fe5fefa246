// The consumer against a hub that misbehaves: every record once, in order, whatever happens.
#include "millrace/consumer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/client/consumer_fixture.h"

namespace millrace::client {
namespace {

TEST_F(ConsumerTest, ReturnsEveryRecordWithItsPlace) {
  hub_.CreateTopic("orders", 2);
  hub_.Append("orders", 0, Numbers(1, 25));
  auto consumer = Open(FromTheStart());
  int64_t next = 0;
  while (next < 25) {
    auto record = consumer->Next(kLong);
    ASSERT_TRUE(record.ok()) << record.status();
    if (!record->has_value()) continue;  // Only an event came.
    EXPECT_EQ((*record)->offset, next);
    EXPECT_EQ((*record)->topic, "orders");
    EXPECT_EQ((*record)->partition, 0);
    EXPECT_EQ((*record)->log_epoch, 1);
    EXPECT_EQ((*record)->value, std::to_string(++next));
  }
  EXPECT_EQ(consumer->Positions().at(0).offset, 25);
  EXPECT_EQ(consumer->lag(), 0);
}

TEST_F(ConsumerTest, BeginsAfterTheEndUnlessToldOtherwise) {
  hub_.Append("orders", 0, Numbers(1, 5));
  auto consumer = Open({.topics = {"orders"}});
  hub_.Append("orders", 0, Numbers(6, 8));
  EXPECT_EQ(Take(*consumer, 3), Numbers(6, 8));
}

TEST_F(ConsumerTest, BeginsAtThePositionsItIsGiven) {
  hub_.CreateTopic("orders", 3);
  for (int partition : {0, 1, 2}) hub_.Append("orders", partition, Numbers(1, 4));
  auto consumer = Open({.positions = {{.topic = "orders", .partition = 2, .offset = 3}}});
  EXPECT_EQ(Take(*consumer, 1), Numbers(4, 4));
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(20))->empty());
}

TEST_F(ConsumerTest, TellsEventsInTheirPlaceBetweenTheRecords) {
  hub_.Append("orders", 0, Numbers(1, 15));
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 14), Numbers(1, 14));
  EXPECT_EQ(events_, (std::vector<std::string>{"connected", "assigned:1"}));
  EXPECT_EQ(Take(*consumer, 1), Numbers(15, 15));
  EXPECT_EQ(events_.size(), 2u);
  EXPECT_TRUE(SawEvent(*consumer, "caught_up:1"));
}

TEST_F(ConsumerTest, EndsAtTheEndWhereItWasAskedTo) {
  hub_.Append("orders", 0, Numbers(1, 15));
  ConsumerOptions options = FromTheStart();
  options.end_at_current = true;
  auto consumer = Open(std::move(options));
  std::vector<std::string> values;
  while (!consumer->ended()) {
    auto records = consumer->Poll(kLong);
    ASSERT_TRUE(records.ok()) << records.status();
    for (const ReceivedRecord& record : *records) values.push_back(*record.value);
  }
  EXPECT_EQ(values, Numbers(1, 15));
  EXPECT_EQ(hub_.subscribe_requests().size(), 1u);
}

// The independent reader's stream breaks instead of its k-th frame, for every k.
TEST_F(ConsumerTest, LosesAndRepeatsNothingWhicheverFrameIsCut) {
  for (int cut = 0; cut < 9; ++cut) {
    FakeHub hub;
    hub.CreateTopic("orders", 2);
    hub.SetBatchRecords(3);
    hub.Append("orders", 0, Numbers(1, 10));
    hub.SetFrameScript([cut](const v1::SubscribeResponse&, int stream, int index) {
      return stream == 1 && index == cut;
    });
    auto consumer = Consumer::Open(
        ConnectTo(hub),
        {.topics = {"orders"}, .start = Earliest(), .heartbeat_interval = absl::Milliseconds(100)});
    ASSERT_TRUE(consumer.ok()) << consumer.status();
    EXPECT_EQ(Take(**consumer, 10), Numbers(1, 10)) << "cut at " << cut;
    ASSERT_TRUE(hub.WaitFor([&] { return hub.subscribe_requests().size() == 2; })) << cut;
    hub.Append("orders", 0, Numbers(11, 12));
    EXPECT_EQ(Take(**consumer, 2), Numbers(11, 12)) << "cut at " << cut;
  }
}

TEST_F(ConsumerTest, SubscribesAgainBehindTheLastRecordItReceived) {
  hub_.Append("orders", 0, Numbers(1, 10));
  hub_.SetFrameScript([](const v1::SubscribeResponse& frame, int stream, int) {
    return stream == 1 && frame.has_caught_up();
  });
  auto consumer = Open(FromTheStart());
  ASSERT_TRUE(hub_.WaitFor([&] { return hub_.subscribe_requests().size() == 2; }));
  const v1::SubscribeRequest request = hub_.subscribe_requests().back();
  ASSERT_EQ(request.positions_size(), 1);
  EXPECT_EQ(request.positions(0).offset(), 10);
  EXPECT_EQ(request.positions(0).log_epoch(), 1);
  EXPECT_EQ(Take(*consumer, 10), Numbers(1, 10));
}

TEST_F(ConsumerTest, MissesNothingOfAPartitionThatCameWhileItWasAway) {
  hub_.Append("orders", 0, Numbers(1, 3));
  ConsumerOptions options = FromTheStart();
  options.start = Latest();
  auto consumer = Open(std::move(options));
  ASSERT_TRUE(SawEvent(*consumer, "caught_up:1"));
  hub_.Kill();
  hub_.CreateTopic("orders", 2);
  hub_.Append("orders", 1, Numbers(4, 5));
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 2), Numbers(4, 5));
}

TEST_F(ConsumerTest, GoesOnAfterTheHubWasKilled) {
  hub_.SetBatchRecords(5);
  hub_.Append("orders", 0, Numbers(1, 40));
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 7), Numbers(1, 7));
  hub_.Kill();
  hub_.Append("orders", 0, Numbers(41, 50));
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 43), Numbers(8, 50));
}

TEST_F(ConsumerTest, DropsBatchesOfAnOlderPosition) {
  hub_.SetSubscribeScript([](grpc::ServerContext& context, const v1::SubscribeRequest&, int,
                             FakeHub::SubscribeWriter& writer) {
    const auto batch = [&](int64_t epoch, int64_t offset, const std::string& value) {
      v1::SubscribeResponse frame;
      v1::RecordBatch& out = *frame.mutable_batches()->add_batches();
      out.set_topic("orders");
      out.set_base_offset(offset);
      out.set_position_epoch(epoch);
      out.add_records()->set_value(value);
      writer.Write(frame);
    };
    v1::SubscribeResponse frame;
    frame.mutable_session_started()->set_session_id("s");
    writer.Write(frame);
    v1::Assignment& assignment = *frame.mutable_assigned()->add_assignments();
    assignment.set_topic("orders");
    assignment.set_position_epoch(5);
    writer.Write(frame);
    batch(4, 0, "too old");
    batch(5, 0, "a");
    v1::Repositioned& moved = *frame.mutable_repositioned();
    moved.set_topic("orders");
    moved.set_from_offset(1);
    moved.set_to_offset(0);
    moved.set_position_epoch(6);
    moved.set_cause(v1::REPOSITION_CAUSE_RESET);
    writer.Write(frame);
    batch(5, 1, "too old");
    batch(6, 0, "a again");
    batch(6, 1, "b");
    while (!context.IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return grpc::Status::OK;
  });
  auto consumer = Open(FromTheStart());
  const std::vector<std::string> values = Take(*consumer, 2);
  // What was buffered when the position moved is void, too, unless it was returned before.
  if (values == std::vector<std::string>{"a", "a again"}) {
    EXPECT_EQ(Take(*consumer, 1), std::vector<std::string>{"b"});
  } else {
    EXPECT_EQ(values, (std::vector<std::string>{"a again", "b"}));
  }
}

TEST_F(ConsumerTest, ReconnectsToAHubThatFellSilent) {
  std::atomic<bool> silent = true;
  hub_.Append("orders", 0, Numbers(1, 3));
  hub_.SetSubscribeScript([&](grpc::ServerContext& context, const v1::SubscribeRequest&, int,
                              FakeHub::SubscribeWriter& writer) {
    v1::SubscribeResponse frame;
    frame.mutable_session_started()->set_session_id("s");
    writer.Write(frame);
    while (silent && !context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "");
  });
  ConsumerOptions options = FromTheStart();
  options.heartbeat_interval = absl::Milliseconds(20);
  auto consumer = Open(std::move(options));
  ASSERT_TRUE(hub_.WaitFor([&] { return hub_.subscribe_requests().size() >= 2; }));
  hub_.SetSubscribeScript(nullptr);
  EXPECT_EQ(Take(*consumer, 3), Numbers(1, 3));
}

// While the buffer is full nothing can be heard; after that silence counts again.
TEST_F(ConsumerTest, NoticesSilenceAfterItsBufferWasFull) {
  std::atomic<bool> over = false;
  hub_.SetSubscribeScript([&](grpc::ServerContext& context, const v1::SubscribeRequest&, int,
                              FakeHub::SubscribeWriter& writer) {
    v1::SubscribeResponse frame;
    frame.mutable_session_started()->set_session_id("s");
    writer.Write(frame);
    frame.mutable_assigned()->add_assignments()->set_topic("orders");
    writer.Write(frame);
    v1::RecordBatch& batch = *frame.mutable_batches()->add_batches();
    batch.set_topic("orders");
    batch.add_records()->set_value(std::string(1000, 'x'));
    writer.Write(frame);
    while (!over && !context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "");
  });
  ConsumerOptions options = FromTheStart();
  options.heartbeat_interval = absl::Milliseconds(20);
  options.prefetch_bytes = 500;
  auto consumer = Open(std::move(options));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(hub_.subscribe_requests().size(), 1u) << "the caller is slow, not the hub";
  EXPECT_EQ(Take(*consumer, 1).size(), 1u);
  EXPECT_TRUE(hub_.WaitFor([&] { return hub_.subscribe_requests().size() >= 2; }));
  over = true;
}

TEST_F(ConsumerTest, StaysWithAHubThatSendsHeartbeats) {
  ConsumerOptions options = FromTheStart();
  options.heartbeat_interval = absl::Milliseconds(20);
  auto consumer = Open(std::move(options));
  std::atomic<int> heartbeats = 0;
  hub_.SetFrameScript(nullptr);
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(300)).ok());
  EXPECT_EQ(hub_.subscribe_requests().size(), 1u);
}

TEST_F(ConsumerTest, ComesBackWhenAnEndingFrameSaysSo) {
  hub_.Append("orders", 0, Numbers(1, 3));
  hub_.SetSubscribeScript([&](grpc::ServerContext&, const v1::SubscribeRequest&, int,
                              FakeHub::SubscribeWriter& writer) {
    hub_.SetSubscribeScript(nullptr);
    v1::SubscribeResponse frame;
    frame.mutable_session_started()->set_session_id("s");
    writer.Write(frame);
    v1::Ending& ending = *frame.mutable_ending();
    ending.set_reason(v1::ENDING_REASON_DRAINING);
    ending.set_retry(true);
    ending.mutable_retry_after()->set_nanos(1000000);
    writer.Write(frame);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  });
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 3), Numbers(1, 3));
  EXPECT_EQ(hub_.subscribe_requests().size(), 2u);
}

TEST_F(ConsumerTest, StaysAwayWhenAnotherStreamTookItsPlace) {
  hub_.SetSubscribeScript([&](grpc::ServerContext&, const v1::SubscribeRequest&, int,
                              FakeHub::SubscribeWriter& writer) {
    v1::SubscribeResponse frame;
    frame.mutable_session_started()->set_session_id("s");
    writer.Write(frame);
    frame.mutable_ending()->set_reason(v1::ENDING_REASON_INSTANCE_REPLACED);
    writer.Write(frame);
    return grpc::Status::OK;
  });
  auto consumer = Consumer::Open(ConnectTo(hub_), FromTheStart());
  absl::Status status = consumer.status();
  while (status.ok()) status = (*consumer)->Poll(kLong).status();
  EXPECT_EQ(ReasonOf(status), "INSTANCE_REPLACED");
  EXPECT_EQ(hub_.subscribe_requests().size(), 1u);
}

TEST_F(ConsumerTest, SaysAtOnceWhatTheHubRefuses) {
  const auto consumer = Consumer::Open(ConnectTo(hub_), {.topics = {"no-such-topic"}});
  EXPECT_EQ(ReasonOf(consumer.status()), "TOPIC_NOT_FOUND");
  EXPECT_EQ(MetadataOf(consumer.status()).at("topic"), "no-such-topic");
  const auto unreachable = Consumer::Open(
      *Connection::Open({.target = "127.0.0.1:1", .request_timeout = absl::Milliseconds(100)}),
      {.topics = {"orders"}});
  EXPECT_EQ(unreachable.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ConsumerTest, GivesUpAHubThatStaysAwayTooLong) {
  ConsumerOptions options = FromTheStart();
  options.reconnect_timeout = absl::Milliseconds(50);
  auto consumer = Open(std::move(options));
  hub_.Kill();
  absl::Status status;
  while (status.ok()) status = consumer->Poll(kLong).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TEST_F(ConsumerTest, LeavesOutAPartitionThatRetentionOvertookAndReadsTheOthers) {
  hub_.CreateTopic("orders", 2);
  hub_.Append("orders", 0, Numbers(1, 2));
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 2), Numbers(1, 2));
  hub_.Kill();
  hub_.Append("orders", 0, Numbers(3, 9));
  hub_.Truncate("orders", 0, 5);
  hub_.Append("orders", 1, Numbers(100, 101));
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 2), Numbers(100, 101));
  EXPECT_EQ(std::count(events_.begin(), events_.end(), "failed:0:OFFSET_OUT_OF_RANGE"), 1);
  const auto sought = consumer->Seek({{.partition = {"orders", 0}, .target = int64_t{5}}});
  ASSERT_TRUE(sought.ok()) << sought.status();
  EXPECT_EQ(Take(*consumer, 4), Numbers(6, 9));
}

TEST_F(ConsumerTest, DoesNotTakeAReplacedLogForTheOldOne) {
  hub_.CreateTopic("payments", 1);
  hub_.Append("orders", 0, Numbers(1, 3));
  ConsumerOptions options = FromTheStart();
  options.topics = {"orders", "payments"};
  auto consumer = Open(std::move(options));
  EXPECT_EQ(Take(*consumer, 3), Numbers(1, 3));
  hub_.Kill();
  hub_.ReplaceTopic("orders");
  hub_.Append("orders", 0, Numbers(1, 9));
  hub_.Append("payments", 0, {"paid"});
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 1), std::vector<std::string>{"paid"});
  EXPECT_EQ(std::count(events_.begin(), events_.end(), "failed:0:LOG_EPOCH_CHANGED"), 1);
}

TEST_F(ConsumerTest, ReadsNoFurtherAheadThanItsBuffer) {
  hub_.SetBatchRecords(1);
  std::vector<std::string> values(200, std::string(100 << 10, 'x'));
  hub_.Append("orders", 0, values);
  std::atomic<int> sent = 0;
  hub_.SetFrameScript([&](const v1::SubscribeResponse& frame, int, int) {
    sent += frame.has_batches();
    return false;
  });
  ConsumerOptions options = FromTheStart();
  options.prefetch_bytes = 256 << 10;
  auto consumer = Open(std::move(options));
  ASSERT_TRUE(hub_.WaitFor([&] { return sent >= 3; }));
  // Besides the buffer, the connection holds what its flow control window takes.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(sent, 150);
  EXPECT_EQ(Take(*consumer, 200).size(), 200u);
}

TEST_F(ConsumerTest, MovesOnSeekAndForgetsWhatItHadBuffered) {
  hub_.SetBatchRecords(2);
  hub_.Append("orders", 0, Numbers(1, 20));
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 5), Numbers(1, 5));
  auto sought = consumer->Seek({{.partition = {"orders", 0}, .target = int64_t{17}}});
  ASSERT_TRUE(sought.ok()) << sought.status();
  EXPECT_EQ(sought->at(0).offset, 17);
  EXPECT_EQ(Take(*consumer, 3), Numbers(18, 20));
  sought = consumer->Seek({{.partition = {"orders", 0}, .target = StartPosition(Earliest())}});
  ASSERT_TRUE(sought.ok());
  EXPECT_EQ(Take(*consumer, 20), Numbers(1, 20));
  sought = consumer->Seek({{.partition = {"orders", 0}, .target = int64_t{21}}});
  EXPECT_EQ(ReasonOf(sought->at(0).status), "OFFSET_OUT_OF_RANGE");
}

TEST_F(ConsumerTest, SeeksOverARestartOfTheHubThoughItsBufferIsFull) {
  hub_.SetBatchRecords(1);
  hub_.Append("orders", 0, std::vector<std::string>(20, std::string(1000, 'x')));
  hub_.Append("orders", 0, Numbers(21, 25));
  std::atomic<int> sent = 0;
  hub_.SetFrameScript([&](const v1::SubscribeResponse& frame, int, int) {
    sent += frame.has_batches();
    return false;
  });
  ConsumerOptions options = FromTheStart();
  options.prefetch_bytes = 2000;
  auto consumer = Open(std::move(options));
  ASSERT_TRUE(hub_.WaitFor([&] { return sent >= 4; }));
  hub_.Kill();
  hub_.Restart();
  const auto sought = consumer->Seek({{.partition = {"orders", 0}, .target = int64_t{20}}});
  ASSERT_TRUE(sought.ok()) << sought.status();
  EXPECT_TRUE(sought->at(0).status.ok()) << sought->at(0).status;
  EXPECT_EQ(Take(*consumer, 5), Numbers(21, 25));
}

TEST_F(ConsumerTest, KeepsASoughtPositionOverAReconnect) {
  hub_.Append("orders", 0, Numbers(1, 20));
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 20), Numbers(1, 20));
  ASSERT_TRUE(consumer->Seek({{.partition = {"orders", 0}, .target = int64_t{10}}}).ok());
  hub_.Kill();
  hub_.Restart();
  EXPECT_EQ(Take(*consumer, 10), Numbers(11, 20));
}

TEST_F(ConsumerTest, ReturnsNothingOfAPausedPartitionUntilItIsResumed) {
  hub_.CreateTopic("orders", 2);
  hub_.SetBatchRecords(2);
  hub_.Append("orders", 0, Numbers(1, 6));
  auto consumer = Open(FromTheStart());
  EXPECT_EQ(Take(*consumer, 1), Numbers(1, 1));
  ASSERT_TRUE(consumer->Pause({{"orders", 0}}).ok());
  hub_.Append("orders", 1, Numbers(100, 102));
  EXPECT_EQ(Take(*consumer, 3), Numbers(100, 102));
  EXPECT_TRUE(consumer->Poll(absl::Milliseconds(30))->empty());
  // A new session is told as well.
  hub_.Kill();
  hub_.Append("orders", 0, Numbers(7, 8));
  hub_.Restart();
  hub_.Append("orders", 1, Numbers(103, 103));
  EXPECT_EQ(Take(*consumer, 1), Numbers(103, 103));
  ASSERT_TRUE(consumer->Resume({{"orders", 0}}).ok());
  EXPECT_EQ(Take(*consumer, 7), Numbers(2, 8));
  EXPECT_EQ(ReasonOf(consumer->Pause({{"orders", 7}})), "PARTITION_NOT_ASSIGNED");
}

TEST_F(ConsumerTest, WakesAPollFromAnotherThread) {
  auto consumer = Open({.topics = {"orders"}});
  std::thread waker([&] { consumer->Wake(); });
  EXPECT_TRUE(consumer->Poll(kLong)->empty());
  waker.join();
}

TEST_F(ConsumerTest, RefusesToPollOnceItIsClosed) {
  auto consumer = Open({.topics = {"orders"}});
  consumer->Close();
  consumer->Close();
  EXPECT_EQ(ReasonOf(consumer->Poll(kLong).status()), "CLOSED");
}

// ---- Groups

}  // namespace
}  // namespace millrace::client
