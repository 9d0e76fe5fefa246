// Engine::NotifyWhenReadable.
#include <atomic>
#include <thread>

#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(EngineContract, TellsAWaiterAtOnceWhatIsThereAlready) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a"});
  const auto waiter = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(partition, Offset(0), waiter);
  EXPECT_TRUE(waiter->WaitForCalls(1));
}

TEST_P(EngineContract, TellsAWaiterOnceWhenRecordsCome) {
  const PartitionId partition = CreatePartition();
  const auto waiter = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(partition, Offset(0), waiter);
  EXPECT_EQ(waiter->calls(), 0);
  AppendValues(partition, {"a"}, Durability::kSynced);
  EXPECT_TRUE(waiter->WaitForCalls(1));
  AppendValues(partition, {"b"});
  // A waiter asked for after the second append is told after any second call of the first.
  const auto last = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(partition, Offset(2), last);
  AppendValues(partition, {"c"});
  EXPECT_TRUE(last->WaitForCalls(1));
  EXPECT_EQ(waiter->calls(), 1);
}

TEST_P(EngineContract, LeavesAWaiterInPeaceWhenAnotherPartitionGrows) {
  const TopicPtr topic = CreateTopic("topic", 2);
  const auto waiter = std::make_shared<CountingWaiter>();
  const auto other = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(topic->partitions[0], Offset(0), waiter);
  engine().NotifyWhenReadable(topic->partitions[1], Offset(0), other);
  AppendValues(topic->partitions[1], {"a"});
  EXPECT_TRUE(other->WaitForCalls(1));
  EXPECT_EQ(waiter->calls(), 0);
}

TEST_P(EngineContract, TellsAllWaitersOfAPartition) {
  const PartitionId partition = CreatePartition();
  std::vector<std::shared_ptr<CountingWaiter>> waiters;
  for (int i = 0; i < 20; ++i) {
    waiters.push_back(std::make_shared<CountingWaiter>());
    engine().NotifyWhenReadable(partition, Offset(0), waiters.back());
  }
  AppendValues(partition, {"a"});
  for (const auto& waiter : waiters) EXPECT_TRUE(waiter->WaitForCalls(1));
}

TEST_P(EngineContract, SkipsAWaiterThatIsGone) {
  const PartitionId partition = CreatePartition();
  auto gone = std::make_shared<CountingWaiter>();
  const auto alive = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(partition, Offset(0), gone);
  engine().NotifyWhenReadable(partition, Offset(0), alive);
  const std::weak_ptr<CountingWaiter> watch = gone;
  gone.reset();
  EXPECT_TRUE(watch.expired());
  AppendValues(partition, {"a"});
  EXPECT_TRUE(alive->WaitForCalls(1));
}

TEST_P(EngineContract, TellsAWaiterWhoseReadWouldFail) {
  const PartitionId partition = CreatePartition();
  const auto beyond = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(partition, Offset(5), beyond);
  EXPECT_TRUE(beyond->WaitForCalls(1));
  const auto nowhere = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(PartitionId(999'999), Offset(0), nowhere);
  EXPECT_TRUE(nowhere->WaitForCalls(1));
}

TEST_P(EngineContract, TellsAWaiterWhenTheTopicIsDeleted) {
  const PartitionId partition = CreatePartition();
  const auto waiter = std::make_shared<CountingWaiter>();
  engine().NotifyWhenReadable(partition, Offset(0), waiter);
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  EXPECT_TRUE(waiter->WaitForCalls(1));
}

// Reads on and on, as a subscription does.
class Follower : public ReadWaiter, public std::enable_shared_from_this<Follower> {
 public:
  Follower(Engine& engine, PartitionId partition) : engine_(engine), partition_(partition) {}

  void OnReadable(PartitionId) override {
    engine_.Read(partition_, next_, {.max_bytes = 200},
                 [self = shared_from_this()](absl::StatusOr<ReadResult> result) {
                   if (result.ok()) self->Take(*result);
                 });
  }
  void Take(const ReadResult& result) {
    next_ = result.next_offset;
    seen_ = next_.value();
    seen_.notify_all();
    engine_.NotifyWhenReadable(partition_, next_, weak_from_this());
  }
  void WaitUntil(int64_t offset) {
    for (int64_t seen = seen_; seen < offset; seen = seen_) seen_.wait(seen);
  }

 private:
  Engine& engine_;
  const PartitionId partition_;
  Offset next_;
  std::atomic<int64_t> seen_{0};
};

TEST_P(EngineContract, NeverLetsAFollowerMissARecord) {
  const PartitionId partition = CreatePartition();
  const auto follower = std::make_shared<Follower>(engine(), partition);
  engine().NotifyWhenReadable(partition, Offset(0), follower);
  constexpr int kWrites = 300;
  std::thread writer([&] {
    for (int i = 0; i < kWrites; ++i) {
      AppendValues(partition, {"a", "b"},
                   i % 20 == 0 ? Durability::kSynced : Durability::kBuffered);
    }
  });
  follower->WaitUntil(2 * kWrites);  // Never returns if a wake-up is lost.
  writer.join();
}

}  // namespace
}  // namespace millrace::storage
