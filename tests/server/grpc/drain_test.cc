// What clients see of a hub that stops.
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(kPatienceSeconds);

TEST(Drain, TellsASubscriberWhereToResume) {
  TestHub hub;
  hub.CreateTopic("orders", 2);
  hub.Produce("orders", 1, {"a", "b"});
  v1::SubscribeRequest request;
  request.add_topics("orders");
  request.mutable_start()->set_earliest(true);
  Subscriber subscriber(hub, request);
  subscriber.NextOf(v1::SubscribeResponse::kBatches);
  hub.server().Stop(kPatience);

  const v1::Ending ending = subscriber.NextOf(v1::SubscribeResponse::kEnding).ending();
  EXPECT_EQ(ending.reason(), v1::ENDING_REASON_DRAINING);
  EXPECT_TRUE(ending.retry());
  ASSERT_EQ(ending.resume_at_size(), 2);
  for (const v1::Position& position : ending.resume_at()) {
    EXPECT_EQ(position.offset(), position.partition() == 1 ? 2 : 0);
    EXPECT_TRUE(position.has_log_epoch());
  }
  const ErrorFacts facts = FactsOf(subscriber.Finish());
  EXPECT_EQ(facts.code, grpc::UNAVAILABLE);
  EXPECT_EQ(facts.reason, "DRAINING");
  EXPECT_TRUE(facts.retry_after_ms.has_value());
}

TEST(Drain, GivesAProducerTheAnswersItIsOwed) {
  TestHub hub;
  hub.CreateTopic("orders");
  auto context = NewContext();
  const auto stream = hub.events().ProduceStream(context.get());
  v1::ProduceStreamRequest request;
  request.mutable_request()->set_topic("orders");
  request.mutable_request()->set_partition(0);
  request.mutable_request()->add_records()->set_value("x");
  constexpr int kRequests = 50;
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(stream->Write(request));
  v1::ProduceStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  hub.server().Stop(kPatience);

  int64_t answered = response.produced().appended_size();
  while (stream->Read(&response)) answered += response.produced().appended_size();
  const ErrorFacts facts = FactsOf(stream->Finish());
  EXPECT_EQ(facts.code, grpc::UNAVAILABLE);
  EXPECT_EQ(facts.reason, "DRAINING");
  const auto topic = hub.engine().FindTopic("orders");
  const auto status = hub.engine().Status(topic->partitions[0]);
  EXPECT_EQ(status->high_watermark.value(), answered) << "stored and never answered";
}

TEST(Drain, IsNotHeldUpByAClientThatDoesNotRead) {
  TestHub hub;
  hub.CreateTopic("orders");
  const std::string large(1 << 19, 'x');
  for (int i = 0; i < 32; ++i) hub.Produce("orders", 0, {large});
  v1::SubscribeRequest request;
  request.add_topics("orders");
  request.mutable_start()->set_earliest(true);
  Subscriber stalled(hub, request);
  const absl::Time before = absl::Now();
  hub.server().Stop(absl::Seconds(1));
  EXPECT_LT(absl::Now() - before, kPatience);
}

TEST(Drain, StoppingTwiceIsStoppingOnce) {
  TestHub hub;
  hub.server().Stop(kPatience);
  hub.server().Stop(kPatience);
}

}  // namespace
}  // namespace millrace::testing
