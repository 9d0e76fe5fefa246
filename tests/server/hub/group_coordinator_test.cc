#include "server/hub/group_coordinator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::PartitionId;

constexpr absl::Duration kGrace = absl::Seconds(30);
constexpr absl::Duration kSettleTime = absl::Seconds(5);
constexpr absl::Duration kRevokeTimeout = absl::Minutes(5);

// A coordinator whose Revokes are answered at once, with what `delivered` and `committed` say.
class GroupCoordinatorTest : public testing::Test {
 protected:
  MemberSession Join(const std::string& id, const std::string& instance = "",
                     std::vector<std::string> topics = {"orders"}, const std::string& resume = "") {
    const MemberSession session = coordinator_.Join(now_, {.new_member_id = id,
                                                           .instance_id = instance,
                                                           .resume_member_id = resume,
                                                           .topics = std::move(topics),
                                                           .revoke_timeout = kRevokeTimeout});
    CarryOut();
    return session;
  }

  void SetPartitions(const std::string& topic, uint32_t first, uint32_t count) {
    std::vector<PartitionId> ids;
    for (uint32_t i = 0; i < count; ++i) ids.emplace_back(first + i);
    coordinator_.SetTopicPartitions(now_, topic, ids);
    CarryOut();
  }

  void Break(const MemberSession& session) {
    coordinator_.Break(now_, session);
    CarryOut();
  }

  void PassTime(absl::Duration time) {
    now_ += time;
    coordinator_.Tick(now_);
    CarryOut();
  }

  bool Commit(const MemberSession& session, PartitionId partition, Offset offset) {
    if (!coordinator_.BeginCommit(session, partition)) return false;
    committed_[partition] = offset;
    coordinator_.EndCommit(now_, session, partition, offset);
    CarryOut();
    return true;
  }

  std::set<PartitionId> PartitionsOf(const MemberSession& session) const {
    std::set<PartitionId> owned;
    for (const auto& [id, partition] : coordinator_.Partitions()) {
      if (coordinator_.Owns(session, id)) owned.insert(id);
    }
    return owned;
  }

  void CarryOut() {
    for (auto actions = coordinator_.TakeActions(); !actions.empty();
         actions = coordinator_.TakeActions()) {
      for (const GroupAction& action : actions) {
        if (const auto* revoke = std::get_if<RevokeAction>(&action)) {
          coordinator_.Stopped(
              now_, revoke->session,
              {revoke->partition, delivered_[revoke->partition], committed_[revoke->partition]});
        }
        all_.push_back(action);
      }
    }
  }

  // The actions of one kind since the last call of Forget.
  template <typename Action>
  std::vector<Action> Taken() const {
    std::vector<Action> found;
    for (const GroupAction& action : all_) {
      if (const auto* each = std::get_if<Action>(&action)) found.push_back(*each);
    }
    return found;
  }
  void Forget() { all_.clear(); }

  absl::Duration now_ = absl::Seconds(1);
  GroupCoordinator coordinator_{{.rejoin_grace = kGrace, .settle_time = kSettleTime}};
  std::map<PartitionId, Offset> delivered_;
  std::map<PartitionId, Offset> committed_;
  std::vector<GroupAction> all_;
};

constexpr PartitionId kFirst(1);

TEST_F(GroupCoordinatorTest, GivesTheFirstMemberEverything) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a");
  EXPECT_EQ(a.member_epoch, 1);
  EXPECT_EQ(PartitionsOf(a).size(), 4u);
  EXPECT_TRUE(Taken<RevokeAction>().empty());
}

TEST_F(GroupCoordinatorTest, RevokesFromTheOthersOnlyTheShareOfANewMember) {
  SetPartitions("orders", 1, 6);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  Forget();
  const MemberSession c = Join("c");
  EXPECT_EQ(Taken<RevokeAction>().size(), 2u);
  EXPECT_EQ(Taken<AssignAction>().size(), 2u);
  for (const MemberSession& each : {a, b, c}) EXPECT_EQ(PartitionsOf(each).size(), 2u);
}

TEST_F(GroupCoordinatorTest, HandsAPartitionOnOnceWhatWasSentIsCommitted) {
  SetPartitions("orders", 1, 2);
  const MemberSession a = Join("a");
  delivered_ = {{PartitionId(1), Offset(10)}, {PartitionId(2), Offset(10)}};
  const MemberSession b = Join("b");
  ASSERT_EQ(Taken<TellRevokingAction>().size(), 1u);
  EXPECT_EQ(Taken<TellRevokingAction>()[0].time_left, kRevokeTimeout);
  const PartitionId revoked = Taken<RevokeAction>()[0].partition;
  ASSERT_TRUE(Commit(a, revoked, Offset(9)));
  EXPECT_TRUE(PartitionsOf(b).empty());
  ASSERT_TRUE(Commit(a, revoked, Offset(10)));
  EXPECT_EQ(PartitionsOf(b), std::set{revoked});
  EXPECT_FALSE(Commit(a, revoked, Offset(11)));
}

