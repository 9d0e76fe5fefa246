// Subscriptions over an engine whose reads come late, as those from the disk do.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/hub/hub.h"
#include "storage/memory/memory_engine.h"
#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"
#include "tests/support/forwarding_engine.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using Values = std::vector<std::string>;

// Answers reads from a thread of its own, or not before it is told to.
class SlowReads : public storage::ForwardingEngine {
 public:
  explicit SlowReads(storage::Engine& next) : ForwardingEngine(next), reader_("slow reads", 1) {}

  void Read(storage::PartitionId partition, Offset from, storage::ReadLimits limits,
            storage::ReadCompletion done) override {
    auto read = [this, partition, from, limits, done = std::move(done)]() mutable {
      ForwardingEngine::Read(partition, from, limits, std::move(done));
    };
    std::lock_guard lock(mutex_);
    if (holding_) {
      held_.emplace_back(std::move(read));
    } else {
      reader_.Post(std::move(read));
    }
  }

  void Hold() {
    std::lock_guard lock(mutex_);
    holding_ = true;
  }

  // Lets the reads go on that were held, and all that follow. Gives how many were held.
  size_t Release() {
    std::lock_guard lock(mutex_);
    holding_ = false;
    const size_t count = held_.size();
    for (auto& read : held_) reader_.Post(std::move(read));
    held_.clear();
    return count;
  }

 private:
  std::mutex mutex_;
  bool holding_ = false;
  std::vector<absl::AnyInvocable<void() &&>> held_;
  Executor reader_;
};

class SlowReadTest : public testing::Test {
 protected:
  SlowReadTest() : slow_(memory_), hub_(slow_, storage::Clock::System(), {}) {
    EXPECT_TRUE(hub_.topics().Create("orders", 2, std::nullopt).ok());
  }

  void ProduceValues(int32_t partition, const Values& values) {
    std::promise<absl::Status> done;
    hub_.producing().Produce(
        {.topic = "orders", .partition = partition, .records = EncodeValues(values)},
        [&](absl::StatusOr<ProduceOutcome> outcome) { done.set_value(outcome.status()); });
    ASSERT_TRUE(done.get_future().get().ok());
  }

  std::shared_ptr<Subscription> Subscribe(SubscribeCommand command) {
    command.topics = {"orders"};
    if (!command.start) command.start = Earliest{};
    auto subscription = hub_.subscriptions().Open(command);
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return *subscription;
  }

  storage::MemoryEngine memory_;
  SlowReads slow_;
  Hub hub_;
};

TEST_F(SlowReadTest, DeliversEverythingInOrder) {
  FrameReader reader(Subscribe({}));
  Values expected;
  for (int i = 0; i < 200; ++i) {
    ProduceValues(0, {std::to_string(i)});
    expected.push_back("0/" + std::to_string(i) + "=" + std::to_string(i));
  }
  EXPECT_EQ(reader.Records(200), expected);
}

TEST_F(SlowReadTest, EndsOnlyAfterTheLastRecord) {
  ProduceValues(0, {"a", "b"});
  ProduceValues(1, {"c"});
  FrameReader reader(Subscribe({.end_at_current = true}));
  EXPECT_EQ(reader.Records(3).size(), 3u);
  EXPECT_EQ(reader.Await<EndingFrame>().reason, EndingReason::kEndReached);
}

TEST_F(SlowReadTest, DropsWhatWasReadForAnOlderPosition) {
  ProduceValues(0, {"a", "b", "c"});
  const auto subscription = Subscribe({});
  slow_.Hold();
  FrameReader reader(subscription);
  reader.Await<AssignedFrame>();
  while (reader.HasFrame()) reader.Next();  // Now a read is under way.
  ASSERT_TRUE(subscription->Seek({"orders", 0}, Offset(2)).ok());
  EXPECT_GE(slow_.Release(), 1u);
  reader.Await<RepositionedFrame>();
  EXPECT_EQ(reader.Records(1), (Values{"0/2=c"}));
}

TEST_F(SlowReadTest, ResumesBeforeARecordThatWasStillBeingRead) {
  ProduceValues(0, {"a"});
  const auto subscription = Subscribe({});
  slow_.Hold();
  FrameReader reader(subscription);
  reader.Await<AssignedFrame>();
  while (reader.HasFrame()) reader.Next();
  hub_.Drain();
  const auto ending = reader.Await<EndingFrame>();
  for (const ReadPosition& each : ending.resume_at) EXPECT_EQ(each.offset, Offset(0));
  slow_.Release();
}

TEST_F(SlowReadTest, OutlivesAReadThatComesAfterTheStream) {
  ProduceValues(0, {"a"});
  slow_.Hold();
  {
    const auto subscription = Subscribe({});
    FrameReader reader(subscription);
    reader.Await<AssignedFrame>();
    while (reader.HasFrame()) reader.Next();
    hub_.subscriptions().Close(subscription);
  }
  EXPECT_GE(slow_.Release(), 1u);
  FrameReader reader(Subscribe({}));
  EXPECT_EQ(reader.Records(1), (Values{"0/0=a"}));
}

}  // namespace
}  // namespace millrace::hub
