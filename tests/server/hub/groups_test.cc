#include "server/hub/groups.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/time/clock.h"
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

  SubscribeCommand Member(const std::string& instance_id = "") {
    return {.topics = {"orders"}, .group = "billing", .instance_id = instance_id};
  }

  CommitCommand CommitOf(const Subscription& member, int32_t partition, int64_t next_offset) {
    return {.group = "billing",
            .member_id = member.options().member_id,
            .member_epoch = member.options().member_epoch,
            .entries = {
                {.topic = "orders", .partition = partition, .next_offset = Offset(next_offset)}}};
  }
};

TEST_F(GroupsTest, BeginAtTheEarliestRecord) {
  ProduceValues("orders", 0, {"a", "b"});
  FrameReader reader(Subscribe(Member()));
  EXPECT_FALSE(reader.Expect<SessionStartedFrame>().member_id.empty());
  EXPECT_EQ(reader.Records(2), (Values{"0/0=a", "0/1=b"}));
}

TEST_F(GroupsTest, ResumeAtTheCommittedOffset) {
  ProduceValues("orders", 0, {"a", "b", "c"});
  const auto first = Subscribe(Member());
  const auto committed = Commit(CommitOf(*first, 0, 2));
  ASSERT_TRUE(committed.ok());
  EXPECT_EQ(*(*committed)[0], Offset(2));
  hub_->subscriptions().Close(first);
  FrameReader reader(Subscribe(Member()));
  EXPECT_EQ(reader.Records(1), (Values{"0/2=c"}));
}

TEST_F(GroupsTest, NeverSkipWhatCameAfterTheirFirstStart) {
  ProduceValues("orders", 0, {"before"});
  auto command = Member();
  command.start = Latest{};
  hub_->subscriptions().Close(Subscribe(command));
  ProduceValues("orders", 0, {"between"});
  FrameReader reader(Subscribe(command));
  EXPECT_EQ(reader.Records(1), (Values{"0/1=between"}));
}

TEST_F(GroupsTest, ReadAPartitionFromItsStartThatWasAddedLater) {
  auto command = Member();
  command.start = Latest{};
  hub_->subscriptions().Close(Subscribe(command));
  ASSERT_TRUE(hub_->topics().Update("orders", {.partition_count = 3}).ok());
  ProduceValues("orders", 2, {"new"});
  FrameReader reader(Subscribe(command));
  EXPECT_EQ(reader.Records(1), (Values{"2/0=new"}));
}

TEST_F(GroupsTest, RefuseASecondMember) {
  const auto first = Subscribe(Member());
  EXPECT_EQ(ReasonOf(hub_->subscriptions().Open(Member()).status()), Reason::kGroupHasMembers);
  hub_->subscriptions().Close(first);
  EXPECT_NE(Subscribe(Member()), nullptr);
}

TEST_F(GroupsTest, LetAnInstanceReplaceItself) {
  FrameReader old_reader(Subscribe(Member("pod-1")));
  const auto replacement = Subscribe(Member("pod-1"));
  const auto ending = old_reader.Await<EndingFrame>();
  EXPECT_EQ(ending.reason, EndingReason::kInstanceReplaced);
  EXPECT_EQ(ReasonOf(ending.status), Reason::kInstanceReplaced);
  EXPECT_TRUE((*Commit(CommitOf(*replacement, 0, 0)))[0].ok());
}

TEST_F(GroupsTest, FenceTheCommitsOfAFormerMember) {
  ProduceValues("orders", 0, {"a"});
  const auto former = Subscribe(Member());
  hub_->subscriptions().Close(former);
  const auto present = Subscribe(Member());
  const auto outcome = Commit(CommitOf(*former, 0, 1));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(ReasonOf((*outcome)[0].status()), Reason::kMemberFenced);
  const auto committed = hub_->groups().Committed("billing", {{"orders", 0}});
  EXPECT_EQ((*committed)[0].committed->next_offset, Offset(0));
}

TEST_F(GroupsTest, LetNobodyElseCommitWhileThereIsAMember) {
  CommitCommand outside{.group = "billing", .entries = {{.topic = "orders"}}};
  EXPECT_TRUE(Commit(outside).ok());
  const auto member = Subscribe(Member());
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

TEST_F(GroupsTest, AcceptACommitUnderTheEpochOfTheAssignment) {
  ProduceValues("orders", 0, {"a", "b"});
  for (int64_t next = 1; next <= 2; ++next) {
    const auto member = Subscribe(Member());
    FrameReader reader(member);
    const auto assigned = reader.Await<AssignedFrame>();
    auto command = CommitOf(*member, 0, next);
    command.entries[0].position_epoch = assigned.assignments[0].position_epoch;
    EXPECT_EQ(*(*Commit(command))[0], Offset(next));
    hub_->subscriptions().Close(member);
  }
}

TEST_F(GroupsTest, FreeThePartitionsOfAMemberThatLeaves) {
  const auto member = Subscribe(Member());
  FrameReader reader(member);
  auto command = CommitOf(*member, 0, 0);
  command.leave = true;
  ASSERT_TRUE(Commit(command).ok());
  EXPECT_EQ(reader.Await<LostFrame>().partitions.size(), 2u);
  EXPECT_NE(Subscribe(Member()), nullptr);
}

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

TEST_F(GroupsTest, AreForgottenAfterALongTimeWithoutMemberOrCommit) {
  const absl::Time before = absl::Now() - absl::Seconds(1);
  hub_->subscriptions().Close(Subscribe(Member()));
  ASSERT_TRUE(hub_->groups().ExpireIdle(before).ok());
  EXPECT_EQ(engine_->Groups(), Values{"billing"});
  const auto member = Subscribe(Member());
  const absl::Time after = absl::Now() + absl::Hours(1);
  ASSERT_TRUE(hub_->groups().ExpireIdle(after).ok());
  EXPECT_EQ(engine_->Groups(), Values{"billing"});
  hub_->subscriptions().Close(member);
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
