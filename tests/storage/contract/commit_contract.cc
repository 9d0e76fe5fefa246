// Offsets that groups commit.
#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(EngineContract, KnowsNothingOfAGroupThatNeverCommitted) {
  const auto offsets = engine().CommittedOffsets("nobody");
  ASSERT_TRUE(offsets.ok());
  EXPECT_TRUE(offsets->empty());
  EXPECT_TRUE(engine().Groups().empty());
}

TEST_P(EngineContract, GivesBackWhatAGroupCommitted) {
  const TopicPtr topic = CreateTopic("topic", 2);
  AppendValues(topic->partitions[0], {"a", "b"});
  AppendValues(topic->partitions[1], {"c"});
  WriteSet set = CommitOf("group", topic->partitions[1], 1, 7, "note");
  set.commits.push_back(CommitOf("group", topic->partitions[0], 2).commits[0]);
  const auto result = Write(std::move(set));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->commits.size(), 2u);
  EXPECT_EQ(*result->commits[0], Offset(1));
  EXPECT_EQ(*result->commits[1], Offset(2));

  const auto offsets = engine().CommittedOffsets("group");
  ASSERT_TRUE(offsets.ok());
  ASSERT_EQ(offsets->size(), 2u);
  EXPECT_EQ((*offsets)[0].partition, topic->partitions[0]);
  EXPECT_EQ((*offsets)[0].next_offset, Offset(2));
  EXPECT_EQ((*offsets)[0].position_epoch, PositionEpoch(0));
  EXPECT_EQ((*offsets)[1].partition, topic->partitions[1]);
  EXPECT_EQ((*offsets)[1].metadata, "note");
  EXPECT_EQ((*offsets)[1].position_epoch, PositionEpoch(7));
  EXPECT_EQ(absl::ToUnixMillis((*offsets)[1].commit_time), absl::ToUnixMillis(clock_.Now()));
}

TEST_P(EngineContract, KeepsGroupsApart) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("b", partition, 1))), "OK");
  ASSERT_EQ(ReasonWord(Write(CommitOf("a", partition, 2))), "OK");
  ASSERT_EQ(ReasonWord(Write(CommitOf("a.b", partition, 0))), "OK");
  EXPECT_EQ(engine().Groups(), (std::vector<std::string>{"a", "a.b", "b"}));
  EXPECT_EQ(CommittedBy("a", partition)->next_offset, Offset(2));
  EXPECT_EQ(CommittedBy("b", partition)->next_offset, Offset(1));
}

TEST_P(EngineContract, LetsTheLargerOffsetOfOneEpochWin) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 2, 5, "two"))), "OK");
  const auto smaller = Write(CommitOf("group", partition, 1, 5, "one"));
  ASSERT_TRUE(smaller.ok()) << smaller.status();
  ASSERT_TRUE(smaller->commits[0].ok()) << smaller->commits[0].status();
  EXPECT_EQ(*smaller->commits[0], Offset(2));
  EXPECT_EQ(CommittedBy("group", partition)->metadata, "two");
  EXPECT_EQ(*Write(CommitOf("group", partition, 3, 5))->commits[0], Offset(3));
  EXPECT_EQ(CommittedBy("group", partition)->next_offset, Offset(3));
}

TEST_P(EngineContract, LetsANewerPositionEpochMoveBack) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 3, 5))), "OK");
  EXPECT_EQ(*Write(CommitOf("group", partition, 1, 6))->commits[0], Offset(1));
  EXPECT_EQ(CommittedBy("group", partition)->position_epoch, PositionEpoch(6));
}

TEST_P(EngineContract, SupersedesACommitOfAnOlderPositionEpoch) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 1, 5, "kept"))), "OK");
  const auto result = Write(CommitOf("group", partition, 3, 4));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(ReasonWord(result->commits[0]), "SUPERSEDED");
  EXPECT_EQ(CommittedBy("group", partition)->next_offset, Offset(1));
  EXPECT_EQ(CommittedBy("group", partition)->metadata, "kept");
}

TEST_P(EngineContract, KeepsThePositionEpochUnderACommitWithoutOne) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 3, 5))), "OK");
  EXPECT_EQ(*Write(CommitOf("group", partition, 1))->commits[0], Offset(1));
  EXPECT_EQ(CommittedBy("group", partition)->position_epoch, PositionEpoch(5));
  EXPECT_EQ(ReasonWord(Write(CommitOf("group", partition, 2, 4))->commits[0]), "SUPERSEDED");
}

