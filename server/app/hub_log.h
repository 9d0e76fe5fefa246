// What the hub and its transports tell, written into the log.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/contract/admin_actions.h"
#include "server/contract/guard.h"
#include "server/contract/refused_connections.h"
#include "server/hub/hub_observer.h"

namespace millrace::server {

// Threads: any.
class HubLog final : public hub::HubObserver {
 public:
  void OnMemberJoined(std::string_view group, std::string_view member_id,
                      std::string_view instance_id, int32_t member_epoch) override;
  void OnMemberGone(std::string_view group, std::string_view member_id,
                    std::string_view why) override;
  void OnPartitionTakenAway(std::string_view group, std::string_view member_id,
                            const hub::PartitionName& partition, hub::LostCause cause) override;
  void OnStalled(std::string_view worker, absl::Duration stuck_for) override;
  void OnStallOver(std::string_view worker, absl::Duration stuck_for) override;
  void OnTopicAutoCreated(std::string_view topic, int32_t partitions) override;
  void OnStalledPartitionHealed(std::string_view session_id,
                                const hub::PartitionName& partition) override;
};

// The access log: one line an action, "admin action", with who, what, what came of it and how long
// it took. Threads: any.
void LogAdminAction(const AdminAction& action);

// Of the same log: "access refused", with who, what and why. Threads: any.
void LogRefusal(const Refusal& refusal);

// "connection refused", with whose, by which listener and why. Threads: any.
void LogRefusedConnection(const RefusedConnection& connection);

}  // namespace millrace::server
