#include "server/contract/hub_calls.h"

#include "server/contract/conversions.h"

namespace millrace::server {
namespace {

v1::TimeBasis ToProto(storage::TimeBasis basis) {
  switch (basis) {
    case storage::TimeBasis::kAppendTime:
      return v1::TIME_BASIS_APPEND_TIME;
    case storage::TimeBasis::kEventTime:
      return v1::TIME_BASIS_EVENT_TIME;
    case storage::TimeBasis::kNone:
      break;
  }
  return v1::TIME_BASIS_UNSPECIFIED;
}

v1::Capabilities ToProto(const storage::Capabilities& capabilities) {
  v1::Capabilities result;
  result.set_atomic_produce(capabilities.atomic_produce);
  result.set_producer_sequences(capabilities.producer_sequences);
  result.set_expected_offset(capabilities.expected_offset);
  result.set_fenced_commits(capabilities.fenced_commits);
  result.set_log_epoch(capabilities.log_epoch);
  result.set_time_basis(ToProto(capabilities.time_basis));
  result.set_checkpoints(capabilities.checkpoints);
  return result;
}

v1::Limits ToProto(const hub::Limits& limits, int32_t producer_window) {
  v1::Limits result;
  result.set_max_record_bytes(limits.max_record_bytes);
  result.set_max_request_bytes(limits.max_request_bytes);
  result.set_max_request_records(limits.max_request_records);
  result.set_max_key_bytes(limits.max_key_bytes);
  result.set_max_record_headers(limits.max_record_headers);
  result.set_max_topic_partitions(limits.max_topic_partitions);
  result.set_max_topics(limits.max_topics);
  result.set_max_groups(limits.max_groups);
  result.set_max_group_members(limits.max_group_members);
  result.set_max_subscriptions(limits.max_subscriptions);
  result.set_max_commit_metadata_bytes(limits.max_commit_metadata_bytes);
  result.set_max_frame_bytes(limits.max_frame_bytes);
  result.set_producer_window(producer_window);
  *result.mutable_producer_idle_expiry() = ToDuration(limits.producer_idle_expiry);
  *result.mutable_group_idle_expiry() = ToDuration(limits.group_idle_expiry);
  *result.mutable_max_revoke_timeout() = ToDuration(limits.max_revoke_timeout);
  result.set_max_connections(limits.max_connections);
  result.set_max_metadata_bytes(limits.max_metadata_bytes);
  return result;
}

absl::StatusOr<Right> ToRight(v1::Right right) {
  switch (right) {
    case v1::RIGHT_PRODUCE:
      return Right::kProduce;
    case v1::RIGHT_CONSUME:
      return Right::kConsume;
    case v1::RIGHT_COMMIT:
      return Right::kCommit;
    case v1::RIGHT_INSPECT:
      return Right::kInspect;
    case v1::RIGHT_ADMINISTER:
      return Right::kAdminister;
    default:
      return InvalidField("right", "say which right: produce, consume, commit, ...");
  }
}

absl::StatusOr<Resource> ResourceOf(const v1::CheckAccessRequest& request) {
  switch (request.resource_case()) {
    case v1::CheckAccessRequest::kTopic:
      return Topic(request.topic());
    case v1::CheckAccessRequest::kGroup:
      return Group(request.group());
    case v1::CheckAccessRequest::kHub:
      if (request.hub()) return Hub();
      break;
    case v1::CheckAccessRequest::RESOURCE_NOT_SET:
      break;
  }
  return InvalidField("resource", "say what it is used on: a topic, a group or the hub");
}

}  // namespace

absl::StatusOr<v1::CheckAccessResponse> HubCalls::CheckAccess(const v1::CheckAccessRequest& request,
                                                              const Caller& caller) {
  if (request.principal().empty()) return InvalidField("principal", "say who it is about");
  const auto right = ToRight(request.right());
  if (!right.ok()) return right.status();
  const auto resource = ResourceOf(request);
  if (!resource.ok()) return resource.status();
  v1::CheckAccessResponse response;
  response.set_enforced(caller.access != nullptr);
  response.set_allowed(true);
  if (caller.access == nullptr) return response;
  const Explanation why = caller.access->rules()->Explain(request.principal(), *right, *resource);
  response.set_allowed(why.allowed);
  for (const Explanation::Allowing& each : why.rules) {
    v1::AllowingRule* rule = response.add_rules();
    rule->set_number(each.number);
    rule->set_text(each.text);
  }
  return response;
}

absl::StatusOr<v1::CreateCheckpointResponse> HubCalls::CreateCheckpoint(
    const v1::CreateCheckpointRequest& request) {
  const absl::StatusOr<int64_t> bytes = hub_.engine().CreateCheckpoint(request.directory());
  if (!bytes.ok()) return bytes.status();
  v1::CreateCheckpointResponse response;
  response.set_size_bytes(*bytes);
  return response;
}

absl::StatusOr<v1::GetHubResponse> HubCalls::GetHub(const v1::GetHubRequest& /*request*/) {
  v1::GetHubResponse response;
  v1::HubInfo* info = response.mutable_hub();
  storage::Engine& engine = hub_.engine();
  info->set_version(version_);
  info->set_hub_id(engine.hub_id());
  info->set_engine(std::string(engine.name()));
  *info->mutable_capabilities() = ToProto(engine.capabilities());
  *info->mutable_limits() = ToProto(hub_.limits(), engine.producer_window());
  info->set_log_epoch(engine.log_epoch().value());
  *info->mutable_start_time() = ToTimestamp(hub_.start_time());
  info->set_default_durability(ToDurability(hub_.options().default_durability));
  info->set_auto_create_partitions(hub_.options().topics.auto_create_partitions);
  return response;
}

}  // namespace millrace::server