TEST_P(EngineContract, RefusesACommitOutsideOfThePartition) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"});
  for (const int64_t offset : {int64_t{-1}, int64_t{3}}) {
    const auto result = Write(CommitOf("group", partition, offset));
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(ReasonWord(result->commits[0]), "OFFSET_OUT_OF_RANGE");
    EXPECT_EQ(MetadataOf(result->commits[0].status())["latest"], "2");
  }
  EXPECT_EQ(ReasonWord(Write(CommitOf("group", partition, 2))->commits[0]), "OK");
}

TEST_P(EngineContract, JudgesCommitsOfASetWithoutAppendsOneByOne) {
  const TopicPtr topic = CreateTopic("topic", 3);
  AppendValues(topic->partitions[0], {"a"});
  AppendValues(topic->partitions[2], {"b"});
  WriteSet set = CommitOf("group", topic->partitions[0], 1);
  set.commits.push_back(CommitOf("group", topic->partitions[1], 1).commits[0]);
  set.commits.push_back(CommitOf("group", topic->partitions[2], 1).commits[0]);
  set.commits.push_back(CommitOf("group", PartitionId(999'999), 0).commits[0]);
  const auto result = Write(std::move(set));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->commits.size(), 4u);
  EXPECT_EQ(ReasonWord(result->commits[0]), "OK");
  EXPECT_EQ(ReasonWord(result->commits[1]), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(ReasonWord(result->commits[2]), "OK");
  EXPECT_EQ(ReasonWord(result->commits[3]), "TOPIC_NOT_FOUND");
  EXPECT_EQ(engine().CommittedOffsets("group")->size(), 2u);
}

TEST_P(EngineContract, StoresNothingOfASetWithAppendsAndARefusedCommit) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a"});
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 1, 5))), "OK");
  WriteSet set = AppendOf(partition, {"b"});
  set.commits = CommitOf("other", partition, 1).commits;
  set.commits.push_back(CommitOf("group", partition, 1, 4).commits[0]);
  EXPECT_EQ(ReasonWord(Write(std::move(set))), "SUPERSEDED");
  EXPECT_EQ(ReadAll(partition).size(), 1u);
  EXPECT_FALSE(CommittedBy("other", partition));
}

TEST_P(EngineContract, CommitsUpToTheEndOfTheSameWrite) {
  const PartitionId partition = CreatePartition();
  WriteSet set = AppendOf(partition, {"a", "b"});
  set.commits = CommitOf("group", partition, 2).commits;
  EXPECT_EQ(ReasonWord(Write(std::move(set))), "OK");
  EXPECT_EQ(CommittedBy("group", partition)->next_offset, Offset(2));
}

TEST_P(EngineContract, JudgesTwoCommitsOfOneSetInTheirOrder) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"});
  WriteSet set = CommitOf("group", partition, 2, 5);
  set.commits.push_back(CommitOf("group", partition, 1, 5).commits[0]);
  set.commits.push_back(CommitOf("group", partition, 1, 4).commits[0]);
  const auto result = Write(std::move(set));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result->commits[0], Offset(2));
  EXPECT_EQ(*result->commits[1], Offset(2));
  EXPECT_EQ(ReasonWord(result->commits[2]), "SUPERSEDED");
  EXPECT_EQ(CommittedBy("group", partition)->next_offset, Offset(2));
}

TEST_P(EngineContract, ForgetsAGroupThatIsDeleted) {
  const PartitionId partition = CreatePartition();
  ASSERT_EQ(ReasonWord(Write(CommitOf("group", partition, 0, 9))), "OK");
  ASSERT_EQ(ReasonWord(Write(CommitOf("group.other", partition, 0))), "OK");
  ASSERT_TRUE(engine().DeleteGroup("group").ok());
  EXPECT_TRUE(engine().DeleteGroup("group").ok());
  EXPECT_FALSE(CommittedBy("group", partition));
  EXPECT_EQ(engine().Groups(), (std::vector<std::string>{"group.other"}));
  // Its position epoch went too.
  EXPECT_EQ(ReasonWord(Write(CommitOf("group", partition, 0, 1))->commits[0]), "OK");
}

TEST_P(EngineContract, KeepsTheStateOfAGroupAsItIsUntilItIsPutAnewOrTheGroupDeleted) {
  EXPECT_EQ(*engine().GroupState("group"), "");
  const std::string state("\0any bytes\xff", 11);
  ASSERT_TRUE(engine().PutGroupState("group", state).ok());
  ASSERT_TRUE(engine().PutGroupState("group.other", "other").ok());
  EXPECT_EQ(*engine().GroupState("group"), state);
  ASSERT_TRUE(engine().PutGroupState("group", "").ok());
  EXPECT_EQ(*engine().GroupState("group"), "");
  ASSERT_TRUE(engine().DeleteGroup("group.other").ok());
  EXPECT_EQ(*engine().GroupState("group.other"), "");
}

}  // namespace
}  // namespace millrace::storage
