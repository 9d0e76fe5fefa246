#include "server/hub/groups.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/server/hub/groups_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;

// ---- Where a group begins

TEST_F(GroupsTest, BeginAtTheEarliestRecord) {
  ProduceValues("orders", 0, {"a", "b"});
  const Joined member = Join(Member());
  EXPECT_FALSE(member.session.member_id.empty());
  EXPECT_EQ(member.session.member_epoch, 1);
  EXPECT_EQ(member.reader->Records(2), (Values{"0/0=a", "0/1=b"}));
}

TEST_F(GroupsTest, ResumeAtTheCommittedOffset) {
  ProduceValues("orders", 0, {"a", "b", "c"});
  const Joined first = Join(Member());
  MustCommit(first, 0, 2);
  Close(first);
  EXPECT_EQ(Join(Member()).reader->Records(1), (Values{"0/2=c"}));
}

TEST_F(GroupsTest, NeverSkipWhatCameAfterTheirFirstStart) {
  ProduceValues("orders", 0, {"before"});
  auto command = Member();
  command.start = Latest{};
  Close(Join(command));
  ProduceValues("orders", 0, {"between"});
  EXPECT_EQ(Join(command).reader->Records(1), (Values{"0/1=between"}));
}

TEST_F(GroupsTest, NeverMoveTheirStartBecauseAnotherMemberComes) {
  auto command = Member();
  command.start = Latest{};
  const Joined first = Join(command);
  ProduceValues("orders", 0, {"a"});
  ProduceValues("orders", 1, {"b"});
  const Joined second = Join(command);
  EXPECT_EQ(CommittedIn(0), 0);
  EXPECT_EQ(CommittedIn(1), 0);
}

TEST_F(GroupsTest, ReadAPartitionFromItsStartThatWasAddedLater) {
  auto command = Member();
  command.start = Latest{};
  Close(Join(command));
  ASSERT_TRUE(hub_->topics().Update("orders", {.partition_count = 3}).ok());
  ProduceValues("orders", 2, {"new"});
  EXPECT_EQ(Join(command).reader->Records(1), (Values{"2/0=new"}));
}

TEST_F(GroupsTest, IdleWhereTheirOffsetIsGoneUntilASeek) {
  ProduceValues("orders", 0, {"a", "b", "c"});
  Close(Join(Member()));
  ASSERT_TRUE(hub_->topics().Truncate("orders", {{0, Offset(2)}}).ok());
  const Joined member = Join(Member());
  const auto error = member.reader->Await<PartitionErrorFrame>();
  EXPECT_EQ(ReasonOf(error.error), Reason::kOffsetOutOfRange);
  EXPECT_EQ(error.earliest, Offset(2));
  const auto moved = hub_->subscriptions().Seek(
      *member.stream, {{.partition = {"orders", 0}, .target = StartPosition(Earliest{})}});
  ASSERT_TRUE(moved[0].ok());
  EXPECT_EQ(member.reader->Records(1), (Values{"0/2=c"}));
}

// ---- Sharing

TEST_F(GroupsTest, ShareThePartitionsAmongTheirMembers) {
  const Joined first = Join(Member());
  EXPECT_EQ(NumbersOf(first.reader->Await<AssignedFrame>()), (Numbers{0, 1}));
  const Joined second = Join(Member());
  const auto lost = first.reader->Await<LostFrame>();
  EXPECT_EQ(lost.cause, LostCause::kHandedOver);
  EXPECT_EQ(lost.partitions.size(), 1u);
  EXPECT_EQ(NumbersOf(second.reader->Await<AssignedFrame>()), NumbersOf(lost.partitions));
}

