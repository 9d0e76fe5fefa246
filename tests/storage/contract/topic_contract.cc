// The catalogue of topics, truncation, log epochs.
#include <set>

#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(EngineContract, TellsWhatItIs) {
  EXPECT_FALSE(engine().name().empty());
  EXPECT_FALSE(engine().hub_id().empty());
  EXPECT_GE(engine().log_epoch(), LogEpoch(1));
  EXPECT_FALSE(engine().write_queue_full());
}

TEST_P(EngineContract, CreatesTopicsAndFindsThem) {
  EXPECT_TRUE(engine().Topics().empty());
  const RetentionPolicy retention{.max_age = absl::Hours(1), .max_partition_bytes = 1 << 20};
  const TopicPtr second = CreateTopic("second", 3, retention);
  const TopicPtr first = CreateTopic("first");
  EXPECT_EQ(second->name, "second");
  EXPECT_EQ(second->partitions.size(), 3u);
  EXPECT_EQ(second->retention, retention);
  EXPECT_EQ(absl::ToUnixMillis(second->create_time), absl::ToUnixMillis(clock_.Now()));
  EXPECT_EQ(engine().FindTopic("second")->partitions, second->partitions);
  EXPECT_EQ(engine().FindTopic("third"), nullptr);
  const std::vector<TopicPtr> topics = engine().Topics();
  ASSERT_EQ(topics.size(), 2u);
  EXPECT_EQ(topics[0]->name, "first");
  EXPECT_EQ(topics[1]->name, "second");
}

TEST_P(EngineContract, RefusesToCreateATopicTwice) {
  CreateTopic("topic", 2);
  EXPECT_EQ(ReasonWord(engine().CreateTopic("topic", 3, {})), "TOPIC_EXISTS");
  EXPECT_EQ(engine().FindTopic("topic")->partitions.size(), 2u);
}

TEST_P(EngineContract, NeverUsesAPartitionIdTwice) {
  std::set<PartitionId> ids;
  for (int i = 0; i < 3; ++i) {
    const TopicPtr topic = CreateTopic("topic", 2);
    ids.insert(topic->partitions.begin(), topic->partitions.end());
    ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  }
  EXPECT_EQ(ids.size(), 6u);
}

TEST_P(EngineContract, GrowsATopicAndKeepsWhatItHolds) {
  const TopicPtr before = CreateTopic("topic", 1, {.max_age = absl::Hours(1)});
  AppendValues(before->partitions[0], {"a"});
  const auto after = engine().UpdateTopic("topic", {.partition_count = 3});
  ASSERT_TRUE(after.ok()) << after.status();
  ASSERT_EQ((*after)->partitions.size(), 3u);
  EXPECT_EQ((*after)->partitions[0], before->partitions[0]);
  EXPECT_EQ((*after)->retention, before->retention);
  EXPECT_EQ((*after)->create_time, before->create_time);
  EXPECT_EQ(before->partitions.size(), 1u);  // A topic that was asked for never changes.
  EXPECT_EQ(engine().FindTopic("topic")->partitions, (*after)->partitions);
  EXPECT_EQ(AppendValues((*after)->partitions[2], {"b"}), Offset(0));
  EXPECT_EQ(ReadAll(before->partitions[0]).size(), 1u);
}

TEST_P(EngineContract, ChangesRetentionByItself) {
  const TopicPtr before = CreateTopic("topic", 2);
  const RetentionPolicy retention{.max_partition_bytes = 5000};
  ASSERT_TRUE(engine().UpdateTopic("topic", {.retention = retention}).ok());
  EXPECT_EQ(engine().FindTopic("topic")->retention, retention);
  EXPECT_EQ(engine().FindTopic("topic")->partitions, before->partitions);
}

