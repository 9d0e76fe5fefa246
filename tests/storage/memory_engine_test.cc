// The memory engine against the contract of storage/engine.h.
#include "storage/memory/memory_engine.h"

#include <memory>
#include <thread>

#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

class MemoryEngineFactory : public EngineFactory {
 public:
  absl::StatusOr<std::unique_ptr<Engine>> Open(const EngineSettings& settings) override {
    return std::make_unique<MemoryEngine>(
        MemoryOptions{.clock = settings.clock, .producer_window = settings.producer_window});
  }
};

constexpr auto kMakeFactory =
    +[]() -> std::unique_ptr<EngineFactory> { return std::make_unique<MemoryEngineFactory>(); };

INSTANTIATE_TEST_SUITE_P(Memory, EngineContract, testing::Values(kMakeFactory));
INSTANTIATE_TEST_SUITE_P(Memory, TransactionContract, testing::Values(kMakeFactory));

TEST(MemoryEngine, MakesUpADifferentHubIdEachTime) {
  EXPECT_NE(MemoryEngine().hub_id(), MemoryEngine().hub_id());
  EXPECT_EQ(MemoryEngine(MemoryOptions{.hub_id = "given"}).hub_id(), "given");
}

TEST(MemoryEngine, MakesNoCheckpoints) {
  MemoryEngine engine;
  EXPECT_FALSE(engine.capabilities().checkpoints);
  EXPECT_EQ(ReasonWord(engine.CreateCheckpoint("/nowhere")), "UNSUPPORTED_BY_ENGINE");
}

TEST(MemoryEngine, AppliesRetentionByItself) {
  ManualClock clock;
  MemoryEngine engine({.clock = &clock, .retention_interval = absl::Milliseconds(1)});
  const auto topic = engine.CreateTopic("topic", 1, {.max_age = absl::Hours(1)});
  ASSERT_TRUE(topic.ok());
  const PartitionId partition = (*topic)->partitions[0];
  WriteSet set;
  set.appends.push_back({.partition = partition, .records = EncodeValues({"a"})});
  engine.Write(std::move(set),
               [](absl::StatusOr<WriteResult> result) { EXPECT_TRUE(result.ok()); });
  clock.Advance(absl::Hours(2));
  while (engine.Status(partition)->earliest != Offset(1)) std::this_thread::yield();
}

}  // namespace
}  // namespace millrace::storage
