// Numbered writes: duplicates, gaps, fencing, the window of outcomes, expiry.
#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(EngineContract, StartsAProducerWithEpochsThatRise) {
  const ProducerState first = OpenProducer();
  const ProducerState second = OpenProducer();
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_EQ(first.last_sequence, 0);
  EXPECT_EQ(second.last_sequence, 0);
}

TEST_P(EngineContract, AnswersARepeatedWriteWithTheFirstOutcome) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  AppendValues(partition, {"before"});
  const auto first = Write(NumberedOf(partition, {"a", "b"}, producer, 1));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->duplicate);
  AppendValues(partition, {"between"});

  WriteSet repeated = NumberedOf(partition, {"a", "b"}, producer, 1);
  repeated.producer->annotation = "another";
  repeated.appends[0].expected_next_offset = Offset(99);  // Not looked at any more.
  const auto again = Write(std::move(repeated));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_FALSE(again->result_expired);
  EXPECT_EQ(again->annotation, "annotation 1");
  ASSERT_EQ(again->ranges.size(), 1u);
  EXPECT_EQ(again->ranges[0].partition, partition);
  EXPECT_EQ(again->ranges[0].base_offset, Offset(1));
  EXPECT_EQ(again->ranges[0].record_count, 2);
  EXPECT_EQ(ReadAll(partition).size(), 4u);
}

TEST_P(EngineContract, KnowsARepetitionOfAWriteThatIsStillUnderWay) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  WriteSet set = NumberedOf(partition, {"a"}, producer, 1);
  set.durability = Durability::kSynced;
  PendingWrite first = StartWrite(std::move(set));
  PendingWrite second = StartWrite(NumberedOf(partition, {"a"}, producer, 1));
  const auto again = second.Wait();
  ASSERT_EQ(ReasonWord(first.Wait()), "OK");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(ReadAll(partition).size(), 1u);
}

TEST_P(EngineContract, KeepsTheOutcomesOfTheWindowOnly) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  const int64_t window = engine().producer_window();
  ASSERT_EQ(window, settings().producer_window);
  for (int64_t sequence = 1; sequence <= window + 2; ++sequence) {
    ASSERT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, sequence))), "OK");
  }
  for (int64_t sequence = 1; sequence <= window + 2; ++sequence) {
    const auto again = Write(NumberedOf(partition, {"x"}, producer, sequence));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(again->duplicate);
    const bool expired = sequence <= 2;
    EXPECT_EQ(again->result_expired, expired) << sequence;
    if (expired) {
      EXPECT_TRUE(again->ranges.empty());
    } else {
      ASSERT_EQ(again->ranges.size(), 1u);
      EXPECT_EQ(again->ranges[0].base_offset, Offset(sequence - 1));
      EXPECT_EQ(again->annotation, "annotation " + std::to_string(sequence));
    }
  }
  EXPECT_EQ(ReadAll(partition).size(), static_cast<size_t>(window + 2));
}

TEST_P(EngineContract, RefusesAGapAndTellsTheExpectedSequence) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  const auto early = Write(NumberedOf(partition, {"x"}, producer, 2));
  EXPECT_EQ(ReasonWord(early), "SEQUENCE_GAP");
  EXPECT_EQ(MetadataOf(early.status())["expected_sequence"], "1");
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 1))), "OK");
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 3))), "SEQUENCE_GAP");
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 0))), "SEQUENCE_GAP");
  EXPECT_EQ(ReadAll(partition).size(), 1u);
}

TEST_P(EngineContract, DoesNotUseUpTheNumberOfARefusedWrite) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  WriteSet refused = NumberedOf(partition, {"x"}, producer, 1);
  refused.appends[0].expected_next_offset = Offset(5);
  EXPECT_EQ(ReasonWord(Write(std::move(refused))), "UNEXPECTED_OFFSET");
  const auto stored = Write(NumberedOf(partition, {"x"}, producer, 1));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(stored->duplicate);
}

