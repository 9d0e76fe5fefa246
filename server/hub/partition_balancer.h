// Who of a consumer group shall read which partition: sticky, balanced, with as few moves as
// balance allows.
//
// A pure function, safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::hub {

inline constexpr size_t kNobody = static_cast<size_t>(-1);

// One member, by its place in the list.
struct BalancedMember {
  std::vector<size_t> topics;  // Those it subscribes to, sorted.
  bool receives = true;        // False: it keeps what it has and gets nothing more.
};

// One partition, with whom it is to go to.
struct BalancedPartition {
  size_t topic = 0;
  size_t target = kNobody;  // In: whose it is, or shall be. Out: whose it shall be.
  // Whom it should not go to while anybody else may have it: the member that gave it up.
  size_t avoid = kNobody;
  // Not being read by its target yet, so that another target costs nothing.
  bool in_transit = false;
};

// Sets every target. A target that does not subscribe to the topic is replaced; a partition whose
// topic no receiving member subscribes to gets kNobody. Afterwards no partition could go to a
// receiving member that has two or more fewer than the one that has it: so members with the same
// topics differ by one at most. Where all members have the same topics, no assignment with that
// property takes fewer partitions from those that have them.
void BalancePartitions(const std::vector<BalancedMember>& members,
                       std::vector<BalancedPartition>& partitions);

}  // namespace millrace::hub
