#include "server/hub/partition_balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

namespace millrace::hub {
namespace {

using Loads = std::vector<size_t>;

std::vector<BalancedMember> MembersOfOneTopic(size_t count) {
  return std::vector<BalancedMember>(count, {.topics = {0}});
}

// Partitions of topic 0 that are read by these members.
std::vector<BalancedPartition> ReadBy(const std::vector<size_t>& targets) {
  std::vector<BalancedPartition> partitions;
  for (const size_t target : targets) partitions.push_back({.topic = 0, .target = target});
  return partitions;
}

Loads LoadsOf(size_t members, const std::vector<BalancedPartition>& partitions) {
  Loads loads(members);
  for (const BalancedPartition& each : partitions) {
    if (each.target != kNobody) ++loads[each.target];
  }
  return loads;
}

std::vector<size_t> TargetsOf(const std::vector<BalancedPartition>& partitions) {
  std::vector<size_t> targets;
  for (const BalancedPartition& each : partitions) targets.push_back(each.target);
  return targets;
}

TEST(PartitionBalancer, SharesOutEvenly) {
  auto partitions = ReadBy(std::vector<size_t>(10, kNobody));
  BalancePartitions(MembersOfOneTopic(3), partitions);
  EXPECT_EQ(LoadsOf(3, partitions), (Loads{4, 3, 3}));
}

TEST(PartitionBalancer, LeavesABalancedAssignmentAlone) {
  auto partitions = ReadBy({2, 1, 0, 0, 1});
  BalancePartitions(MembersOfOneTopic(3), partitions);
  EXPECT_EQ(TargetsOf(partitions), (std::vector<size_t>{2, 1, 0, 0, 1}));
}

TEST(PartitionBalancer, TakesOnlyWhatANewMemberNeeds) {
  auto partitions = ReadBy({0, 0, 0, 1, 1, 1});
  BalancePartitions(MembersOfOneTopic(3), partitions);
  EXPECT_EQ(LoadsOf(3, partitions), (Loads{2, 2, 2}));
}

TEST(PartitionBalancer, GivesNothingToWhoeverDoesNotReceive) {
  auto members = MembersOfOneTopic(2);
  members[0].receives = false;
  auto partitions = ReadBy({0, kNobody, kNobody, kNobody});
  BalancePartitions(members, partitions);
  EXPECT_EQ(TargetsOf(partitions), (std::vector<size_t>{0, 1, 1, 1}));
}

TEST(PartitionBalancer, GivesPartitionsOnlyToThoseWhoSubscribe) {
  const std::vector<BalancedMember> members = {{.topics = {0}}, {.topics = {1}}};
  std::vector<BalancedPartition> partitions = {
      {.topic = 0}, {.topic = 0}, {.topic = 0}, {.topic = 1, .target = 0}, {.topic = 2}};
  BalancePartitions(members, partitions);
  EXPECT_EQ(TargetsOf(partitions), (std::vector<size_t>{0, 0, 0, 1, kNobody}));
}

TEST(PartitionBalancer, PrefersAnybodyToWhoGaveAPartitionUp) {
  auto partitions = ReadBy({0, 1, 1, kNobody});
  partitions[3].avoid = 0;
  BalancePartitions(MembersOfOneTopic(2), partitions);
  EXPECT_EQ(partitions[3].target, 1u);
  EXPECT_EQ(LoadsOf(2, partitions), (Loads{2, 2}));

  auto alone = ReadBy({kNobody});
  alone[0].avoid = 0;
  BalancePartitions(MembersOfOneTopic(1), alone);
  EXPECT_EQ(alone[0].target, 0u);
}

TEST(PartitionBalancer, MovesFirstWhatNobodyReadsYet) {
  auto partitions = ReadBy({0, 0, 0, 0});
  partitions[0].in_transit = partitions[2].in_transit = true;
  BalancePartitions(MembersOfOneTopic(2), partitions);
  EXPECT_EQ(TargetsOf(partitions), (std::vector<size_t>{1, 0, 1, 0}));
}

TEST(PartitionBalancer, MovesNoMoreThanBalanceAsksFor) {
  std::mt19937 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const size_t members = 1 + random() % 8;
    std::vector<size_t> targets(random() % 30);
    for (size_t& target : targets) {
      // Skewed, and some are nobody's.
      target = random() % 5 == 0 ? kNobody : std::min(random() % members, random() % members);
    }
    auto partitions = ReadBy(targets);
    Loads before = LoadsOf(members, partitions);
    BalancePartitions(MembersOfOneTopic(members), partitions);

    const Loads after = LoadsOf(members, partitions);
    const auto [least, most] = std::minmax_element(after.begin(), after.end());
    ASSERT_LE(*most - *least, 1u) << i;
    size_t moved = 0;
    for (size_t p = 0; p < targets.size(); ++p) {
      moved += targets[p] != kNobody && targets[p] != partitions[p].target;
    }
    // The fullest may keep one more than the others, as many of them as the rest of the division.
    std::sort(before.begin(), before.end(), std::greater<>());
    size_t needed = 0;
    for (size_t m = 0; m < members; ++m) {
      const size_t cap = targets.size() / members + (m < targets.size() % members ? 1 : 0);
      needed += before[m] > cap ? before[m] - cap : 0;
    }
    ASSERT_EQ(moved, needed) << i;
  }
}

}  // namespace
}  // namespace millrace::hub