TEST_P(EngineContract, RefusesToShrinkATopicOrToChangeNone) {
  CreateTopic("topic", 3);
  EXPECT_EQ(ReasonWord(engine().UpdateTopic("topic", {.partition_count = 2})), "INVALID_CONFIG");
  EXPECT_EQ(ReasonWord(engine().UpdateTopic("topic", {.partition_count = 3})), "OK");
  EXPECT_EQ(engine().FindTopic("topic")->partitions.size(), 3u);
  EXPECT_EQ(ReasonWord(engine().UpdateTopic("nothing", {})), "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonWord(engine().DeleteTopic("nothing")), "TOPIC_NOT_FOUND");
}

TEST_P(EngineContract, DeletesTheCommittedOffsetsOfATopicWithIt) {
  const PartitionId gone = CreateTopic("gone")->partitions[0];
  const PartitionId kept = CreateTopic("kept")->partitions[0];
  ASSERT_EQ(ReasonWord(Write(CommitOf("both", gone, 0))), "OK");
  ASSERT_EQ(ReasonWord(Write(CommitOf("both", kept, 0))), "OK");
  ASSERT_EQ(ReasonWord(Write(CommitOf("one", gone, 0))), "OK");
  ASSERT_TRUE(engine().DeleteTopic("gone").ok());
  EXPECT_FALSE(CommittedBy("both", gone));
  EXPECT_TRUE(CommittedBy("both", kept));
  EXPECT_EQ(engine().Groups(), (std::vector<std::string>{"both"}));
}

TEST_P(EngineContract, TruncatesUpToAnOffset) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  AppendValues(partition, {"d"});
  ASSERT_TRUE(engine().Truncate(partition, Offset(2)).ok());  // Inside of a batch.
  EXPECT_EQ(engine().Status(partition)->earliest, Offset(2));
  EXPECT_EQ(ReadAll(partition, Offset(2)), (std::vector<ReadRecord>{{2, "c"}, {3, "d"}}));
  ASSERT_TRUE(engine().Truncate(partition, Offset(1)).ok());  // Below the start: nothing changes.
  EXPECT_EQ(engine().Status(partition)->earliest, Offset(2));
  const auto beyond = engine().Truncate(partition, Offset(5));
  EXPECT_EQ(ReasonWord(beyond), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(MetadataOf(beyond)["earliest"], "2");
  EXPECT_EQ(MetadataOf(beyond)["latest"], "4");
}

TEST_P(EngineContract, TruncatesEverythingAndGoesOnBehind) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  ASSERT_TRUE(engine().Truncate(partition, Offset(3)).ok());
  EXPECT_EQ(engine().Status(partition)->earliest, Offset(3));
  EXPECT_EQ(engine().Status(partition)->high_watermark, Offset(3));
  EXPECT_EQ(engine().Status(partition)->size_bytes, 0);
  EXPECT_TRUE(ReadAll(partition, Offset(3)).empty());
  EXPECT_EQ(AppendValues(partition, {"d"}), Offset(3));
  EXPECT_EQ(ReadAll(partition, Offset(3)), (std::vector<ReadRecord>{{3, "d"}}));
}

TEST_P(EngineContract, StoresBatchesUnderTheLogEpoch) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a"});
  const LogEpoch first = engine().log_epoch();
  CreateTopic("another");
  EXPECT_GT(engine().log_epoch(), first);
  AppendValues(partition, {"b"});
  const auto result = Read(partition, Offset(0));
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->batches.size(), 2u);
  EXPECT_EQ(result->batches[0].log_epoch, first);
  EXPECT_EQ(result->batches[1].log_epoch, engine().log_epoch());
}

TEST_P(EngineContract, ValidatesPositionsByTheirLogEpoch) {
  const PartitionId partition = CreatePartition();
  const LogEpoch first = engine().log_epoch();
  AppendValues(partition, {"a", "b"});
  const auto validate = [&](int64_t offset, LogEpoch epoch) {
    return engine().ValidatePosition(partition, Offset(offset), epoch);
  };
  EXPECT_EQ(ReasonWord(validate(2, first)), "OK");
  EXPECT_EQ(ReasonWord(validate(3, first)), "LOG_EPOCH_CHANGED");  // Beyond the end.

  CreateTopic("another");
  EXPECT_EQ(ReasonWord(validate(2, first)), "OK");
  AppendValues(partition, {"c"});
  EXPECT_EQ(ReasonWord(validate(0, first)), "OK");
  EXPECT_EQ(ReasonWord(validate(2, first)), "OK");
  const absl::Status late = validate(3, first);
  EXPECT_EQ(ReasonWord(late), "LOG_EPOCH_CHANGED");
  EXPECT_EQ(MetadataOf(late)["valid_until"], "2");
  EXPECT_EQ(ReasonWord(validate(3, engine().log_epoch())), "OK");
  EXPECT_EQ(ReasonWord(validate(0, first - 1)), "LOG_EPOCH_CHANGED");
}

TEST_P(EngineContract, NeverTakesAPositionOfADeletedTopicForOneOfTheNew) {
  const PartitionId old_partition = CreatePartition();
  AppendValues(old_partition, {"a", "b"});
  const LogEpoch old_epoch = engine().log_epoch();
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  const PartitionId partition = CreatePartition();
  EXPECT_NE(partition, old_partition);
  EXPECT_TRUE(ReadAll(partition).empty());
  AppendValues(partition, {"x", "y", "z"});
  for (const int64_t offset : {0, 1, 2}) {
    EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(offset), old_epoch)),
              "LOG_EPOCH_CHANGED");
  }
  EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(1), engine().log_epoch())),
            "OK");
}

}  // namespace
}  // namespace millrace::storage
