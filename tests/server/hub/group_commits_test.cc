#include <gtest/gtest.h>

#include <string>

#include "tests/server/hub/groups_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;

TEST_F(GroupsTest, FenceTheCommitsOfAFormerMember) {
  ProduceValues("orders", 0, {"a"});
  const Joined former = Join(Member());
  Close(former);
  const Joined present = Join(Member());
  const auto outcome = Commit(CommitOf(former, 0, 1));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(ReasonOf((*outcome)[0].status()), Reason::kMemberFenced);
  EXPECT_EQ(CommittedIn(0), 0);
}

TEST_F(GroupsTest, LetNobodyElseCommitWhileThereIsAMember) {
  CommitCommand outside{.group = "billing", .entries = {{.topic = "orders"}}};
  EXPECT_TRUE(Commit(outside).ok());
  const Joined member = Join(Member());
  EXPECT_EQ(ReasonOf(Commit(outside).status()), Reason::kGroupHasMembers);
}

TEST_F(GroupsTest, JudgeEveryEntryOfACommitByItself) {
  ProduceValues("orders", 0, {"a", "b"});
  CommitCommand command{.group = "billing"};
  command.entries = {{.topic = "orders", .partition = 0, .next_offset = Offset(2)},
                     {.topic = "orders", .partition = 0, .next_offset = Offset(3)},
                     {.topic = "orders", .partition = 9, .next_offset = Offset(0)},
                     {.topic = "none", .partition = 0, .next_offset = Offset(0)},
                     {.topic = "orders",
                      .partition = 1,
                      .next_offset = Offset(0),
                      .metadata = std::string(5000, 'm')},
                     {.topic = "orders", .partition = 1, .next_offset = Offset(-1)}};
  const auto outcome = Commit(command);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(*(*outcome)[0], Offset(2));
  EXPECT_EQ(ReasonOf((*outcome)[1].status()), Reason::kOffsetOutOfRange);
  EXPECT_EQ(ReasonOf((*outcome)[2].status()), Reason::kPartitionOutOfRange);
  EXPECT_EQ(ReasonOf((*outcome)[3].status()), Reason::kTopicNotFound);
  EXPECT_EQ(ReasonOf((*outcome)[4].status()), Reason::kMetadataTooLarge);
  EXPECT_EQ(ReasonOf((*outcome)[5].status()), Reason::kOffsetOutOfRange);
}

TEST_F(GroupsTest, NeverMoveBackButAfterASeek) {
  ProduceValues("orders", 0, {"a", "b"});
  const Joined member = Join(Member());
  const auto assigned = member.reader->Await<AssignedFrame>();
  MustCommit(member, 0, 2);
  EXPECT_EQ(*(*Commit(CommitOf(member, 0, 1)))[0], Offset(2));
  const auto moved = hub_->subscriptions().Seek(
      *member.stream, {{.partition = {"orders", 0}, .target = Offset(0)}});
  ASSERT_TRUE(moved[0].ok());
  MustCommit(member, 0, 0);
  EXPECT_EQ(CommittedIn(0), 0);
  auto old = CommitOf(member, 0, 2);
  old.entries[0].position_epoch = assigned.assignments[0].position_epoch;
  EXPECT_EQ(ReasonOf((*Commit(old))[0].status()), Reason::kSuperseded);
  old.entries[0].position_epoch = moved[0]->position_epoch + 1;
  EXPECT_EQ(ReasonOf((*Commit(old))[0].status()), Reason::kInvalidConfig);
}

TEST_F(GroupsTest, HoldBackWhatIsOverTheBoundOfAMemberUntilItCommits) {
  ProduceValues("orders", 0, {"a", "b", "c", "d"});
  auto command = Member();
  command.max_in_flight_records = 2;
  command.heartbeat_interval = absl::Milliseconds(100);
  const Joined member = Join(command);
  EXPECT_EQ(member.reader->Records(2), (Values{"0/0=a", "0/1=b"}));
  const auto heartbeat = member.reader->Await<HeartbeatFrame>();
  EXPECT_EQ(NumbersOf(heartbeat.waiting_for_commit), (Numbers{0}));
  ProduceValues("orders", 1, {"of another partition"});
  EXPECT_EQ(member.reader->Records(1), (Values{"1/0=of another partition"}));
  MustCommit(member, 1, 1);
  MustCommit(member, 0, 2);
  EXPECT_EQ(member.reader->Records(2), (Values{"0/2=c", "0/3=d"}));
}

TEST_F(GroupsTest, TakeAPartitionAwayThatStaysUncommittedForTooLong) {
  ProduceValues("orders", 0, {"a"});
  auto command = Member();
  command.max_uncommitted_age = absl::Milliseconds(50);
  const Joined first = Join(command);
  first.reader->Records(1);
  EXPECT_EQ(first.reader->Await<LostFrame>().cause, LostCause::kUncommittedTooLong);
  EXPECT_EQ(first.reader->Records(1), (Values{"0/0=a"}));  // Nobody else was there to have it.
}

}  // namespace
}  // namespace millrace::hub
