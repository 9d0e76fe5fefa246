// Retention by age and by size.
#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

// An engine may work in steps of about so many bytes, and so much time.
constexpr int64_t kStepBytes = 2 * kMebibyte;
constexpr absl::Duration kStep = absl::Seconds(30);

TEST_P(EngineContract, KeepsEverythingWithoutARetentionPolicy) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"});
  clock_.Advance(absl::Hours(24 * 365));
  ASSERT_TRUE(engine().EnforceRetention().ok());
  EXPECT_EQ(ReadAll(partition).size(), 2u);
}

TEST_P(EngineContract, DropsEverythingOldOfAnIdlePartition) {
  const PartitionId partition = CreateTopic("topic", 1, {.max_age = absl::Hours(1)})->partitions[0];
  AppendValues(partition, {"a", "b"});
  clock_.Advance(absl::Minutes(59));
  ASSERT_TRUE(engine().EnforceRetention().ok());
  EXPECT_EQ(ReadAll(partition).size(), 2u);
  clock_.Advance(absl::Minutes(2));
  ASSERT_TRUE(engine().EnforceRetention().ok());
  const auto status = engine().Status(partition);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->earliest, Offset(2));
  EXPECT_EQ(status->high_watermark, Offset(2));
  EXPECT_EQ(status->size_bytes, 0);
  EXPECT_EQ(ReasonWord(Read(partition, Offset(0))), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(AppendValues(partition, {"c"}), Offset(2));
  EXPECT_EQ(ReadAll(partition, Offset(2)), (std::vector<ReadRecord>{{2, "c"}}));
}

TEST_P(EngineContract, DropsWhatIsOldAndKeepsWhatIsNot) {
  const PartitionId partition = CreateTopic("topic", 1, {.max_age = absl::Hours(1)})->partitions[0];
  for (int i = 0; i < 10; ++i) {
    AppendValues(partition, {std::to_string(i)});
    clock_.Advance(absl::Minutes(10));
  }
  // The records are now 100, 90 .. 10 minutes old; 5 of them are more than an hour old.
  clock_.Advance(kStep);
  ASSERT_TRUE(engine().EnforceRetention().ok());
  const Offset earliest = engine().Status(partition)->earliest;
  EXPECT_EQ(earliest, Offset(5));
  EXPECT_EQ(ReadAll(partition, earliest).front().value, "5");
  EXPECT_EQ(ReadAll(partition, earliest).size(), 5u);
}

TEST_P(EngineContract, FollowsAChangedRetentionPolicy) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a"});
  clock_.Advance(absl::Hours(2));
  ASSERT_TRUE(engine()
                  .UpdateTopic("topic", {.retention = RetentionPolicy{.max_age = absl::Hours(1)}})
                  .ok());
  ASSERT_TRUE(engine().EnforceRetention().ok());
  EXPECT_EQ(engine().Status(partition)->earliest, Offset(1));
}

TEST_P(EngineContract, DropsTheOldestAboveTheLimitInBytes) {
  const TopicPtr topic = CreateTopic("topic", 2, {.max_partition_bytes = 4 * kMebibyte});
  const PartitionId partition = topic->partitions[0];
  const std::string value(kMebibyte / 4, 'v');
  for (int i = 0; i < 48; ++i) AppendValues(partition, {value});
  AppendValues(topic->partitions[1], {"small"});
  ASSERT_TRUE(engine().EnforceRetention().ok());
  const auto status = engine().Status(partition);
  ASSERT_TRUE(status.ok());
  EXPECT_GT(status->earliest, Offset(0));
  EXPECT_EQ(status->high_watermark, Offset(48));
  EXPECT_LE(status->size_bytes, 4 * kMebibyte);
  EXPECT_GE(status->size_bytes, 4 * kMebibyte - kStepBytes);
  EXPECT_EQ(static_cast<int64_t>(ReadAll(partition, status->earliest).size()),
            status->high_watermark - status->earliest);
  EXPECT_EQ(engine().Status(topic->partitions[1])->earliest, Offset(0));
}

TEST_P(EngineContract, FindsNothingByTimeInWhatRetentionDropped) {
  const PartitionId partition = CreateTopic("topic", 1, {.max_age = absl::Hours(1)})->partitions[0];
  const absl::Time start = clock_.Now();
  AppendValues(partition, {"a"});
  clock_.Advance(absl::Hours(2));
  AppendValues(partition, {"b"});
  ASSERT_TRUE(engine().EnforceRetention().ok());
  EXPECT_EQ(*engine().OffsetAtTime(partition, start), Offset(1));
}

}  // namespace
}  // namespace millrace::storage