TEST_F(GroupCoordinatorTest, TakesAPartitionAwayWhenTheRevokeTimeoutHasPassed) {
  SetPartitions("orders", 1, 2);
  Join("a");
  delivered_ = {{PartitionId(1), Offset(10)}, {PartitionId(2), Offset(10)}};
  const MemberSession b = Join("b");
  EXPECT_EQ(coordinator_.NextDeadline(), now_ + kRevokeTimeout);
  PassTime(kRevokeTimeout - absl::Milliseconds(1));
  EXPECT_TRUE(PartitionsOf(b).empty());
  PassTime(absl::Milliseconds(1));
  EXPECT_EQ(PartitionsOf(b).size(), 1u);
  ASSERT_EQ(Taken<LoseAction>().size(), 1u);
  EXPECT_EQ(Taken<LoseAction>()[0].cause, LostCause::kRevokeTimeout);
}

TEST_F(GroupCoordinatorTest, FreesThePartitionsOfABrokenStreamWithoutAnInstanceAtOnce) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  Break(a);
  EXPECT_EQ(PartitionsOf(b).size(), 4u);
  EXPECT_EQ(coordinator_.member_count(), 1u);
}

TEST_F(GroupCoordinatorTest, KeepsThePartitionsOfABrokenInstanceForTheGrace) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a", "one");
  const MemberSession b = Join("b", "two");
  const auto before = PartitionsOf(a);
  Forget();
  Break(a);
  PassTime(kGrace - absl::Milliseconds(1));
  EXPECT_EQ(PartitionsOf(b).size(), 2u);
  EXPECT_TRUE(coordinator_.BeginCommit(a, *before.begin()));
  coordinator_.EndCommit(now_, a, *before.begin(), std::nullopt);

  const MemberSession again = Join("x", "one");
  EXPECT_EQ(again, (MemberSession{"a", 2}));
  EXPECT_EQ(PartitionsOf(again), before);
  EXPECT_TRUE(Taken<RevokeAction>().empty());
  EXPECT_FALSE(coordinator_.BeginCommit(a, *before.begin()));
}

TEST_F(GroupCoordinatorTest, GivesThePartitionsOfAnInstanceAwayAfterTheGrace) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a", "one");
  const MemberSession b = Join("b", "two");
  Break(a);
  PassTime(kGrace);
  EXPECT_EQ(PartitionsOf(b).size(), 4u);
  EXPECT_FALSE(coordinator_.Knows("a"));
}

TEST_F(GroupCoordinatorTest, KeepsThePartitionsOfAMemberThatItRecalls) {
  SetPartitions("orders", 1, 2);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  const std::set<PartitionId> before = PartitionsOf(a);
  Forget();
  coordinator_.Recall(now_, a);
  CarryOut();
  PassTime(kSettleTime - absl::Milliseconds(1));
  EXPECT_EQ(PartitionsOf(b).size(), 1u);
  EXPECT_EQ(PartitionsOf(a), before);
  EXPECT_TRUE(Taken<AssignAction>().empty());
  const MemberSession again = Join("unused", "", {"orders"}, "a");
  EXPECT_EQ(PartitionsOf(again), before);
}

TEST_F(GroupCoordinatorTest, GivesThePartitionsAwayOfWhoIsRecalledAndDoesNotCome) {
  SetPartitions("orders", 1, 2);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  coordinator_.Recall(now_, a);
  PassTime(kSettleTime);
  EXPECT_EQ(PartitionsOf(b).size(), 2u);
  EXPECT_FALSE(coordinator_.Knows("a"));
}

TEST_F(GroupCoordinatorTest, WaitsForTheGraceForAnInstanceThatItRecalls) {
  SetPartitions("orders", 1, 2);
  const MemberSession a = Join("a", "pod-0");
  const MemberSession b = Join("b");
  coordinator_.Recall(now_, a);
  PassTime(kGrace - absl::Milliseconds(1));
  EXPECT_EQ(PartitionsOf(b).size(), 1u);
  PassTime(absl::Milliseconds(1));
  EXPECT_EQ(PartitionsOf(b).size(), 2u);
}

