// Appends, commits and a producer's number in one write: all or nothing, and repeatable.
#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {

void TransactionContract::SetUp() {
  EngineContract::SetUp();
  input_ = CreateTopic("input")->partitions[0];
  output_ = CreateTopic("output")->partitions[0];
  other_ = CreateTopic("other")->partitions[0];
  AppendValues(input_, {"in 0", "in 1", "in 2"});
  producer_ = OpenProducer();
}

WriteSet TransactionContract::TransactionOf(int64_t sequence, int64_t next_offset,
                                            std::optional<int64_t> epoch) {
  const std::string name = std::to_string(sequence);
  WriteSet set = NumberedOf(output_, {name + " a", name + " b"}, producer_, sequence);
  set.appends.push_back(AppendOf(other_, {name + " c"}).appends[0]);
  set.commits = CommitOf("group", input_, next_offset, epoch).commits;
  set.durability = Durability::kSynced;
  return set;
}

void TransactionContract::ExpectNothingStored() {
  EXPECT_TRUE(ReadAll(output_).empty());
  EXPECT_TRUE(ReadAll(other_).empty());
  EXPECT_FALSE(CommittedBy("group", input_));
}

namespace {

absl::Status Fenced() {
  return Error(Reason::kMemberFenced, "the member does not have it", {{"partition", "0"}});
}

TEST_P(TransactionContract, ShowsTheRecordsOfAllTopicsWhenItAnswers) {
  const auto result = Write(TransactionOf(1, 2));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->ranges.size(), 2u);
  EXPECT_EQ(ReadAll(output_), (std::vector<ReadRecord>{{0, "1 a"}, {1, "1 b"}}));
  EXPECT_EQ(ReadAll(other_), (std::vector<ReadRecord>{{0, "1 c"}}));
  EXPECT_EQ(CommittedBy("group", input_)->next_offset, Offset(2));
}

TEST_P(TransactionContract, AppendsTwiceToOnePartitionInOrder) {
  WriteSet set = TransactionOf(1, 1);
  set.appends.push_back(AppendOf(output_, {"1 d"}).appends[0]);
  set.appends[0].expected_next_offset = Offset(0);
  set.appends[2].expected_next_offset = Offset(2);
  const auto result = Write(set);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->ranges.size(), 3u);
  EXPECT_EQ(result->ranges[0].base_offset, Offset(0));
  EXPECT_EQ(result->ranges[2].base_offset, Offset(2));
  EXPECT_EQ(ReadAll(output_), (std::vector<ReadRecord>{{0, "1 a"}, {1, "1 b"}, {2, "1 d"}}));
  const auto again = Write(set);
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(again->ranges.size(), 3u);
  EXPECT_EQ(again->ranges[2].base_offset, Offset(2));
}

TEST_P(TransactionContract, StoresNothingWhereOneCommitIsRefused) {
  const auto refused = Write(TransactionOf(1, 4));
  EXPECT_EQ(ReasonWord(refused), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(MetadataOf(refused.status())["partition_id"], std::to_string(input_.value()));
  ExpectNothingStored();
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", input_, 1, 5))), "OK");
  EXPECT_EQ(ReasonWord(Write(TransactionOf(1, 3, 4))), "SUPERSEDED");
  EXPECT_TRUE(ReadAll(output_).empty());
  EXPECT_TRUE(ReadAll(other_).empty());
  EXPECT_EQ(CommittedBy("group", input_)->next_offset, Offset(1));
  // The number was not used up.
  const auto stored = Write(TransactionOf(1, 3, 5));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(stored->duplicate);
}

TEST_P(TransactionContract, StoresNothingWhereOneAppendIsRefused) {
  WriteSet set = TransactionOf(1, 2);
  set.appends[1].expected_next_offset = Offset(3);
  const auto refused = Write(set);
  EXPECT_EQ(ReasonWord(refused), "UNEXPECTED_OFFSET");
  EXPECT_EQ(MetadataOf(refused.status())["partition_id"], std::to_string(other_.value()));
  set.appends[1].expected_next_offset = Offset(0);
  set.appends[0].partition = PartitionId(999'999);
  EXPECT_EQ(ReasonWord(Write(set)), "TOPIC_NOT_FOUND");
  ExpectNothingStored();
}

TEST_P(TransactionContract, StoresNothingOfASetThatTheCallerRefuses) {
  WriteSet set = TransactionOf(1, 2);
  set.refusal = Fenced();
  const auto refused = Write(set);
  EXPECT_EQ(ReasonWord(refused), "MEMBER_FENCED");
  EXPECT_EQ(MetadataOf(refused.status())["partition"], "0");
  ExpectNothingStored();
  set.refusal = absl::OkStatus();
  const auto stored = Write(set);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(stored->duplicate);
}

TEST_P(TransactionContract, AnswersARepetitionThoughTheCallerRefusesItNow) {
  WriteSet set = TransactionOf(1, 2);
  const auto first = Write(set);
  ASSERT_TRUE(first.ok()) << first.status();
  set.refusal = Fenced();
  const auto again = Write(set);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->annotation, "annotation 1");
  ASSERT_EQ(again->ranges.size(), 2u);
  EXPECT_EQ(again->ranges[1].base_offset, first->ranges[1].base_offset);
  EXPECT_EQ(*again->commits[0], Offset(2));
  EXPECT_EQ(ReadAll(output_).size(), 2u);
}

TEST_P(TransactionContract, AnswersARefusedRepetitionWhoseOutcomeIsForgotten) {
  const int64_t last = engine().producer_window() + 1;
  for (int64_t sequence = 1; sequence <= last; ++sequence) {
    ASSERT_EQ(ReasonWord(Write(TransactionOf(sequence, 1))), "OK");
  }
  WriteSet set = TransactionOf(1, 1);
  set.refusal = Fenced();
  const auto again = Write(set);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_TRUE(again->result_expired);
  EXPECT_TRUE(again->ranges.empty());
}

TEST_P(TransactionContract, FindsAZombieAGapAndAnUnexpectedOffsetBeforeTheRefusal) {
  const ProducerState zombie = producer_;
  producer_ = OpenProducer();
  const auto reason = [&](const ProducerState& producer, int64_t sequence, int64_t expected) {
    WriteSet set = TransactionOf(sequence, 9);
    set.producer->epoch = producer.epoch;
    set.appends[0].expected_next_offset = Offset(expected);
    set.refusal = Fenced();
    return ReasonWord(Write(std::move(set)));
  };
  EXPECT_EQ(reason(zombie, 7, 5), "PRODUCER_FENCED");
  EXPECT_EQ(reason(producer_, 7, 5), "SEQUENCE_GAP");
  EXPECT_EQ(reason(producer_, 1, 5), "UNEXPECTED_OFFSET");
  EXPECT_EQ(reason(producer_, 1, 0), "MEMBER_FENCED");
  ExpectNothingStored();
}

}  // namespace
}  // namespace millrace::storage
