#include "server/hub/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/hub/group_inspection.h"
#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;
using Values = std::vector<std::string>;

class GroupsTest : public HubFixture {
 protected:
  GroupsTest() { CreateTopic("orders", 2); }

  static SubscribeCommand Member(const std::string& instance_id = "") {
    return {.topics = {"orders"}, .group = "billing", .instance_id = instance_id};
  }

  // Begins anew with these options and a topic "orders" of two partitions.
  void Restart(HubOptions options) {
    Start(std::move(options));
    CreateTopic("orders", 2);
  }

  // The member's reader, its session_started frame read.
  struct Joined {
    std::shared_ptr<Subscription> stream;
    std::unique_ptr<FrameReader> reader;
    SessionStartedFrame session;
  };
  Joined Join(const SubscribeCommand& command) {
    Joined joined{.stream = Subscribe(command)};
    joined.reader = std::make_unique<FrameReader>(joined.stream);
    joined.session = joined.reader->Expect<SessionStartedFrame>();
    return joined;
  }

  CommitCommand CommitOf(const Joined& member, int32_t partition, int64_t next_offset) {
    return {.group = "billing",
            .member_id = member.session.member_id,
            .member_epoch = member.session.member_epoch,
            .entries = {
                {.topic = "orders", .partition = partition, .next_offset = Offset(next_offset)}}};
  }

  // Commits, and expects that it is accepted.
  void MustCommit(const Joined& member, int32_t partition, int64_t next_offset) {
    const auto outcome = Commit(CommitOf(member, partition, next_offset));
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_TRUE((*outcome)[0].ok()) << (*outcome)[0].status();
  }

  void Close(const Joined& member) { hub_->subscriptions().Close(member.stream); }

  int64_t CommittedIn(int32_t partition) {
    const auto committed = hub_->groups().Committed("billing", {{"orders", partition}});
    return (*committed)[0].committed ? (*committed)[0].committed->next_offset.value() : -1;
  }
};

std::vector<int32_t> NumbersOf(const std::vector<PartitionName>& names) {
  std::vector<int32_t> numbers;
  for (const PartitionName& name : names) numbers.push_back(name.partition);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<int32_t> NumbersOf(const AssignedFrame& frame) {
  std::vector<PartitionName> names;
  for (const Assignment& each : frame.assignments) names.push_back(each.name);
  return NumbersOf(names);
}

using Numbers = std::vector<int32_t>;

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

// ---- Commits

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

// ---- Looking and changing

TEST_F(GroupsTest, TellWhatIsCommittedAndWhatIsNot) {
  ASSERT_TRUE(Commit({.group = "billing",
                      .entries = {{.topic = "orders", .partition = 1, .metadata = "note"}}})
                  .ok());
  const auto asked = hub_->groups().Committed("billing", {{"orders", 0}, {"orders", 1}});
  ASSERT_TRUE(asked.ok());
  EXPECT_FALSE((*asked)[0].committed.has_value());
  EXPECT_EQ((*asked)[1].committed->metadata, "note");
  const auto all = hub_->groups().Committed("billing", {});
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ((*all)[0].partition, 1);
  EXPECT_TRUE(hub_->groups().Committed("unknown", {})->empty());
  EXPECT_EQ(ReasonOf(hub_->groups().Committed("no slash", {}).status()), Reason::kInvalidName);
}

TEST_F(GroupsTest, TellWhoHasWhatAndHowFarBehindTheyAre) {
  ProduceValues("orders", 0, {"a", "b", "c"});
  auto command = Member("pod-1");
  command.peer = "ipv4:10.0.0.1:5000";
  const Joined member = Join(command);
  member.reader->Records(3);
  MustCommit(member, 0, 1);
  const auto described = hub_->group_inspection().Describe("billing");
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->members.size(), 1u);
  EXPECT_EQ(described->members[0].instance_id, "pod-1");
  EXPECT_EQ(described->members[0].peer, "ipv4:10.0.0.1:5000");
  EXPECT_TRUE(described->members[0].connect_time.has_value());
  ASSERT_EQ(described->partitions.size(), 2u);
  const GroupPartition& first = described->partitions[0];
  EXPECT_EQ(first.member_id, member.session.member_id);
  EXPECT_EQ(first.committed->next_offset, Offset(1));
  EXPECT_EQ(first.delivered, Offset(3));
  EXPECT_EQ(first.lag_records, 2);
  EXPECT_TRUE(first.lag_time.has_value());
  EXPECT_EQ(described->partitions[1].lag_records, 0);
  EXPECT_FALSE(described->partitions[1].lag_time.has_value());
  EXPECT_EQ(described->lag_records, 2);
  EXPECT_EQ(ReasonOf(hub_->group_inspection().Describe("unknown").status()),
            Reason::kGroupNotFound);
}