TEST_F(GroupCoordinatorTest, EndsTheOlderOfTwoStreamsWithOneInstance) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a", "one");
  const MemberSession again = Join("b", "one");
  ASSERT_EQ(Taken<EndAction>().size(), 1u);
  EXPECT_EQ(Taken<EndAction>()[0].session, a);
  EXPECT_EQ(Taken<EndAction>()[0].reason, EndingReason::kInstanceReplaced);
  EXPECT_EQ(PartitionsOf(again).size(), 4u);
  EXPECT_FALSE(coordinator_.BeginCommit(a, kFirst));
  Break(a);  // The older stream's end changes nothing.
  EXPECT_EQ(PartitionsOf(again).size(), 4u);
}

TEST_F(GroupCoordinatorTest, LetsAMemberGoOnByItsIdAndTakesAnUnknownIdForANewMember) {
  SetPartitions("orders", 1, 2);
  Join("a");
  EXPECT_EQ(Join("b", "", {"orders"}, "a"), (MemberSession{"a", 2}));
  EXPECT_EQ(Join("c", "", {"orders"}, "nobody"), (MemberSession{"c", 1}));
}

TEST_F(GroupCoordinatorTest, FreesEverythingOfAMemberThatLeavesAndEndsItsStream) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a", "one");
  const MemberSession b = Join("b", "two");
  delivered_[kFirst] = Offset(10);
  Forget();
  coordinator_.Leave(now_, a);
  CarryOut();
  EXPECT_EQ(PartitionsOf(b).size(), 4u);
  EXPECT_EQ(Taken<LoseAction>().size(), 2u);
  ASSERT_EQ(Taken<EndAction>().size(), 1u);
  EXPECT_EQ(Taken<EndAction>()[0].reason, EndingReason::kLeft);
  EXPECT_TRUE(Taken<RevokeAction>().empty());
}

TEST_F(GroupCoordinatorTest, LetsAFinishedMemberCommitWhatItWasSentAndThenForgetsIt) {
  SetPartitions("orders", 1, 1);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  coordinator_.Finish(now_, a, {{kFirst, Offset(5), Offset(0)}});
  CarryOut();
  EXPECT_TRUE(PartitionsOf(b).empty());
  ASSERT_TRUE(Commit(a, kFirst, Offset(5)));
  EXPECT_EQ(PartitionsOf(b), std::set{kFirst});
  EXPECT_FALSE(coordinator_.Knows("a"));
}

TEST_F(GroupCoordinatorTest, FreesWhatAFinishedMemberDoesNotCommitAfterTheGrace) {
  SetPartitions("orders", 1, 1);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  coordinator_.Finish(now_, a, {{kFirst, Offset(5), Offset(0)}});
  PassTime(kGrace);
  EXPECT_EQ(PartitionsOf(b), std::set{kFirst});
  EXPECT_FALSE(coordinator_.Knows("a"));
}

TEST_F(GroupCoordinatorTest, GivesAReleasedPartitionToAnother) {
  SetPartitions("orders", 1, 4);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  const PartitionId released = *PartitionsOf(a).begin();
  coordinator_.Release(now_, a, released);
  CarryOut();
  EXPECT_TRUE(PartitionsOf(b).contains(released));
}

TEST_F(GroupCoordinatorTest, GivesAReleasedPartitionBackWhereThereIsNobodyElse) {
  SetPartitions("orders", 1, 2);
  const MemberSession a = Join("a");
  Forget();
  coordinator_.Release(now_, a, kFirst);
  CarryOut();
  EXPECT_EQ(Taken<LoseAction>().size(), 1u);
  EXPECT_EQ(PartitionsOf(a).size(), 2u);
}

TEST_F(GroupCoordinatorTest, EvictsToAnotherAndSaysWhy) {
  SetPartitions("orders", 1, 2);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  const PartitionId evicted = *PartitionsOf(a).begin();
  Forget();
  coordinator_.Evict(now_, a, evicted);
  CarryOut();
  EXPECT_TRUE(PartitionsOf(b).contains(evicted));
  EXPECT_EQ(Taken<LoseAction>()[0].cause, LostCause::kUncommittedTooLong);
}

TEST_F(GroupCoordinatorTest, AssignsNothingWhileACommitOfTheFormerOwnerIsUnderWay) {
  SetPartitions("orders", 1, 1);
  const MemberSession a = Join("a");
  const MemberSession b = Join("b");
  ASSERT_TRUE(coordinator_.BeginCommit(a, kFirst));
  Break(a);
  EXPECT_TRUE(PartitionsOf(b).empty());
  coordinator_.EndCommit(now_, a, kFirst, std::nullopt);
  CarryOut();
  EXPECT_EQ(PartitionsOf(b), std::set{kFirst});
}

