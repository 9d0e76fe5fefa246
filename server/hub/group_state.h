// What is kept of a group's membership over a restart of the hub, so that members which come back
// find their partitions waiting. It is a hint: without it nothing is lost, only moved.
//
// Free functions without state, safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/hub/group_coordinator.h"

namespace millrace::hub {

// A member with what it had.
struct RememberedMember {
  GroupMemberState state;
  std::vector<storage::PartitionId> partitions;
};

// Empty for a group without members.
std::string EncodeGroupState(const GroupCoordinator& coordinator);

// Nobody, for bytes that EncodeGroupState did not make.
std::vector<RememberedMember> DecodeGroupState(std::string_view bytes);

}  // namespace millrace::hub
