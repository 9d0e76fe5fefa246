#include "server/hub/partition_balancer.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace millrace::hub {
namespace {

// A member with how many partitions it is to have; the least loaded is the smallest.
using LoadedMember = std::pair<size_t, size_t>;

class Balancing {
 public:
  Balancing(const std::vector<BalancedMember>& members, std::vector<BalancedPartition>& partitions)
      : members_(members),
        partitions_(partitions),
        held_(members.size()),
        class_of_(members.size(), kNobody) {
    TakeStock();
    SortMembersIntoClasses();
  }

  void Run() {
    PlaceFree();
    Level(/*respect_avoid=*/true);
    Level(/*respect_avoid=*/false);
  }

 private:
  size_t LoadOf(size_t member) const { return held_[member].size(); }

  void TakeStock() {
    for (size_t p = 0; p < partitions_.size(); ++p) {
      size_t& target = partitions_[p].target;
      if (target == kNobody) continue;
      const auto& topics = members_[target].topics;
      if (std::binary_search(topics.begin(), topics.end(), partitions_[p].topic)) {
        held_[target].push_back(p);
      } else {
        target = kNobody;
      }
    }
    // What costs nothing to move is moved first: Level takes from the back.
    for (auto& held : held_) {
      std::stable_partition(held.begin(), held.end(),
                            [&](size_t p) { return !partitions_[p].in_transit; });
    }
  }

  // Members with the same topics are a class: of each, only the least loaded one is of interest.
  void SortMembersIntoClasses() {
    std::map<std::vector<size_t>, size_t> class_by_topics;
    for (size_t m = 0; m < members_.size(); ++m) {
      if (!members_[m].receives) continue;
      const auto [it, first] = class_by_topics.try_emplace(members_[m].topics, classes_.size());
      if (first) {
        classes_.emplace_back();
        for (const size_t topic : members_[m].topics) {
          if (topic >= classes_of_topic_.size()) classes_of_topic_.resize(topic + 1);
          classes_of_topic_[topic].push_back(it->second);
        }
      }
      class_of_[m] = it->second;
      classes_[it->second].insert({LoadOf(m), m});
    }
  }

  // The least loaded member that may get partitions of the topic, other than `avoid`.
  size_t LeastLoaded(size_t topic, size_t avoid) const {
    if (topic >= classes_of_topic_.size()) return kNobody;
    LoadedMember best{kNobody, kNobody};
    for (const size_t c : classes_of_topic_[topic]) {
      auto it = classes_[c].begin();
      if (it != classes_[c].end() && it->second == avoid) ++it;
      if (it != classes_[c].end()) best = std::min(best, *it);
    }
    return best.second;
  }

  void PlaceFree() {
    for (size_t p = 0; p < partitions_.size(); ++p) {
      BalancedPartition& partition = partitions_[p];
      if (partition.target != kNobody) continue;
      size_t receiver = LeastLoaded(partition.topic, partition.avoid);
      if (receiver == kNobody) receiver = LeastLoaded(partition.topic, kNobody);
      if (receiver != kNobody) Give(p, receiver);
    }
  }

  // Moves partitions, one at a time and always from the most loaded member that can give one, until
  // no move would make the loads more even.
  void Level(bool respect_avoid) {
    for (bool moved = true; moved;) {
      moved = false;
      std::set<LoadedMember> givers;
      for (size_t m = 0; m < members_.size(); ++m) givers.insert({LoadOf(m), m});
      while (!givers.empty()) {
        const size_t giver = std::prev(givers.end())->second;
        givers.erase(std::prev(givers.end()));
        const size_t receiver = MoveOneFrom(giver, respect_avoid);
        if (receiver == kNobody) continue;
        moved = true;
        givers.insert({LoadOf(giver), giver});
        if (givers.erase({LoadOf(receiver) - 1, receiver}) > 0) {
          givers.insert({LoadOf(receiver), receiver});
        }
      }
    }
  }

  // Gives who got one; kNobody if the giver has none that another should have.
  size_t MoveOneFrom(size_t giver, bool respect_avoid) {
    auto& held = held_[giver];
    for (size_t i = held.size(); i-- > 0;) {
      const size_t p = held[i];
      const size_t avoid = respect_avoid ? partitions_[p].avoid : kNobody;
      const size_t receiver = LeastLoaded(partitions_[p].topic, avoid);
      if (receiver == kNobody || LoadOf(giver) < LoadOf(receiver) + 2) continue;
      Reload(giver, [&] { held.erase(held.begin() + static_cast<ptrdiff_t>(i)); });
      Give(p, receiver);
      return receiver;
    }
    return kNobody;
  }

  void Give(size_t partition, size_t receiver) {
    partitions_[partition].target = receiver;
    Reload(receiver, [&] { held_[receiver].push_back(partition); });
  }

  // Changes what a member has, and its place in its class.
  template <typename Change>
  void Reload(size_t member, Change change) {
    const size_t c = class_of_[member];
    if (c != kNobody) classes_[c].erase({LoadOf(member), member});
    change();
    if (c != kNobody) classes_[c].insert({LoadOf(member), member});
  }

  const std::vector<BalancedMember>& members_;
  std::vector<BalancedPartition>& partitions_;
  std::vector<std::vector<size_t>> held_;  // By member: the partitions it is to have.
  std::vector<size_t> class_of_;           // By member; kNobody for one that gets nothing more.
  std::vector<std::set<LoadedMember>> classes_;
  std::vector<std::vector<size_t>> classes_of_topic_;
};

}  // namespace

void BalancePartitions(const std::vector<BalancedMember>& members,
                       std::vector<BalancedPartition>& partitions) {
  Balancing(members, partitions).Run();
}

}  // namespace millrace::hub