TEST_F(GroupCoordinatorTest, AssignsNothingWhileAResetIsUnderWay) {
  SetPartitions("orders", 1, 1);
  coordinator_.BeginReset(kFirst);
  const MemberSession a = Join("a");
  EXPECT_TRUE(PartitionsOf(a).empty());
  coordinator_.EndReset(now_, kFirst, true);
  CarryOut();
  EXPECT_EQ(PartitionsOf(a), std::set{kFirst});
}

TEST_F(GroupCoordinatorTest, AsksNobodyToCommitWhatAResetHasOvertaken) {
  SetPartitions("orders", 1, 2);
  Join("a");
  delivered_ = {{PartitionId(1), Offset(10)}, {PartitionId(2), Offset(10)}};
  const MemberSession b = Join("b");
  const PartitionId revoked = Taken<RevokeAction>()[0].partition;
  coordinator_.BeginReset(revoked);
  coordinator_.EndReset(now_, revoked, true);
  CarryOut();
  EXPECT_EQ(PartitionsOf(b), std::set{revoked});
}

TEST_F(GroupCoordinatorTest, FollowsATopicThatGrowsAndOneThatIsDeleted) {
  SetPartitions("orders", 1, 1);
  SetPartitions("bills", 11, 1);
  const MemberSession a = Join("a", "", {"orders", "bills"});
  SetPartitions("orders", 1, 3);
  EXPECT_EQ(PartitionsOf(a).size(), 4u);
  Forget();
  SetPartitions("orders", 1, 0);
  EXPECT_EQ(PartitionsOf(a), std::set{PartitionId(11)});
  ASSERT_EQ(Taken<LoseAction>().size(), 3u);
  EXPECT_EQ(Taken<LoseAction>()[0].cause, LostCause::kTopicDeleted);
}

TEST_F(GroupCoordinatorTest, GivesMembersOnlyPartitionsOfTheirTopics) {
  SetPartitions("orders", 1, 3);
  SetPartitions("bills", 11, 3);
  const MemberSession a = Join("a", "", {"orders"});
  const MemberSession b = Join("b", "", {"bills"});
  EXPECT_EQ(PartitionsOf(a), (std::set{PartitionId(1), PartitionId(2), PartitionId(3)}));
  EXPECT_EQ(PartitionsOf(b), (std::set{PartitionId(11), PartitionId(12), PartitionId(13)}));
  Forget();
  coordinator_.SetMemberTopics(now_, a, {"bills"});
  CarryOut();
  const auto lost = Taken<LoseAction>();
  EXPECT_EQ(std::count_if(lost.begin(), lost.end(),
                          [&](const LoseAction& each) {
                            return each.session == a && each.cause == LostCause::kUnsubscribed;
                          }),
            3);
  EXPECT_EQ(PartitionsOf(a).size(), 1u);
  EXPECT_EQ(PartitionsOf(b).size(), 2u);
}

TEST_F(GroupCoordinatorTest, HoldsPartitionsForTheSettleTimeAfterARestart) {
  SetPartitions("orders", 1, 2);
  coordinator_.Restore(
      now_, {.session = {"a", 3}, .instance_id = "", .topics = {"orders"}, .revoke_timeout = {}},
      {PartitionId(1), PartitionId(2)});
  coordinator_.Tick(now_ + kSettleTime - absl::Milliseconds(1));
  EXPECT_TRUE(coordinator_.Knows("a"));
  const MemberSession again = Join("x", "", {"orders"}, "a");
  EXPECT_EQ(again, (MemberSession{"a", 4}));
  EXPECT_EQ(PartitionsOf(again).size(), 2u);
}

TEST_F(GroupCoordinatorTest, ForgetsWhoDoesNotComeBackAfterARestart) {
  SetPartitions("orders", 1, 2);
  coordinator_.Restore(
      now_, {.session = {"a", 3}, .instance_id = "", .topics = {"orders"}, .revoke_timeout = {}},
      {PartitionId(1)});
  coordinator_.Restore(
      now_, {.session = {"b", 1}, .instance_id = "one", .topics = {"orders"}, .revoke_timeout = {}},
      {PartitionId(2)});
  PassTime(kSettleTime);
  EXPECT_FALSE(coordinator_.Knows("a"));
  EXPECT_TRUE(coordinator_.Knows("b"));
  PassTime(kGrace - kSettleTime);
  EXPECT_FALSE(coordinator_.Knows("b"));
}

}  // namespace
}  // namespace millrace::hub
