// A subscription over an engine that forgets to wake it.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "server/hub/hub.h"
#include "storage/memory/memory_engine.h"
#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"
#include "tests/support/forwarding_engine.h"

namespace millrace::hub {
namespace {

using Values = std::vector<std::string>;

class ForgetsToWake : public storage::ForwardingEngine {
 public:
  using ForwardingEngine::ForwardingEngine;
  void NotifyWhenReadable(storage::PartitionId, storage::Offset,
                          std::weak_ptr<storage::ReadWaiter>) override {}
};

class NotesHealed : public HubObserver {
 public:
  void OnStalledPartitionHealed(std::string_view, const PartitionName& partition) override {
    healed.set_value(*partition.topic);
  }
  std::promise<std::string> healed;  // Set a second time it throws.
};

TEST(LostWakeUp, IsNoticedHealedAndTold) {
  storage::MemoryEngine memory(storage::MemoryOptions{});
  ForgetsToWake engine(memory);
  NotesHealed observer;
  Hub hub(engine, storage::Clock::System(),
          {.watch_interval = absl::Milliseconds(20), .observer = &observer});
  ASSERT_TRUE(hub.topics().Create("orders", 1, std::nullopt).ok());
  auto stream = hub.subscriptions().Open({.topics = {"orders"}, .start = Earliest{}});
  ASSERT_TRUE(stream.ok());
  FrameReader reader(*stream);
  reader.Await<CaughtUpFrame>();
  EXPECT_FALSE(reader.HasFrame());

  std::promise<absl::Status> produced;
  hub.producing().Produce(
      {.topic = "orders", .partition = 0, .records = EncodeValues({"a"})},
      [&](absl::StatusOr<ProduceOutcome> outcome) { produced.set_value(outcome.status()); });
  ASSERT_TRUE(produced.get_future().get().ok());
  EXPECT_EQ(reader.Records(1), (Values{"0/0=a"}));
  EXPECT_EQ(observer.healed.get_future().get(), "orders");
  EXPECT_EQ(hub.subscriptions().healed_count(), 1);
  hub.subscriptions().Close(*stream);
}

}  // namespace
}  // namespace millrace::hub
