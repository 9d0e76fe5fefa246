// What an engine that keeps its data finds again, after a close and after a kill.
#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(DurableEngineContract, FindsRecordsAgainAfterAClose) {
  const TopicPtr topic = CreateTopic("topic", 2, {.max_age = absl::Hours(1)});
  AppendValues(topic->partitions[0], {"a", "b"});
  AppendValues(topic->partitions[1], {"c"}, Durability::kSynced);
  const PartitionStatus before = *engine().Status(topic->partitions[0]);
  const std::string hub_id = engine().hub_id();
  const LogEpoch epoch = engine().log_epoch();
  ReopenAfterClose();
  EXPECT_EQ(engine().hub_id(), hub_id);
  EXPECT_EQ(engine().log_epoch(), epoch);
  const TopicPtr found = engine().FindTopic("topic");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->partitions, topic->partitions);
  EXPECT_EQ(found->retention, topic->retention);
  EXPECT_EQ(absl::ToUnixMillis(found->create_time), absl::ToUnixMillis(topic->create_time));
  EXPECT_EQ(ReadAll(topic->partitions[0]), (std::vector<ReadRecord>{{0, "a"}, {1, "b"}}));
  const PartitionStatus after = *engine().Status(topic->partitions[0]);
  EXPECT_EQ(after.size_bytes, before.size_bytes);
  EXPECT_EQ(after.last_append_time, before.last_append_time);
  EXPECT_EQ(AppendValues(topic->partitions[0], {"d"}), Offset(2));
}

TEST_P(DurableEngineContract, FindsAnsweredRecordsAgainAfterAKill) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"buffered"});
  AppendValues(partition, {"synced"}, Durability::kSynced);
  AppendValues(partition, {"buffered again"});
  ReopenAfterKill();
  EXPECT_EQ(ReadAll(partition),
            (std::vector<ReadRecord>{{0, "buffered"}, {1, "synced"}, {2, "buffered again"}}));
}

TEST_P(DurableEngineContract, RaisesTheLogEpochAfterAKillAndInvalidatesNothing) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"}, Durability::kSynced);
  const LogEpoch before = engine().log_epoch();
  ReopenAfterKill();
  EXPECT_GT(engine().log_epoch(), before);
  EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(2), before)), "OK");
  AppendValues(partition, {"c"});
  EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(2), before)), "OK");
  EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(3), before)),
            "LOG_EPOCH_CHANGED");
  ReopenAfterClose();
  EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(3), before)),
            "LOG_EPOCH_CHANGED");
}

TEST_P(DurableEngineContract, TakesAKillForOneWhateverTheEndBeforeWas) {
  const LogEpoch first = engine().log_epoch();
  ReopenAfterClose();
  EXPECT_EQ(engine().log_epoch(), first);
  ReopenAfterKill();
  EXPECT_GT(engine().log_epoch(), first);
}

TEST_P(DurableEngineContract, RemembersProducersOverAKill) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  for (int64_t sequence = 1; sequence <= 6; ++sequence) {
    ASSERT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, sequence))), "OK");
  }
  ReopenAfterKill();
  const auto known = Write(NumberedOf(partition, {"x"}, producer, 5));
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_TRUE(known->duplicate);
  ASSERT_EQ(known->ranges.size(), 1u);
  EXPECT_EQ(known->ranges[0].base_offset, Offset(4));
  EXPECT_EQ(known->annotation, "annotation 5");
  const auto expired = Write(NumberedOf(partition, {"x"}, producer, 1));
  ASSERT_TRUE(expired.ok()) << expired.status();
  EXPECT_TRUE(expired->result_expired);
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 8))), "SEQUENCE_GAP");
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 7))), "OK");
  const ProducerState next = OpenProducer();
  EXPECT_GT(next.epoch, producer.epoch);
  EXPECT_EQ(next.last_sequence, 7);
}

