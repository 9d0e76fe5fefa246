// Every way in which requests are answered, refused and cut off, without a hub.
#include "client/cpp/send_window.h"

#include <grpcpp/impl/grpc_library.h>
#include <gtest/gtest.h>

#include <string>

#include "client/cpp/monotonic.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

// The rest of gRPC, which readies itself for a channel or a server, is not linked in here, and
// grpc::Slice needs it ready.
const grpc::internal::GrpcLibraryInitializer kGrpcIsReady;

constexpr int kFailedPrecondition = 9;

v1::ProduceStreamResponse Stored() {
  v1::ProduceStreamResponse answer;
  answer.mutable_produced();
  return answer;
}

v1::ProduceStreamResponse Refused(int code, const std::string& reason) {
  v1::ProduceStreamResponse answer;
  answer.mutable_error()->set_code(code);
  answer.mutable_error()->set_reason(reason);
  return answer;
}

v1::ProduceStreamResponse Gap(int64_t expected) {
  v1::ProduceStreamResponse answer = Refused(kFailedPrecondition, "SEQUENCE_GAP");
  (*answer.mutable_error()->mutable_metadata())["expected_sequence"] = std::to_string(expected);
  return answer;
}

class SendWindowTest : public ::testing::Test {
 protected:
  SendWindowTest() { window_.OnEpochOpened(0); }

  // Sends a new batch that is called `name`; gives its number.
  int64_t Send(const std::string& name) {
    auto batch = std::make_unique<ProduceBatch>();
    batch->topic = name;
    batch->created = MonotonicNow();
    EXPECT_TRUE(window_.can_send());
    return window_.Send(std::move(batch)).sequence;
  }
  // Repeats what is to be repeated; "name:number name:number".
  std::string Repeat() {
    std::string repeated;
    while (window_.has_repeats() && window_.can_send()) {
      const ProduceBatch& batch = window_.SendRepeat();
      repeated +=
          (repeated.empty() ? "" : " ") + batch.topic + ":" + std::to_string(batch.sequence);
    }
    return repeated;
  }
  void Answer(const v1::ProduceStreamResponse& answer) { window_.OnAnswer(answer, settled_); }
  void Break() { window_.OnStreamBroken(absl::UnavailableError("cut"), settled_); }
  // What was settled since the last call: "name" for stored, "name!REASON" for failed.
  std::string Settled() {
    std::string all;
    for (const auto& [batch, result] : settled_) {
      all += (all.empty() ? "" : " ") + batch->topic;
      if (!result.ok()) all += "!" + ReasonOf(result.status());
    }
    settled_.clear();
    return all;
  }

  SendWindow window_{4, true};
  SettledBatches settled_;
};

TEST_F(SendWindowTest, NumbersInOrderAndHoldsItsBound) {
  EXPECT_EQ(Send("a"), 1);
  EXPECT_EQ(Send("b"), 2);
  EXPECT_EQ(Send("c"), 3);
  EXPECT_EQ(Send("d"), 4);
  EXPECT_FALSE(window_.can_send());
  Answer(Stored());
  EXPECT_EQ(Settled(), "a");
  EXPECT_EQ(Send("e"), 5);
}

TEST_F(SendWindowTest, RepeatsWhatHasNoAnswerUnderTheSameNumbers) {
  Send("a");
  Send("b");
  Send("c");
  Answer(Stored());
  Break();
  EXPECT_EQ(Settled(), "a");
  EXPECT_FALSE(window_.needs_epoch());
  EXPECT_EQ(Repeat(), "b:2 c:3");
  Answer(Stored());
  Answer(Stored());
  EXPECT_EQ(Settled(), "b c");
  EXPECT_EQ(Send("d"), 4);
}

TEST_F(SendWindowTest, MovesUpWhatCameBehindARefusedRequest) {
  Send("a");
  Send("b");
  Send("c");
  Answer(Refused(5, "TOPIC_NOT_FOUND"));
  EXPECT_FALSE(window_.can_send()) << "what is sent before all is answered only adds gaps";
  Answer(Gap(1));
  Answer(Gap(1));
  EXPECT_EQ(Settled(), "a!TOPIC_NOT_FOUND");
  EXPECT_EQ(Repeat(), "b:1 c:2");
  EXPECT_EQ(Send("d"), 3);
}

TEST_F(SendWindowTest, UsesTheNumberOfALoneRefusedRequestAgain) {
  Send("a");
  Answer(Refused(5, "TOPIC_NOT_FOUND"));
  EXPECT_EQ(Send("b"), 1);
}

TEST_F(SendWindowTest, FailsSeveralRefusedRequestsAndKeepsTheRest) {
  Send("a");
  Send("b");
  Send("c");
  Send("d");
  Answer(Stored());
  Answer(Refused(5, "TOPIC_NOT_FOUND"));
  Answer(Refused(5, "TOPIC_NOT_FOUND"));
  Answer(Gap(2));
  EXPECT_EQ(Settled(), "a b!TOPIC_NOT_FOUND c!TOPIC_NOT_FOUND");
  EXPECT_EQ(Repeat(), "d:2");
}

