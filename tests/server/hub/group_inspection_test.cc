#include "server/hub/group_inspection.h"

#include <gtest/gtest.h>

#include <limits>

#include "absl/time/clock.h"
#include "tests/server/hub/groups_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::Reason;

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
