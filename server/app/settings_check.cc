#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/app/quantity.h"
#include "server/app/settings.h"

namespace millrace::server {
namespace {

// Generated stubs refuse messages over 4 MiB unless told otherwise; a frame needs a little more
// than its record.
constexpr int64_t kMaxCommonRecordBytes = (4 << 20) - (64 << 10);
constexpr int64_t kMaxMessageBytes = int64_t{1} << 30;
constexpr int32_t kMaxProducerWindow = 1 << 16;
constexpr int64_t kMaxWebMessageBytes = WebLimits().max_receiving_bytes;

absl::Status Refused(const std::string& why) { return absl::InvalidArgumentError(why); }

absl::Status CheckEngine(const Settings& settings) {
  if (settings.engine == EngineKind::kRocksDb && settings.data_dir.empty()) {
    return Refused(
        "--data-dir is missing: say where the log is to be kept (or --engine memory, which keeps "
        "nothing)");
  }
  if (settings.engine == EngineKind::kMemory && !settings.data_dir.empty()) {
    return Refused("--data-dir makes no sense with --engine memory, which keeps nothing on disk");
  }
  if (settings.engine == EngineKind::kMemory && settings.accept_data_loss) {
    return Refused("--accept-data-loss makes no sense with --engine memory, which keeps nothing");
  }
  return absl::OkStatus();
}

absl::Status CheckListen(const std::string& flag, const std::string& listen) {
  const size_t colon = listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : listen.substr(colon + 1);
  const bool is_number = !port.empty() && port.size() <= 5 &&
                         port.find_first_not_of("0123456789") == std::string::npos;
  if (colon == std::string::npos || colon == 0 || !is_number || std::stoi(port) > 65535) {
    return Refused(absl::StrCat(flag, ": \"", listen, "\" is no HOST:PORT"));
  }
  return absl::OkStatus();
}

absl::Status CheckTls(const TlsFiles& tls) {
  if (tls.certificates.empty() != tls.key.empty()) {
    return Refused("--tls-cert and --tls-key go together");
  }
  if (tls.certificates.empty() && !tls.client_ca.empty()) {
    return Refused("--tls-client-ca makes no sense without --tls-cert and --tls-key");
  }
  return absl::OkStatus();
}

absl::Status CheckWeb(const Settings& settings) {
  if (!settings.serves_web()) {
    if (settings.web_port_file.empty()) return absl::OkStatus();
    return Refused("--web-port-file makes no sense with --web-listen none");
  }
  for (const std::string& origin : settings.web.limits.allowed_origins) {
    const size_t host = origin.find("://");
    const bool is_web = origin.substr(0, host) == "http" || origin.substr(0, host) == "https";
    if (is_web && host != std::string::npos && origin.size() > host + 3 &&
        origin.find_first_of("/ \t\r\n", host + 3) == std::string::npos) {
      continue;
    }
    return Refused(absl::StrCat("--web-allow-origin: \"", origin,
                                "\" is no origin as in https://example.org"));
  }
  return CheckListen("--web-listen", settings.web.listen);
}

absl::Status CheckPositive(const Settings& settings) {
  const hub::Limits& limits = settings.hub.limits;
  const std::initializer_list<std::pair<std::string_view, int64_t>> sizes = {
      {"--max-record-bytes", limits.max_record_bytes},
      {"--max-request-bytes", limits.max_request_bytes},
      {"--max-request-records", limits.max_request_records},
      {"--max-key-bytes", limits.max_key_bytes},
      {"--max-record-headers", limits.max_record_headers},
      {"--max-frame-bytes", limits.max_frame_bytes},
      {"--max-commit-metadata-bytes", limits.max_commit_metadata_bytes},
      {"--max-metadata-bytes", limits.max_metadata_bytes},
      {"--max-topics", limits.max_topics},
      {"--max-topic-partitions", limits.max_topic_partitions},
      {"--max-groups", limits.max_groups},
      {"--max-group-members", limits.max_group_members},
      {"--max-subscriptions", limits.max_subscriptions},
      {"--max-connections", limits.max_connections},
      {"--web-max-connections", settings.web.limits.max_connections},
      {"--web-max-message-bytes", settings.web.limits.max_message_bytes},
      {"--producer-window", settings.producer_window},
      {"--tail-cache-bytes", settings.tail_cache_bytes},
      {"--write-queue-bytes", settings.write_queue_bytes},
      {"--frame-budget-bytes", settings.hub.frame_budget_bytes}};
  for (const auto& [flag, value] : sizes) {
    if (value < 1) return Refused(std::string(flag) + " must be at least 1");
  }
  const std::initializer_list<std::pair<std::string_view, absl::Duration>> spans = {
      {"--producer-idle-expiry", limits.producer_idle_expiry},
      {"--group-idle-expiry", limits.group_idle_expiry},
      {"--max-revoke-timeout", limits.max_revoke_timeout},
      {"--web-header-timeout", settings.web.limits.header_timeout},
      {"--web-message-timeout", settings.web.limits.message_timeout},
      {"--web-write-timeout", settings.web.limits.write_timeout},
      {"--web-idle-timeout", settings.web.limits.idle_timeout},
      {"--drain-timeout", settings.drain_timeout}};
  for (const auto& [flag, value] : spans) {
    if (value <= absl::ZeroDuration()) return Refused(std::string(flag) + " must be longer than 0");
  }
  return absl::OkStatus();
}

// Refuses where `flag` is above `limit`, which `why` explains.
absl::Status CheckAtMost(std::string_view flag, int64_t value, int64_t limit,
                         std::string_view why) {
  if (value <= limit) return absl::OkStatus();
  return Refused(absl::StrCat(std::string(flag), " (", BytesText(value), ") must not exceed ",
                              std::string(why), " (", BytesText(limit), ")"));
}

absl::Status CheckLimits(const Settings& settings) {
  const hub::Limits& limits = settings.hub.limits;
  if (limits.max_record_bytes > kMaxCommonRecordBytes && !settings.allow_large_records) {
    return Refused(absl::StrCat("--max-record-bytes (", BytesText(limits.max_record_bytes),
                                ") is more than most clients receive: at most ",
                                BytesText(kMaxCommonRecordBytes),
                                " without --allow-large-records"));
  }
  for (const absl::Status& status :
       {CheckAtMost("--max-request-bytes", limits.max_request_bytes, kMaxMessageBytes,
                    "what a message can hold"),
        CheckAtMost("--max-frame-bytes", limits.max_frame_bytes, kMaxMessageBytes,
                    "what a message can hold"),
        CheckAtMost("--max-record-bytes", limits.max_record_bytes, limits.max_request_bytes,
                    "--max-request-bytes"),
        CheckAtMost("--max-metadata-bytes", limits.max_metadata_bytes, kMaxMessageBytes,
                    "what a message can hold"),
        CheckAtMost("--max-request-bytes", limits.max_request_bytes, settings.write_queue_bytes,
                    "--write-queue-bytes"),
        CheckAtMost("--web-max-message-bytes", settings.web.limits.max_message_bytes,
                    kMaxWebMessageBytes, "what is received at once"),
        CheckAtMost("--producer-window", settings.producer_window, kMaxProducerWindow,
                    "what a producer may keep")}) {
    if (!status.ok()) return status;
  }
  const int32_t partitions = settings.hub.topics.auto_create_partitions;
  const std::initializer_list<std::pair<std::string_view, int32_t>> counts = {
      {"--metrics-max-labels", settings.metrics_max_labels},
      {"--max-connections-per-address", settings.max_connections_per_address},
      {"--max-streams-per-address", settings.max_streams_per_address},
      {"--web-max-connections-per-address", settings.web.limits.max_connections_per_address},
      {"--auto-create-topics", partitions}};
  for (const auto& [flag, value] : counts) {
    if (value < 0) return Refused(std::string(flag) + " must not be negative");
  }
  return CheckAtMost("--auto-create-topics", partitions, limits.max_topic_partitions,
                     "--max-topic-partitions");
}

}  // namespace

absl::Status CheckSettings(const Settings& settings) {
  for (const auto& check :
       {CheckEngine(settings), CheckListen("--listen", settings.listen), CheckTls(settings.tls),
        CheckWeb(settings), CheckPositive(settings), CheckLimits(settings)}) {
    if (!check.ok()) return check;
  }
  return absl::OkStatus();
}

}  // namespace millrace::server