TEST_F(GroupsTest, HandAPartitionOnWhenWhatWasSentIsCommitted) {
  ProduceValues("orders", 0, {"a"});
  ProduceValues("orders", 1, {"b", "c"});
  const Joined first = Join(Member());
  first.reader->Records(3);
  const Joined second = Join(Member());
  const auto revoking = first.reader->Await<RevokingFrame>();
  ASSERT_EQ(NumbersOf(revoking.partitions), (Numbers{1}));
  EXPECT_GT(revoking.time_left, absl::Minutes(4));
  ProduceValues("orders", 1, {"d"});
  MustCommit(first, 1, 1);
  EXPECT_FALSE(second.reader->HasFrame());
  MustCommit(first, 1, 2);
  EXPECT_EQ(NumbersOf(first.reader->Await<LostFrame>().partitions), (Numbers{1}));
  EXPECT_EQ(second.reader->Records(1), (Values{"1/2=d"}));
  const auto late = Commit(CommitOf(first, 1, 3));
  EXPECT_EQ(ReasonOf((*late)[0].status()), Reason::kMemberFenced);
}

TEST_F(GroupsTest, HandAPartitionOnWhenItIsReleased) {
  ProduceValues("orders", 1, {"b", "c"});
  const Joined first = Join(Member());
  first.reader->Records(2);
  const Joined second = Join(Member());
  first.reader->Await<RevokingFrame>();
  auto release = CommitOf(first, 1, 1);
  release.released = {{"orders", 1}};
  ASSERT_TRUE(Commit(release).ok());
  EXPECT_EQ(first.reader->Await<LostFrame>().cause, LostCause::kHandedOver);
  EXPECT_EQ(second.reader->Records(1), (Values{"1/1=c"}));
}

TEST_F(GroupsTest, TakeAPartitionAwayWhenTheRevokeTimeoutHasPassed) {
  ProduceValues("orders", 1, {"b"});
  auto command = Member();
  command.revoke_timeout = absl::Milliseconds(20);
  const Joined first = Join(command);
  first.reader->Records(1);
  const Joined second = Join(Member());
  EXPECT_EQ(first.reader->Await<LostFrame>().cause, LostCause::kRevokeTimeout);
  EXPECT_EQ(second.reader->Records(1), (Values{"1/0=b"}));
}

TEST_F(GroupsTest, GiveThePartitionsOfABrokenStreamToTheOthersAtOnce) {
  const Joined first = Join(Member());
  const Joined second = Join(Member());
  second.reader->Await<AssignedFrame>();
  Close(first);
  EXPECT_EQ(second.reader->Await<AssignedFrame>().assignments.size(), 1u);
}

TEST_F(GroupsTest, KeepThePartitionsOfAnInstanceThatComesBack) {
  const Joined first = Join(Member("pod-1"));
  const Joined second = Join(Member("pod-2"));
  const Numbers had = NumbersOf(second.reader->Await<AssignedFrame>());
  Close(second);
  const Joined again = Join(Member("pod-2"));
  EXPECT_EQ(again.session.member_id, second.session.member_id);
  EXPECT_EQ(again.session.member_epoch, 2);
  EXPECT_EQ(NumbersOf(again.reader->Await<AssignedFrame>()), had);
  const auto old = Commit(CommitOf(second, had[0], 0));
  EXPECT_EQ(ReasonOf((*old)[0].status()), Reason::kMemberFenced);
}

TEST_F(GroupsTest, GiveThePartitionsOfAnInstanceAwayAfterTheGrace) {
  Restart({.groups = {.rejoin_grace = absl::Milliseconds(20)}});
  const Joined first = Join(Member("pod-1"));
  const Joined second = Join(Member("pod-2"));
  first.reader->Await<LostFrame>();
  Close(second);
  EXPECT_EQ(first.reader->Await<AssignedFrame>().assignments.size(), 1u);
}

