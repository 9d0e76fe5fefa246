// The unary methods of millrace.v1.GroupService: requests in, responses out; and what WatchGroup
// needs besides.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/v1/group.pb.h"
#include "server/contract/caller.h"
#include "server/hub/hub.h"

namespace millrace::server {

// Threads: any. Each may block; the reasons are those that the contract lists for the rpc. Whether
// the caller may call has been asked before (guard.h); lists and groups show it only what it may
// see.
class GroupCalls {
 public:
  // `hub` outlives this object.
  explicit GroupCalls(hub::Hub& hub) : hub_(hub) {}

  absl::StatusOr<v1::ListGroupsResponse> ListGroups(const v1::ListGroupsRequest& request,
                                                    const Caller& caller);
  absl::StatusOr<v1::GetGroupResponse> GetGroup(const v1::GetGroupRequest& request,
                                                const Caller& caller);
  absl::StatusOr<v1::ResetOffsetsResponse> ResetOffsets(const v1::ResetOffsetsRequest& request);
  absl::StatusOr<v1::DeleteGroupResponse> DeleteGroup(const v1::DeleteGroupRequest& request);

 private:
  hub::Hub& hub_;
};

// The shortest time between two frames of a watch. INVALID_CONFIG.
absl::StatusOr<absl::Duration> WatchInterval(const v1::WatchGroupRequest& request);

}  // namespace millrace::server