TEST_F(GroupsTest, AreListedPageByPage) {
  for (const char* group : {"c", "a", "b"}) {
    ASSERT_TRUE(Commit({.group = group, .entries = {{.topic = "orders"}}}).ok());
  }
  const auto first = hub_->group_inspection().List(2, "");
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->groups.size(), 2u);
  EXPECT_EQ(first->groups[1].name, "b");
  const auto second = hub_->group_inspection().List(2, first->next_page_token);
  ASSERT_EQ(second->groups.size(), 1u);
  EXPECT_EQ(second->groups[0].name, "c");
  EXPECT_TRUE(second->next_page_token.empty());
  EXPECT_EQ(ReasonOf(hub_->group_inspection().List(-1, "").status()), Reason::kInvalidPage);
}

TEST_F(GroupsTest, MoveTheirMembersWhenTheirOffsetsAreReset) {
  ProduceValues("orders", 0, {"a", "b"});
  const Joined member = Join(Member());
  const auto assigned = member.reader->Await<AssignedFrame>();
  member.reader->Records(2);
  MustCommit(member, 0, 2);
  const auto reset = hub_->group_inspection().Reset(
      {.group = "billing", .partitions = {{"orders", 0}}, .target = StartPosition(Earliest{})});
  ASSERT_TRUE(reset.ok()) << reset.status();
  EXPECT_EQ(*(*reset)[0].committed, Offset(0));
  const auto moved = member.reader->Await<RepositionedFrame>();
  EXPECT_EQ(moved.cause, RepositionCause::kReset);
  EXPECT_EQ(moved.to, Offset(0));
  EXPECT_GT(moved.position_epoch, assigned.assignments[0].position_epoch);
  auto old = CommitOf(member, 0, 2);
  old.entries[0].position_epoch = assigned.assignments[0].position_epoch;
  EXPECT_EQ(ReasonOf((*Commit(old))[0].status()), Reason::kSuperseded);
  EXPECT_EQ(member.reader->Records(2), (Values{"0/0=a", "0/1=b"}));
  MustCommit(member, 0, 1);
  EXPECT_EQ(CommittedIn(0), 1);
}

TEST_F(GroupsTest, AreResetToWhereverIsAskedFor) {
  ProduceValues("orders", 0, {"a", "b", "c"});
  Close(Join(Member()));
  const auto reset_to = [&](decltype(ResetCommand::target) target) {
    const auto outcome =
        hub_->group_inspection().Reset({.group = "billing", .partitions = {}, .target = target});
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->size(), 2u);
    return (*outcome)[0].committed;
  };
  EXPECT_EQ(*reset_to(StartPosition(Latest{})), Offset(3));
  EXPECT_EQ(*reset_to(ResetCommand::Shift{-1}), Offset(2));
  EXPECT_EQ(*reset_to(ResetCommand::Shift{std::numeric_limits<int64_t>::max()}), Offset(3));
  EXPECT_EQ(*reset_to(ResetCommand::Shift{std::numeric_limits<int64_t>::min()}), Offset(0));
  EXPECT_EQ(*reset_to(Offset(1)), Offset(1));
  EXPECT_EQ(ReasonOf(reset_to(Offset(4)).status()), Reason::kOffsetOutOfRange);
  EXPECT_EQ(CommittedIn(0), 1);
  EXPECT_EQ(ReasonOf(hub_->group_inspection()
                         .Reset({.group = "unknown", .partitions = {}, .target = Offset(0)})
                         .status()),
            Reason::kGroupNotFound);
}

TEST_F(GroupsTest, AreDeletedOnceTheirMembersAreGone) {
  const Joined member = Join(Member());
  EXPECT_EQ(ReasonOf(hub_->groups().Delete("billing")), Reason::kGroupHasMembers);
  Close(member);
  EXPECT_TRUE(hub_->groups().Delete("billing").ok());
  EXPECT_EQ(CommittedIn(0), -1);
  EXPECT_EQ(ReasonOf(hub_->groups().Delete("billing")), Reason::kGroupNotFound);
}

TEST_F(GroupsTest, AreForgottenAfterALongTimeWithoutMemberOrCommit) {
  const absl::Time before = absl::Now() - absl::Seconds(1);
  Close(Join(Member()));
  ASSERT_TRUE(hub_->groups().ExpireIdle(before).ok());
  EXPECT_EQ(engine_->Groups(), Values{"billing"});
  const Joined member = Join(Member());
  const absl::Time after = absl::Now() + absl::Hours(1);
  ASSERT_TRUE(hub_->groups().ExpireIdle(after).ok());
  EXPECT_EQ(engine_->Groups(), Values{"billing"});
  Close(member);
  ASSERT_TRUE(hub_->groups().ExpireIdle(after).ok());
  EXPECT_TRUE(engine_->Groups().empty());
}

TEST_F(GroupsTest, AreLimited) {
  Start({.limits = {.max_groups = 1}});
  CreateTopic("orders");
  EXPECT_TRUE(Commit({.group = "a", .entries = {{.topic = "orders"}}}).ok());
  EXPECT_TRUE(Commit({.group = "a", .entries = {{.topic = "orders"}}}).ok());
  EXPECT_EQ(ReasonOf(Commit({.group = "b", .entries = {{.topic = "orders"}}}).status()),
            Reason::kLimitExceeded);
}

}  // namespace
}  // namespace millrace::hub