TEST_F(GroupsTest, LetAnInstanceReplaceItself) {
  const Joined old = Join(Member("pod-1"));
  const Joined replacement = Join(Member("pod-1"));
  const auto ending = old.reader->Await<EndingFrame>();
  EXPECT_EQ(ending.reason, EndingReason::kInstanceReplaced);
  EXPECT_EQ(ReasonOf(ending.status), Reason::kInstanceReplaced);
  Close(old);
  EXPECT_EQ(replacement.reader->Await<AssignedFrame>().assignments.size(), 2u);
  MustCommit(replacement, 0, 0);
}

TEST_F(GroupsTest, LetAMemberTakeItsOwnPlaceByItsId) {
  const Joined old = Join(Member());
  auto command = Member();
  command.resume_member_id = old.session.member_id;
  const Joined resumed = Join(command);
  EXPECT_EQ(resumed.session.member_id, old.session.member_id);
  EXPECT_EQ(old.reader->Await<EndingFrame>().reason, EndingReason::kInstanceReplaced);
  command.resume_member_id = "of another life";
  EXPECT_NE(Join(command).session.member_id, "of another life");
}

TEST_F(GroupsTest, KeepThePlaceOfAMemberWhoseStreamHasReachedItsMaximumAge) {
  const Joined old = Join(Member());
  const Joined other = Join(Member());
  const Numbers of_other = NumbersOf(other.reader->Await<AssignedFrame>());
  ASSERT_EQ(of_other.size(), 1u);
  old.stream->End(EndingReason::kMaxAge);
  Close(old);
  auto command = Member();
  command.resume_member_id = old.session.member_id;
  const Joined again = Join(command);
  EXPECT_EQ(again.session.member_id, old.session.member_id);
  EXPECT_EQ(again.session.member_epoch, old.session.member_epoch + 1);
  EXPECT_EQ(NumbersOf(again.reader->Await<AssignedFrame>()), (Numbers{1 - of_other[0]}));
  MustCommit(other, of_other[0], 0);
}

TEST_F(GroupsTest, FindEverythingInPlaceAfterARestartOfTheHub) {
  Restart({});
  const Joined first = Join(Member());
  const Joined second = Join(Member("pod-2"));
  const Numbers of_second = NumbersOf(second.reader->Await<AssignedFrame>());
  hub_ = std::make_unique<Hub>(*engine_, storage::Clock::System(), HubOptions{});

  auto command = Member();
  command.resume_member_id = first.session.member_id;
  const Joined first_again = Join(command);
  EXPECT_EQ(first_again.session.member_epoch, 2);
  EXPECT_EQ(first_again.reader->Await<AssignedFrame>().assignments.size(), 1u);
  const Joined second_again = Join(Member("pod-2"));
  EXPECT_EQ(NumbersOf(second_again.reader->Await<AssignedFrame>()), of_second);
}

TEST_F(GroupsTest, WaitNoLongerThanTheSettleTimeForThoseWhoDoNotComeBack) {
  const Joined gone = Join(Member());
  hub_ = std::make_unique<Hub>(*engine_, storage::Clock::System(),
                               HubOptions{.groups = {.settle_time = absl::Milliseconds(20)}});
  const Joined newcomer = Join(Member());
  // Its fair share at once, the rest when nobody came for it.
  EXPECT_EQ(newcomer.reader->Await<AssignedFrame>().assignments.size(), 1u);
  EXPECT_EQ(newcomer.reader->Await<AssignedFrame>().assignments.size(), 1u);
}

TEST_F(GroupsTest, EndTheStreamOfAMemberThatLeaves) {
  ProduceValues("orders", 0, {"a"});
  const Joined member = Join(Member("pod-1"));
  member.reader->Records(1);
  auto command = CommitOf(member, 0, 1);
  command.leave = true;
  ASSERT_TRUE(Commit(command).ok());
  EXPECT_EQ(member.reader->Await<LostFrame>().partitions.size(), 2u);
  const auto ending = member.reader->Expect<EndingFrame>();
  EXPECT_EQ(ending.reason, EndingReason::kLeft);
  EXPECT_TRUE(ending.status.ok());
  EXPECT_EQ(CommittedIn(0), 1);
  EXPECT_EQ(Join(Member()).reader->Await<AssignedFrame>().assignments.size(), 2u);
}

