// A client that does much at a time, and takes much of it back, over one connection.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/grpc/guarded_connections.h"
#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

v1::ProduceRequest OneRecord() {
  v1::ProduceRequest request;
  request.set_topic("orders");
  request.set_partition(0);
  request.add_records()->set_value("x");
  return request;
}

grpc::Status ProduceOne(TestHub& hub, grpc::ClientContext& context) {
  v1::ProduceResponse response;
  return hub.events().Produce(&context, OneRecord(), &response);
}

// Streams that are open all, and then are taken back all.
void OpenAndCancel(TestHub& hub, int count) {
  v1::SubscribeRequest request;
  request.add_topics("orders");
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (int i = 0; i < count; ++i) subscribers.push_back(std::make_unique<Subscriber>(hub, request));
}

// Calls that are mostly taken back, since their time is over before they are answered.
void CallWithoutPatience(TestHub& hub, int count) {
  for (int i = 0; i < count; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(500));
    const grpc::Status status = ProduceOne(hub, context);
    EXPECT_TRUE(status.ok() || status.error_code() == grpc::DEADLINE_EXCEEDED)
        << status.error_message();
  }
}

TEST(HeavyClient, WithManyCallsAndStreamsOftenTakenBackIsNotCut) {
  constexpr int kCallers = 64;
  constexpr int kRounds = 8;
  constexpr int kAtATime = 160;
  // Twice 160 are 800 a second, where the guard lets 1,000 pass.
  constexpr auto kRound = std::chrono::milliseconds(400);
  TestHub hub;
  hub.CreateTopic("orders");
  std::atomic<bool> over{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      while (!over) {
        const grpc::Status status = ProduceOne(hub, *NewContext());
        ASSERT_TRUE(status.ok()) << status.error_message();
      }
    });
  }
  auto round = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds && !HasFailure(); ++i) {
    OpenAndCancel(hub, kAtATime);
    CallWithoutPatience(hub, kAtATime);
    std::this_thread::sleep_until(round += kRound);
  }
  over = true;
  for (std::thread& caller : callers) caller.join();
}

// Keeps more calls waiting than a connection may have open; what is over is followed at once.
class AsManyCallsAsThereMayBe {
 public:
  AsManyCallsAsThereMayBe(TestHub& hub, int calls) : hub_(hub), left_(calls) {}

  // Of which so many at a time; how many of all failed.
  int Run(int at_a_time) {
    under_way_ = at_a_time;
    for (int i = 0; i < at_a_time; ++i) Next();
    over_.WaitForNotification();
    return failed_;
  }

 private:
  void Next() {
    if (left_.fetch_sub(1) <= 0) {
      if (--under_way_ == 0) over_.Notify();
      return;
    }
    struct Call {
      grpc::ClientContext context;
      const v1::ProduceRequest request = OneRecord();
      v1::ProduceResponse response;
    };
    auto call = std::make_shared<Call>();
    hub_.events().async()->Produce(&call->context, &call->request, &call->response,
                                   [this, call](const grpc::Status& status) {
                                     failed_ += !status.ok();
                                     Next();
                                   });
  }

  TestHub& hub_;
  std::atomic<int> left_;
  std::atomic<int> under_way_{0};
  std::atomic<int> failed_{0};
  absl::Notification over_;
};

TEST(HeavyClient, WithAsManyCallsAsThereMayBeIsNotCut) {
  TestHub hub;
  hub.CreateTopic("orders");
  EXPECT_EQ(AsManyCallsAsThereMayBe(hub, 20'000).Run(1'500), 0);
}

// Else the tests above would say nothing.
TEST(HeavyClient, ThatTakesBackHundredsAtOnceIsCut) {
  if (!server::ConnectionsAreGuarded()) GTEST_SKIP() << "not with sanitizers";
  TestHub hub;
  hub.CreateTopic("orders");
  v1::SubscribeRequest request;
  request.add_topics("orders");
  const auto context = NewContext();
  const auto witness = hub.events().Subscribe(context.get(), request);
  std::atomic<bool> cut{false};
  std::thread attacker([&] {
    while (!cut) OpenAndCancel(hub, 500);
  });
  v1::SubscribeResponse frame;
  while (witness->Read(&frame)) continue;
  cut = true;
  EXPECT_EQ(witness->Finish().error_code(), grpc::UNAVAILABLE);
  attacker.join();
}

}  // namespace
}  // namespace millrace::testing
