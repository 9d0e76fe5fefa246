// The methods of millrace.v1.HubService: requests in, responses out.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "millrace/v1/hub.pb.h"
#include "server/contract/caller.h"
#include "server/hub/hub.h"

namespace millrace::server {

// Threads: any. The reasons are those that the contract lists for the rpc.
class HubCalls {
 public:
  // `hub` outlives this object. `version` is the program's, as in "0.1.0".
  HubCalls(hub::Hub& hub, std::string version) : hub_(hub), version_(std::move(version)) {}

  // Never blocks, never fails, and answers while the hub drains.
  absl::StatusOr<v1::GetHubResponse> GetHub(const v1::GetHubRequest& request);
  // May block.
  absl::StatusOr<v1::CreateCheckpointResponse> CreateCheckpoint(
      const v1::CreateCheckpointRequest& request);
  // Never blocks.
  absl::StatusOr<v1::CheckAccessResponse> CheckAccess(const v1::CheckAccessRequest& request,
                                                      const Caller& caller);

 private:
  hub::Hub& hub_;
  const std::string version_;
};

}  // namespace millrace::server