TEST_F(GroupsTest, LetAMemberCommitAfterItsStreamCameToItsEnd) {
  ProduceValues("orders", 0, {"a"});
  auto command = Member();
  command.end_at_current = true;
  const Joined first = Join(command);
  EXPECT_EQ(first.reader->Await<EndingFrame>().reason, EndingReason::kEndReached);
  Close(first);
  const Joined second = Join(Member());
  MustCommit(first, 0, 1);
  ProduceValues("orders", 0, {"b"});
  EXPECT_EQ(second.reader->Records(1), (Values{"0/1=b"}));
}

TEST_F(GroupsTest, FollowATopicThatGrowsAndOneThatIsDeleted) {
  CreateTopic("returns");
  auto command = Member();
  command.topics = {"orders", "returns"};
  const Joined member = Join(command);
  EXPECT_EQ(member.reader->Await<AssignedFrame>().assignments.size(), 3u);
  ASSERT_TRUE(hub_->topics().Update("orders", {.partition_count = 3}).ok());
  EXPECT_EQ(NumbersOf(member.reader->Await<AssignedFrame>()), (Numbers{2}));
  ASSERT_TRUE(hub_->topics().Delete("returns").ok());
  const auto lost = member.reader->Await<LostFrame>();
  EXPECT_EQ(lost.cause, LostCause::kTopicDeleted);
  ProduceValues("orders", 2, {"still here"});
  EXPECT_EQ(member.reader->Records(1), (Values{"2/0=still here"}));
}

TEST_F(GroupsTest, WaitForATopicThatIsMissing) {
  auto command = Member();
  command.topics = {"orders", "later"};
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(command).status()), Reason::kTopicNotFound);
  command.allow_missing_topics = true;
  const Joined member = Join(command);
  EXPECT_EQ(member.session.missing_topics, Values{"later"});
  member.reader->Await<AssignedFrame>();
  CreateTopic("later");
  EXPECT_EQ(member.reader->Await<AssignedFrame>().assignments.size(), 1u);
}

TEST_F(GroupsTest, LetAMemberChangeItsTopics) {
  CreateTopic("returns");
  ProduceValues("orders", 0, {"a"});
  const Joined member = Join(Member());
  member.reader->Records(1);
  const auto missing =
      hub_->subscriptions().UpdateTopics(member.session.session_id, "", {"returns"});
  ASSERT_TRUE(missing.ok()) << missing.status();
  const auto lost = member.reader->Await<LostFrame>();
  EXPECT_EQ(lost.cause, LostCause::kUnsubscribed);
  EXPECT_EQ(NumbersOf(lost.partitions), (Numbers{1}));
  MustCommit(member, 0, 1);
  EXPECT_EQ(NumbersOf(member.reader->Await<LostFrame>().partitions), (Numbers{0}));
}

TEST_F(GroupsTest, BoundTheirMembers) {
  Restart({.limits = {.max_group_members = 1}});
  const Joined first = Join(Member("pod-1"));
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(Member()).status()), Reason::kLimitExceeded);
  EXPECT_EQ(Join(Member("pod-1")).session.member_epoch, 2);
}

TEST_F(GroupsTest, RefuseWhatOnlyMakesSenseForMembers) {
  SubscribeCommand command{.topics = {"orders"}, .instance_id = "pod-1"};
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(command).status()), Reason::kInvalidConfig);
  command = {.topics = {"orders"}, .max_in_flight_records = 1};
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(command).status()), Reason::kInvalidConfig);
  command = Member();
  command.max_in_flight_bytes = 0;
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(command).status()), Reason::kInvalidConfig);
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(Member("no slash/")).status()),
            Reason::kInvalidName);
}

}  // namespace
}  // namespace millrace::hub