TEST_F(SendWindowTest, WaitsAndRepeatsInOrderWhenTheHubSaysLater) {
  Send("a");
  Send("b");
  v1::ProduceStreamResponse full = Refused(8, "DISK_FULL");
  full.mutable_error()->mutable_retry_after()->set_seconds(5);
  Answer(full);
  Answer(Gap(1));
  EXPECT_EQ(window_.TakePause(), absl::Seconds(5));
  EXPECT_EQ(Settled(), "");
  EXPECT_EQ(Repeat(), "a:1 b:2");
}

TEST_F(SendWindowTest, OpensAnEpochWhenAStreamBreaksBehindARefusal) {
  Send("a");
  Send("b");
  Send("c");
  Answer(Refused(5, "TOPIC_NOT_FOUND"));
  Break();
  // b may still arrive as number 2: sent as number 1 it might be stored twice.
  EXPECT_TRUE(window_.needs_epoch());
  EXPECT_FALSE(window_.can_send());
  window_.OnEpochOpened(0);
  EXPECT_EQ(Repeat(), "b:1 c:2");
}

TEST_F(SendWindowTest, OpensAnEpochWhenARepeatedRequestIsRefused) {
  Send("a");
  Send("b");
  Break();
  EXPECT_EQ(Repeat(), "a:1 b:2");
  // Its first copy may be stored, and the topic deleted since.
  Answer(Refused(5, "TOPIC_NOT_FOUND"));
  Answer(Gap(1));
  EXPECT_TRUE(window_.needs_epoch());
  window_.OnEpochOpened(0);
  EXPECT_EQ(Repeat(), "b:1");
}

TEST_F(SendWindowTest, AsksForStoredRequestsAgainAfterANewEpoch) {
  Send("a");
  Send("b");
  Send("c");
  Break();
  EXPECT_EQ(Repeat(), "a:1 b:2 c:3");
  Answer(Refused(kFailedPrecondition, "PRODUCER_UNKNOWN"));
  Break();
  EXPECT_TRUE(window_.needs_epoch());
  window_.OnEpochOpened(2);
  EXPECT_EQ(Repeat(), "a:1 b:2 c:3");
}

TEST_F(SendWindowTest, BeginsAnewWithAHubThatForgotTheProducer) {
  for (int i = 0; i < 3; ++i) {
    Send("old");
    Answer(Stored());
  }
  Settled();
  Send("a");
  Send("b");
  Answer(Refused(kFailedPrecondition, "PRODUCER_UNKNOWN"));
  Answer(Refused(kFailedPrecondition, "PRODUCER_UNKNOWN"));
  EXPECT_TRUE(window_.needs_epoch());
  window_.OnEpochOpened(0);
  EXPECT_EQ(Repeat(), "a:1 b:2");
  EXPECT_EQ(Settled(), "");
}

TEST_F(SendWindowTest, StopsForGoodWhenFenced) {
  Send("a");
  Send("b");
  Answer(Refused(kFailedPrecondition, "PRODUCER_FENCED"));
  EXPECT_EQ(ReasonOf(window_.fenced()), "PRODUCER_FENCED");
  EXPECT_FALSE(window_.can_send());
  window_.FailAll(window_.fenced(), settled_);
  EXPECT_EQ(Settled(), "a!PRODUCER_FENCED b!PRODUCER_FENCED");
}

TEST_F(SendWindowTest, KeepsTheNumberOfAnExpiredRequestUntilItIsAnswered) {
  Send("a");
  Send("b");
  const absl::Status expired =
      MakeError(absl::StatusCode::kDeadlineExceeded, reason::kDeliveryTimeout, "");
  window_.ExpireBegunBefore(absl::InfiniteFuture(), expired, settled_);
  EXPECT_EQ(Settled(), "a!DELIVERY_TIMEOUT b!DELIVERY_TIMEOUT");
  EXPECT_EQ(Send("c"), 3);
  Answer(Stored());
  Answer(Stored());
  Answer(Stored());
  EXPECT_EQ(Settled(), "c");
}

TEST_F(SendWindowTest, OpensAnEpochWhenExpiredRequestsAreCutOff) {
  Send("a");
  window_.ExpireBegunBefore(absl::InfiniteFuture(), absl::DeadlineExceededError(""), settled_);
  EXPECT_EQ(Send("b"), 2);
  Break();
  EXPECT_TRUE(window_.needs_epoch());
  window_.OnEpochOpened(1);  // a was stored all the same.
  EXPECT_EQ(Repeat(), "b:2");
}

TEST_F(SendWindowTest, NeverRepeatsWhatIsNotNumbered) {
  SendWindow window(4, false);
  auto batch = std::make_unique<ProduceBatch>();
  batch->topic = "a";
  window.Send(std::move(batch));
  window.OnStreamBroken(absl::UnavailableError("cut"), settled_);
  EXPECT_EQ(Settled(), "a!");
  EXPECT_FALSE(window.has_repeats());
  EXPECT_FALSE(window.needs_epoch());
}

}  // namespace
}  // namespace millrace::client
