#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/streams/served_hub.h"

namespace millrace::server {
namespace {

class SubscribeStreamTest : public ServedHub {
 protected:
  SubscribeStreamTest() { CreateTopic("orders"); }

  static v1::SubscribeRequest FromTheBeginning() {
    v1::SubscribeRequest request;
    request.add_topics("orders");
    request.mutable_start()->set_earliest(true);
    return request;
  }

  // Waits until the hub has let go of every subscription.
  bool AllClosed() {
    for (int i = 0; i < 3000; ++i) {
      if (hub_.subscriptions().count() == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
};

TEST_F(SubscribeStreamTest, DeliversBatchesThatProtobufReads) {
  Produce("orders", "small");
  Produce("orders", std::string(100'000, 'L'));  // Shared with the log instead of copied.
  grpc::ClientContext context;
  v1::SubscribeRequest request = FromTheBeginning();
  request.set_end_at_current(true);
  const auto stream = stub_->Subscribe(&context, request);
  std::vector<std::string> values;
  v1::SubscribeResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_session_started());
  while (stream->Read(&response)) {
    for (const v1::RecordBatch& batch : response.batches().batches()) {
      EXPECT_EQ(batch.topic(), "orders");
      EXPECT_EQ(batch.partition(), 0);
      EXPECT_EQ(batch.base_offset(), static_cast<int64_t>(values.size()));
      EXPECT_EQ(batch.high_watermark(), 2);
      EXPECT_EQ(batch.position_epoch(), 1);
      EXPECT_EQ(batch.log_epoch(), engine_.log_epoch().value());
      EXPECT_GT(batch.append_time().seconds(), 0);
      for (const v1::Record& record : batch.records()) values.push_back(record.value());
    }
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(response.has_ending());
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0], "small");
  EXPECT_EQ(values[1], std::string(100'000, 'L'));
}

TEST_F(SubscribeStreamTest, LetsGoOfAReaderThatCancels) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto stream = stub_->Subscribe(&context, FromTheBeginning());
    v1::SubscribeResponse response;
    if (i % 2 == 0) {
      ASSERT_TRUE(stream->Read(&response));
    }
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(AllClosed());
}

TEST_F(SubscribeStreamTest, IsNotHeldUpByAReaderThatStalls) {
  grpc::ClientContext stalled_context;
  const auto stalled = stub_->Subscribe(&stalled_context, FromTheBeginning());
  for (int i = 0; i < 200; ++i) Produce("orders", std::string(100'000, 's'));
  grpc::ClientContext context;
  v1::SubscribeRequest request = FromTheBeginning();
  request.set_end_at_current(true);
  const auto stream = stub_->Subscribe(&context, request);
  int64_t records = 0;
  v1::SubscribeResponse response;
  while (stream->Read(&response)) {
    for (const auto& batch : response.batches().batches()) records += batch.records_size();
  }
  EXPECT_EQ(records, 200);
  stalled_context.TryCancel();
  stalled->Finish();
}

TEST_F(SubscribeStreamTest, EndsWithWhereToResumeWhenTheHubDrains) {
  Produce("orders", "a");
  grpc::ClientContext context;
  const auto stream = stub_->Subscribe(&context, FromTheBeginning());
  v1::SubscribeResponse response;
  while (!response.has_caught_up()) ASSERT_TRUE(stream->Read(&response));
  std::thread stopper([this] { server_->Stop(absl::Seconds(20)); });
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_TRUE(response.has_ending());
  EXPECT_EQ(response.ending().reason(), v1::ENDING_REASON_DRAINING);
  EXPECT_TRUE(response.ending().retry());
  ASSERT_EQ(response.ending().resume_at_size(), 1);
  EXPECT_EQ(response.ending().resume_at(0).offset(), 1);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopper.join();
}

TEST_F(SubscribeStreamTest, RefusesBytesThatAreNoRequest) {
  grpc::GenericStub generic(channel_);
  for (const char* method :
       {"/millrace.v1.EventHubService/Produce", "/millrace.v1.EventHubService/OpenProducer"}) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice("\x0a\x7f");
    auto call = generic.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_NE(status.error_details().find("MALFORMED_REQUEST"), std::string::npos) << method;
    queue.Shutdown();
  }
}

}  // namespace
}  // namespace millrace::server
