#include "server/hub/group_state.h"

#include <map>
#include <nlohmann/json.hpp>

namespace millrace::hub {

using nlohmann::json;
using storage::PartitionId;

std::string EncodeGroupState(const GroupCoordinator& coordinator) {
  const std::vector<GroupMemberState> members = coordinator.Members();
  if (members.empty()) return "";
  std::map<std::string, json> partitions;
  for (const auto& [id, partition] : coordinator.Partitions()) {
    if (!partition.owner.empty()) partitions[partition.owner].push_back(id.value());
  }
  json state = json::array();
  for (const GroupMemberState& member : members) {
    state.push_back({{"id", member.session.member_id},
                     {"epoch", member.session.member_epoch},
                     {"instance", member.instance_id},
                     {"topics", member.topics},
                     {"partitions", partitions[member.session.member_id]}});
  }
  return json{{"members", std::move(state)}}.dump();
}

std::vector<RememberedMember> DecodeGroupState(std::string_view bytes) {
  std::vector<RememberedMember> members;
  try {
    const json state = json::parse(bytes);
    for (const json& each : state.at("members")) {
      RememberedMember member;
      member.state.session = {each.at("id"), each.at("epoch")};
      member.state.instance_id = each.at("instance");
      member.state.topics = each.at("topics").get<std::vector<std::string>>();
      for (const json& id : each.at("partitions")) {
        member.partitions.emplace_back(id.get<uint32_t>());
      }
      members.push_back(std::move(member));
    }
  } catch (const json::exception&) {
    members.clear();
  }
  return members;
}

}  // namespace millrace::hub
