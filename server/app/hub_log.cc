#include "server/app/hub_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/app/log.h"
#include "server/contract/request_error.h"

namespace millrace::server {
namespace {

std::string Seconds(absl::Duration duration) {
  return absl::StrCat(absl::ToDoubleSeconds(absl::Trunc(duration, absl::Milliseconds(1))));
}

}  // namespace

void HubLog::OnMemberJoined(std::string_view group, std::string_view member_id,
                            std::string_view instance_id, int32_t member_epoch) {
  Log(LogLevel::kInfo, "member joined",
      {{"group", std::string(group)},
       {"member_id", std::string(member_id)},
       {"instance_id", std::string(instance_id)},
       {"member_epoch", absl::StrCat(member_epoch)}});
}

void HubLog::OnMemberGone(std::string_view group, std::string_view member_id,
                          std::string_view why) {
  Log(LogLevel::kInfo, "member gone",
      {{"group", std::string(group)},
       {"member_id", std::string(member_id)},
       {"why", std::string(why)}});
}

void HubLog::OnPartitionTakenAway(std::string_view group, std::string_view member_id,
                                  const hub::PartitionName& partition, hub::LostCause cause) {
  Log(LogLevel::kWarn, "partition taken away from a member",
      {{"group", std::string(group)},
       {"member_id", std::string(member_id)},
       {"topic", *partition.topic},
       {"partition", absl::StrCat(partition.partition)},
       {"cause",
        cause == hub::LostCause::kRevokeTimeout ? "revoke timeout" : "uncommitted for too long"}});
}

void HubLog::OnStalled(std::string_view worker, absl::Duration stuck_for) {
  Log(LogLevel::kError, "thread stuck",
      {{"worker", std::string(worker)}, {"seconds", Seconds(stuck_for)}});
}

void HubLog::OnStallOver(std::string_view worker, absl::Duration stuck_for) {
  Log(LogLevel::kWarn, "thread goes on",
      {{"worker", std::string(worker)}, {"seconds", Seconds(stuck_for)}});
}

void HubLog::OnTopicAutoCreated(std::string_view topic, int32_t partitions) {
  Log(LogLevel::kInfo, "topic created because it was produced to",
      {{"topic", std::string(topic)}, {"partition_count", absl::StrCat(partitions)}});
}

void HubLog::OnStalledPartitionHealed(std::string_view session_id,
                                      const hub::PartitionName& partition) {
  Log(LogLevel::kError, "stalled partition healed",
      {{"session_id", std::string(session_id)},
       {"topic", *partition.topic},
       {"partition", absl::StrCat(partition.partition)}});
}

void LogAdminAction(const AdminAction& action) {
  std::vector<LogField> fields = {{"method", std::string(action.method)},
                                  {"transport", std::string(action.transport)},
                                  {"peer", std::string(action.peer)}};
  if (!action.principal.empty()) fields.emplace_back("principal", std::string(action.principal));
  fields.insert(fields.end(), action.facts.begin(), action.facts.end());
  fields.emplace_back("outcome", action.outcome.ok() ? "OK" : WireErrorOf(action.outcome).reason);
  fields.emplace_back("seconds", Seconds(action.took));
  if (!action.outcome.ok()) fields.emplace_back("message", std::string(action.outcome.message()));
  Log(LogLevel::kInfo, "admin action", fields);
}

void LogRefusal(const Refusal& refusal) {
  std::vector<LogField> fields = {{"method", std::string(refusal.method)},
                                  {"transport", std::string(refusal.transport)},
                                  {"peer", std::string(refusal.peer)}};
  if (!refusal.principal.empty()) fields.emplace_back("principal", std::string(refusal.principal));
  const WireError facts = WireErrorOf(refusal.status);
  for (const auto& [name, value] : facts.metadata) fields.emplace_back(name, value);
  fields.emplace_back("outcome", facts.reason);
  fields.emplace_back("message", facts.message);
  if (refusal.left_out > 0) fields.emplace_back("left_out", absl::StrCat(refusal.left_out));
  Log(LogLevel::kWarn, "access refused", fields);
}

void LogRefusedConnection(const RefusedConnection& connection) {
  std::vector<LogField> fields = {{"listener", std::string(connection.listener)},
                                  {"reason", std::string(NameOf(connection.reason))}};
  if (!connection.address.empty()) fields.emplace_back("address", std::string(connection.address));
  if (connection.left_out > 0) fields.emplace_back("left_out", absl::StrCat(connection.left_out));
  Log(LogLevel::kWarn, "connection refused", fields);
}

}  // namespace millrace::server