TEST_P(EngineContract, FencesOlderEpochsBeforeAnythingElse) {
  const PartitionId partition = CreatePartition();
  const ProducerState old = OpenProducer();
  ASSERT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, old, 1))), "OK");
  const ProducerState current = OpenProducer();
  EXPECT_EQ(current.last_sequence, 1);
  for (const int64_t sequence : {1, 2, 9}) {  // A duplicate, the next one, a gap.
    EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, old, sequence))), "PRODUCER_FENCED");
  }
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, old, 2))), "PRODUCER_FENCED");
}

TEST_P(EngineContract, GoesOnWithTheSequenceInANewEpoch) {
  const PartitionId partition = CreatePartition();
  const ProducerState old = OpenProducer();
  ASSERT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, old, 1))), "OK");
  const ProducerState current = OpenProducer();
  const auto again = Write(NumberedOf(partition, {"x"}, current, 1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  const auto next = Write(NumberedOf(partition, {"y"}, current, 2));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_FALSE(next->duplicate);
  EXPECT_EQ(ReadAll(partition).size(), 2u);
}

TEST_P(EngineContract, DoesNotKnowAProducerThatWasNeverOpened) {
  const PartitionId partition = CreatePartition();
  const ProducerState nobody{.epoch = ProducerEpoch(1)};
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, nobody, 1))), "PRODUCER_UNKNOWN");
  const ProducerState future{.epoch = OpenProducer().epoch + 1};
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, future, 1))), "PRODUCER_UNKNOWN");
}

TEST_P(EngineContract, ChecksTheSequenceBeforeThePartition) {
  const PartitionId partition = CreatePartition();
  const ProducerState producer = OpenProducer();
  ASSERT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 1))), "OK");
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  const auto again = Write(NumberedOf(partition, {"x"}, producer, 1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 3))), "SEQUENCE_GAP");
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, producer, 2))), "TOPIC_NOT_FOUND");
}

TEST_P(EngineContract, ForgetsProducersThatAreIdleForLong) {
  const PartitionId partition = CreatePartition();
  const ProducerState idle = OpenProducer();
  ASSERT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, idle, 1))), "OK");
  clock_.Advance(absl::Hours(2));
  const ProducerState busy = OpenProducer("busy");
  WriteSet set = NumberedOf(partition, {"y"}, busy, 1);
  set.producer->producer_id = "busy";
  ASSERT_EQ(ReasonWord(Write(set)), "OK");
  ASSERT_TRUE(engine().ExpireProducers(absl::Hours(1)).ok());
  EXPECT_EQ(ReasonWord(Write(NumberedOf(partition, {"x"}, idle, 2))), "PRODUCER_UNKNOWN");
  const auto again = Write(set);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(OpenProducer().last_sequence, 0);
}

TEST_P(EngineContract, StoresAppendsCommitsAndTheNumberTogether) {
  const TopicPtr topic = CreateTopic("topic", 2);
  const ProducerState producer = OpenProducer();
  AppendValues(topic->partitions[0], {"input"});
  WriteSet set = NumberedOf(topic->partitions[1], {"output"}, producer, 1);
  set.commits = CommitOf("group", topic->partitions[0], 1).commits;
  set.durability = Durability::kSynced;
  const auto first = Write(set);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->commits.size(), 1u);
  EXPECT_EQ(*first->commits[0], Offset(1));
  const auto again = Write(set);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(ReadAll(topic->partitions[1]).size(), 1u);
  EXPECT_EQ(CommittedBy("group", topic->partitions[0])->next_offset, Offset(1));
}

TEST_P(EngineContract, RefusesANumberedSetOfCommitsAsAWhole) {
  const TopicPtr topic = CreateTopic("topic", 2);
  const ProducerState producer = OpenProducer();
  WriteSet set = CommitOf("group", topic->partitions[0], 0);
  set.commits.push_back(CommitOf("group", topic->partitions[1], 5).commits[0]);
  set.producer = ProducerStamp{.producer_id = "producer", .epoch = producer.epoch, .sequence = 1};
  EXPECT_EQ(ReasonWord(Write(set)), "OFFSET_OUT_OF_RANGE");
  EXPECT_FALSE(CommittedBy("group", topic->partitions[0]));
  set.commits.pop_back();
  const auto stored = Write(set);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(stored->duplicate);
}

}  // namespace
}  // namespace millrace::storage