TEST_P(DurableEngineContract, KeepsAProducerFencedOverAKill) {
  const PartitionId partition = CreatePartition();
  const ProducerState old = OpenProducer();
  OpenProducer();
  ReopenAfterKill();
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, old, 1))), "PRODUCER_FENCED");
}

TEST_P(DurableEngineContract, RemembersCommittedOffsets) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 2, 5, "note"))), "OK");
  ASSERT_EQ(ReasonWord(Write(CommitOf("gone", partition, 1))), "OK");
  ASSERT_TRUE(engine().DeleteGroup("gone").ok());
  ReopenAfterKill();
  const auto committed = CommittedBy("group", partition);
  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->next_offset, Offset(2));
  EXPECT_EQ(committed->metadata, "note");
  EXPECT_EQ(committed->position_epoch, PositionEpoch(5));
  EXPECT_EQ(engine().Groups(), (std::vector<std::string>{"group"}));
  EXPECT_EQ(ReasonWord(Write(CommitOf("group", partition, 1, 4))->commits[0]), "SUPERSEDED");
}

TEST_P(DurableEngineContract, RemembersTheStateOfAGroup) {
  ASSERT_TRUE(engine().PutGroupState("group", "state").ok());
  ReopenAfterKill();
  EXPECT_EQ(*engine().GroupState("group"), "state");
}

TEST_P(DurableEngineContract, KeepsTheStartOfATruncatedPartition) {
  const TopicPtr topic = CreateTopic("topic", 2);
  for (const PartitionId partition : topic->partitions) AppendValues(partition, {"a", "b", "c"});
  ASSERT_TRUE(engine().Truncate(topic->partitions[0], Offset(1)).ok());
  ASSERT_TRUE(engine().Truncate(topic->partitions[1], Offset(3)).ok());
  ReopenAfterKill();
  EXPECT_EQ(engine().Status(topic->partitions[0])->earliest, Offset(1));
  EXPECT_EQ(ReadAll(topic->partitions[0], Offset(1)),
            (std::vector<ReadRecord>{{1, "b"}, {2, "c"}}));
  EXPECT_EQ(engine().Status(topic->partitions[1])->earliest, Offset(3));
  EXPECT_EQ(AppendValues(topic->partitions[1], {"d"}), Offset(3));
}

TEST_P(DurableEngineContract, KeepsTheCatalogueOverAKill) {
  CreateTopic("kept", 1);
  const TopicPtr gone = CreateTopic("gone", 2);
  AppendValues(gone->partitions[1], {"a"}, Durability::kSynced);
  ASSERT_TRUE(engine().UpdateTopic("kept", {.partition_count = 4}).ok());
  ASSERT_TRUE(engine().DeleteTopic("gone").ok());
  ReopenAfterKill();
  EXPECT_EQ(engine().FindTopic("gone"), nullptr);
  ASSERT_NE(engine().FindTopic("kept"), nullptr);
  EXPECT_EQ(engine().FindTopic("kept")->partitions.size(), 4u);
  EXPECT_EQ(ReasonWord(Read(gone->partitions[1], Offset(0))), "TOPIC_NOT_FOUND");
  for (const PartitionId id : CreateTopic("next", 2)->partitions) {
    for (const PartitionId old : gone->partitions) EXPECT_NE(id, old);
  }
}

TEST_P(DurableEngineContract, FindsOffsetsByTimeAfterAKill) {
  const PartitionId partition = CreateTopic("topic", 1, {.max_age = absl::Hours(1)})->partitions[0];
  const absl::Time start = clock_.Now();
  for (int i = 0; i < 10; ++i) {
    AppendValues(partition, {std::to_string(i)});
    clock_.Advance(absl::Minutes(10));
  }
  ReopenAfterKill();
  EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Minutes(30)), Offset(3));
  clock_.Advance(absl::Seconds(30));
  ASSERT_TRUE(engine().EnforceRetention().ok());
  EXPECT_EQ(engine().Status(partition)->earliest, Offset(5));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start), Offset(5));
}

}  // namespace
}  // namespace millrace::storage
