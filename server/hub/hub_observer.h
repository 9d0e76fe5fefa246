// What happens inside the hub that an operator wants to read in the log. The hub tells, the program
// writes it down (server/app).
#pragma once

#include <string_view>

#include "server/hub/frame.h"

namespace millrace::hub {

// Threads: called from any, also under locks: must be quick and must not call the hub. By default
// nothing is done.
class HubObserver {
 public:
  virtual ~HubObserver() = default;

  virtual void OnMemberJoined(std::string_view /*group*/, std::string_view /*member_id*/,
                              std::string_view /*instance_id*/, int32_t /*member_epoch*/) {}
  // `why` is a phrase: "left", "stream broken", "replaced".
  virtual void OnMemberGone(std::string_view /*group*/, std::string_view /*member_id*/,
                            std::string_view /*why*/) {}
  // A member did not give a partition up in its time.
  virtual void OnPartitionTakenAway(std::string_view /*group*/, std::string_view /*member_id*/,
                                    const PartitionName& /*partition*/, LostCause /*cause*/) {}
  // See StallWatch: of a worker that has finished nothing for so long, and that goes on again.
  virtual void OnStalled(std::string_view /*worker*/, absl::Duration /*stuck_for*/) {}
  virtual void OnStallOver(std::string_view /*worker*/, absl::Duration /*stuck_for*/) {}
  // A topic was missing and produced to.
  virtual void OnTopicAutoCreated(std::string_view /*topic*/, int32_t /*partitions*/) {}
  // See Subscription::HealStalled.
  virtual void OnStalledPartitionHealed(std::string_view /*session_id*/,
                                        const PartitionName& /*partition*/) {}
};

}  // namespace millrace::hub
