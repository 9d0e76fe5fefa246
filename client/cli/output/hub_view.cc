#include "client/cli/output/hub_view.h"

#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/output/json_line.h"
#include "client/cli/output/table.h"
#include "client/cli/parse/quantity.h"
#include "client/cli/parse/time.h"

namespace millrace::cli {
namespace {

enum class Unit { kCount, kBytes, kTime };

struct Limit {
  std::string_view name;
  Unit unit;
  int64_t value;  // A time is in milliseconds.
};

std::vector<Limit> LimitsOf(const client::Limits& limits) {
  const auto ms = [](absl::Duration duration) { return absl::ToInt64Milliseconds(duration); };
  return {
      {"max_record_bytes", Unit::kBytes, limits.max_record_bytes},
      {"max_request_bytes", Unit::kBytes, limits.max_request_bytes},
      {"max_request_records", Unit::kCount, limits.max_request_records},
      {"max_key_bytes", Unit::kBytes, limits.max_key_bytes},
      {"max_record_headers", Unit::kCount, limits.max_record_headers},
      {"max_frame_bytes", Unit::kBytes, limits.max_frame_bytes},
      {"max_commit_metadata_bytes", Unit::kBytes, limits.max_commit_metadata_bytes},
      {"max_metadata_bytes", Unit::kBytes, limits.max_metadata_bytes},
      {"max_topics", Unit::kCount, limits.max_topics},
      {"max_topic_partitions", Unit::kCount, limits.max_topic_partitions},
      {"max_groups", Unit::kCount, limits.max_groups},
      {"max_group_members", Unit::kCount, limits.max_group_members},
      {"max_subscriptions", Unit::kCount, limits.max_subscriptions},
      {"max_connections", Unit::kCount, limits.max_connections},
      {"producer_window", Unit::kCount, limits.producer_window},
      {"producer_idle_expiry", Unit::kTime, ms(limits.producer_idle_expiry)},
      {"group_idle_expiry", Unit::kTime, ms(limits.group_idle_expiry)},
      {"max_revoke_timeout", Unit::kTime, ms(limits.max_revoke_timeout)},
  };
}

std::vector<std::pair<std::string_view, bool>> CapabilitiesOf(const client::Capabilities& can) {
  return {{"atomic_produce", can.atomic_produce},
          {"producer_sequences", can.producer_sequences},
          {"expected_offset", can.expected_offset},
          {"fenced_commits", can.fenced_commits},
          {"log_epoch", can.log_epoch},
          {"search_by_append_time", can.search_by_append_time},
          {"search_by_event_time", can.search_by_event_time},
          {"checkpoints", can.checkpoints}};
}

std::string_view DurabilityName(client::Durability durability) {
  return durability == client::Durability::kBuffered ? "buffered" : "synced";
}

std::string LimitText(const Limit& limit) {
  switch (limit.unit) {
    case Unit::kBytes:
      return SizeText(limit.value);
    case Unit::kTime:
      return DurationText(absl::Milliseconds(limit.value));
    case Unit::kCount:
      break;
  }
  return CountText(limit.value);
}

}  // namespace

std::string HubText(const client::HubInfo& hub, bool colour) {
  std::string capabilities;
  for (const auto& [name, can] : CapabilitiesOf(hub.capabilities)) {
    if (can) capabilities += (capabilities.empty() ? "" : ", ") + std::string(name);
  }
  std::vector<std::pair<std::string, std::string>> fields = {
      {"version", hub.version},
      {"hub id", hub.hub_id},
      {"engine", hub.engine},
      {"started", hub.start_time ? TimeText(*hub.start_time) : "-"},
      {"log epoch", std::to_string(hub.log_epoch)},
      {"durability",
       std::string(DurabilityName(hub.default_durability)) + " unless asked otherwise"},
      {"new topics",
       hub.auto_create_partitions > 0
           ? "created by producing, with " + CountText(hub.auto_create_partitions) + " partitions"
           : "created on request only"},
      {"capabilities", capabilities},
  };
  std::vector<std::pair<std::string, std::string>> limits;
  for (const Limit& limit : LimitsOf(hub.limits)) {
    limits.emplace_back(limit.name, LimitText(limit));
  }
  return RenderFields(fields, colour) + "\n" + RenderFields(limits, colour);
}

std::string HubJson(const client::HubInfo& hub) {
  JsonLine capabilities;
  for (const auto& [name, can] : CapabilitiesOf(hub.capabilities)) capabilities.Bool(name, can);
  JsonLine limits;
  for (const Limit& limit : LimitsOf(hub.limits)) {
    limits.Number(std::string(limit.name) + (limit.unit == Unit::kTime ? "_ms" : ""), limit.value);
  }
  JsonLine json;
  json.Text("version", hub.version).Text("hub_id", hub.hub_id).Text("engine", hub.engine);
  if (hub.start_time) {
    json.Text("start_time", TimeText(*hub.start_time));
  } else {
    json.Null("start_time");
  }
  json.Number("log_epoch", hub.log_epoch)
      .Text("default_durability", DurabilityName(hub.default_durability))
      .Number("auto_create_partitions", hub.auto_create_partitions)
      .Json("capabilities", capabilities.Take())
      .Json("limits", limits.Take());
  return json.Take();
}

}  // namespace millrace::cli
